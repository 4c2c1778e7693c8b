"""Billing some families all the way, in the transaction in which they were claimed."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import connection
from django.db.models.functions import Now

from invoicing.engine.families import Families, Problem
from invoicing.models import BillingRun, RunFamily, RunProblem
from invoicing.operations.issuing import issue_drafts
from invoicing.operations.runs.drafting import draft_documents
from invoicing.operations.runs.loading import load_families
from invoicing.operations.runs.noting import by_cause, problem_row
from invoicing.operations.runs.rating import rate_due_items
from tenancy.actor import Actor
from tenancy.database import operation
from tenancy.database.inserting import insert_rows


@dataclass(frozen=True, slots=True)
class Billed:
    """What came of some families: documents made or issued, and whose drafts were taken up."""

    invoice_ids: list[UUID]
    taken_from: set[UUID]


def bill_families(
    actor: Actor,
    run: BillingRun,
    claims: Sequence[RunFamily],
    within: UUID | None,
    issues: bool,
    now: datetime,
) -> Billed:
    """Take the families of some claims all the way: rate, place, draft and, if wanted, issue.

    What was noted about them before makes room for what holds now.

    Args:
        actor: who runs it.
        run: the run; its date is the latest day taken.
        claims: rows of the queue, locked, that ask for the same on behalf of the same.
        within: only accounts of this subtree; None for all.
        issues: whether drafts are issued at once.
        now: the instant.

    Returns:
        The documents made or issued, and the runs that drafts were taken from.
    """
    families = load_families(actor, [claim.root_id for claim in claims], within)
    charges = rate_due_items(families, run_date=run.date)
    drafts = draft_documents(families, run, new=charges, is_issuing=issues, now=now)
    touched = drafts.made
    if issues:
        touched = drafts.issuable(families)
        issue_drafts(actor, touched, run=run, issue_date=run.date, now=now)
        waiting = [one for one in drafts.invoices if not families.can_issue(one.seller_id)]
        families.problems += [Problem("seller_incomplete", one.bill_to_id) for one in waiting]
        issued = {one.id for one in touched}
        touched = [one for one in drafts.invoices if one.id in issued or one.id not in drafts.kept]
    _store_problems(actor, run, claims, families)
    return Billed([invoice.id for invoice in touched], drafts.taken_from)


def _store_problems(
    actor: Actor, run: BillingRun, claims: Sequence[RunFamily], families: Families
) -> None:
    """Replace what was noted about these families by what holds now, each cause once.

    What keeps something from being billed is found again by every call. A warning is found only
    when a document is drafted, so what an earlier call warned of stays where none was.
    """
    claimed = [claim.root_id for claim in claims]
    with connection.cursor() as cursor:
        cursor.execute(
            _FORGET,
            {
                "tenant": actor.tenant_id,
                "run": run.id,
                "claimed": [str(root) for root in claimed],
                "judged": [str(account) for account in families.judged],
            },
        )
    insert_rows(
        [
            problem_row(actor, run.id, _family(families, problem, claimed), problem)
            for problem in by_cause(families.problems)
        ]
    )


# Nothing refers to what was noted.
_FORGET = """
    DELETE FROM invoicing_runproblem
    WHERE tenant_id = %(tenant)s AND run_id = %(run)s AND family_id = ANY(%(claimed)s::uuid[])
    AND (severity = 'problem' OR code = 'outside_run' OR account_id = ANY(%(judged)s::uuid[]))
"""


def _family(families: Families, problem: Problem, claimed: Sequence[UUID]) -> UUID:
    """Return under which of the claimed trees a problem stands.

    One of an account in a tree that is only billed along stands with the first.
    """
    root = families.root_of[problem.account_id]
    return root if root in claimed else claimed[0]


@operation
def set_aside(actor: Actor, family: RunFamily, problem: Problem) -> None:
    """Take a family that can't be billed out of the queue, with its reason."""
    RunFamily.objects.filter(tenant_id=actor.tenant_id, pk=family.pk).update(
        status=RunFamily.Status.FAILED, done_at=Now()
    )
    RunProblem.objects.filter(
        tenant_id=actor.tenant_id, run_id=family.run_id, family_id=family.root_id
    ).delete()
    problem_row(actor, family.run_id, family.root_id, problem).save(force_insert=True)
