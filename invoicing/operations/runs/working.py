"""Working through the queue of a run: batch by batch, each batch one transaction."""

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import TypeVar
from uuid import UUID

from django.db import InterfaceError, OperationalError
from django.db.models import Q, QuerySet

from accounts.actor import Actor
from accounts.collecting import collecting_afterwards
from accounts.errors import BillingError
from accounts.events import Happening, record_event
from accounts.tenancy import operation, scope
from invoicing.models import BillingRun, Invoice, RunFamily, RunProblem
from invoicing.operations.issuing import issue_drafts, mark_invoiced
from invoicing.operations.runs.drafting import draft_documents
from invoicing.operations.runs.families import Families, Problem, load_families
from invoicing.operations.runs.opening import request_run
from invoicing.operations.runs.rating import rate_due_items

logger = logging.getLogger(__name__)

FAMILIES_PER_BATCH = 25
_DEADLOCK_TRIES = 4
_RETRYABLE = {"40001", "40P01"}

R = TypeVar("R")


@dataclass(slots=True)
class RunReport:
    """What one call brought about: documents it made or issued; the run may hold more."""

    run: BillingRun
    invoice_ids: list[UUID] = field(default_factory=list)


def run_billing(
    actor: Actor,
    *,
    run_date: date,
    within: UUID | None = None,
    issue: bool = False,
    today: date,
    now: datetime,
) -> RunReport:
    """Bill everything due up to a date: open or join the run, and work until its queue is empty.

    Doing it again makes nothing new. Two at once share the work. One bad account never stops it:
    it is listed as a problem (R25).

    Args:
        actor: who runs it.
        run_date: everything due up to this day is taken; it becomes the date of issue.
        within: only accounts of this subtree; None for all.
        issue: issue at once, whatever the tenant says about approval (R8).
        today: the tenant's date.
        now: the instant.

    Raises:
        Forbidden, NotFound: not the actor's to run, or no such account.
        RunRefused: the date can't be.

    Source: docs/billing-rules.md, R4 to R8, R25.
    """
    run = request_run(actor, run_date=run_date, within=within, issue=issue, today=today)
    return work_on_run(actor, run.id, now=now)


def work_on_run(actor: Actor, run_id: UUID, *, now: datetime) -> RunReport:
    """Claim families of a run until none waits, then close the run.

    A family that another worker holds is waited for, so that the run is complete on return; if
    that worker dies, its families come back and are taken here.
    """
    with scope(actor.tenant_id):
        run = BillingRun.objects.get(tenant_id=actor.tenant_id, pk=run_id)
    report, pause = RunReport(run), 0.05
    while True:
        with collecting_afterwards():
            claimed, invoice_ids = _patiently(lambda: _work_on_batch(actor, run, now=now))
        report.invoice_ids += invoice_ids
        if claimed:
            pause = 0.05
        elif _is_empty(actor, run):
            break
        else:
            time.sleep(pause)
            pause = min(1.0, pause * 2)
    report.run = close_run(actor, run.id, now=now)
    return report


def _patiently(work: Callable[[], R]) -> R:
    """Do the work again when the database broke off one of two that waited for each other."""
    for attempt in range(1, _DEADLOCK_TRIES + 1):
        try:
            return work()
        except OperationalError as error:
            code = getattr(error.__cause__, "pgcode", None)
            if code not in _RETRYABLE or attempt == _DEADLOCK_TRIES:
                raise
            time.sleep(0.05 * 2**attempt)
    raise AssertionError("unreachable")  # pragma: no cover


def _work_on_batch(actor: Actor, run: BillingRun, *, now: datetime) -> tuple[int, list[UUID]]:
    """Work on the next families of the queue; if that fails, on each of them alone."""
    try:
        return _bill_next(actor, run.id, now=now, limit=FAMILIES_PER_BATCH)
    except (OperationalError, InterfaceError):
        raise
    except Exception:
        logger.exception("run.batch_failed", extra={"run": run.id})
    claimed, invoice_ids = 0, []
    for _turn in range(FAMILIES_PER_BATCH):
        count, made = _bill_one(actor, run, now=now)
        if not count:
            break
        claimed += count
        invoice_ids += made
    return claimed, invoice_ids


def _bill_one(actor: Actor, run: BillingRun, *, now: datetime) -> tuple[int, list[UUID]]:
    """Bill the next family alone; a failure is noted and keeps to itself."""
    with scope(actor.tenant_id):
        family = _waiting(actor, run.id).order_by("position", "id").first()
    if family is None:
        return 0, []
    try:
        return _bill_next(actor, run.id, now=now, limit=1, only=family.id)
    except (OperationalError, InterfaceError):
        raise
    except Exception as error:
        logger.exception("run.family_failed", extra={"run": run.id, "root": family.root_id})
        code = error.code if isinstance(error, BillingError) else "internal_error"
        _set_aside(actor, family, Problem(code, family.root_id))
        return 1, []


def _waiting(actor: Actor, run_id: UUID) -> QuerySet[RunFamily]:
    return RunFamily.objects.filter(
        tenant_id=actor.tenant_id, run_id=run_id, status=RunFamily.Status.WAITING
    )


def _is_empty(actor: Actor, run: BillingRun) -> bool:
    with scope(actor.tenant_id):
        return not _waiting(actor, run.id).exists()


@operation
def _bill_next(
    actor: Actor, run_id: UUID, *, now: datetime, limit: int, only: UUID | None = None
) -> tuple[int, list[UUID]]:
    """Claim some families and take them all the way; one transaction.

    Returns:
        How many families were claimed, and the ids of documents made or issued.
    """
    claims = list(
        _waiting(actor, run_id)
        .filter(Q() if only is None else Q(pk=only))
        .select_for_update(skip_locked=True)
        .order_by("position", "id")[:limit]
    )
    if not claims:
        return 0, []
    run = BillingRun.objects.get(tenant_id=actor.tenant_id, pk=run_id)
    invoice_ids: list[UUID] = []
    groups: dict[tuple[UUID | None, bool], list[RunFamily]] = {}
    for claim in claims:
        groups.setdefault((claim.within_id, claim.issues), []).append(claim)
    for (within, issues), group in groups.items():
        invoice_ids += _bill_group(actor, run, group, within, issues, now)
    RunFamily.objects.filter(
        tenant_id=actor.tenant_id, pk__in=[claim.id for claim in claims]
    ).update(status=RunFamily.Status.DONE)
    return len(claims), invoice_ids


def _bill_group(
    actor: Actor,
    run: BillingRun,
    claims: Sequence[RunFamily],
    within: UUID | None,
    issues: bool,
    now: datetime,
) -> list[UUID]:
    families = load_families(actor, [claim.root_id for claim in claims], within)
    rated = rate_due_items(families, run_date=run.date, now=now)
    drafts = draft_documents(families, run, new=rated.charges, is_issuing=issues, now=now)
    touched = list(drafts.invoices)
    if issues:
        earlier = _earlier_drafts(families, run, {invoice.id for invoice in touched})
        mark_invoiced(actor, [invoice.id for invoice in earlier])
        issuable = [*drafts.issuable(families), *earlier]
        issue_drafts(actor, issuable, issue_date=run.date, now=now)
        families.problems += [
            Problem("seller_incomplete", invoice.bill_to_id)
            for invoice in touched
            if not families.can_issue(invoice.seller_id)
        ]
        touched += earlier
    _store_problems(actor, run, claims, families)
    return [invoice.id for invoice in touched]


def _earlier_drafts(families: Families, run: BillingRun, made: set[UUID]) -> list[Invoice]:
    """Return the drafts that an earlier call of the same run left, in document order."""
    drafts = [
        draft
        for draft in Invoice.objects.select_for_update()
        .filter(
            tenant_id=families.actor.tenant_id,
            run_id=run.id,
            status__in=Invoice.UNISSUED,
            bill_to_id__in=families.in_scope,
        )
        .order_by("id")
        if draft.id not in made and families.can_issue(draft.seller_id)
    ]
    return sorted(
        drafts, key=lambda draft: (families.position[draft.bill_to_id], draft.currency, draft.id)
    )


def _store_problems(
    actor: Actor, run: BillingRun, claims: Sequence[RunFamily], families: Families
) -> None:
    """Replace what was noted about these families by what holds now."""
    RunProblem.objects.filter(
        tenant_id=actor.tenant_id, run_id=run.id, family_id__in=[c.root_id for c in claims]
    ).delete()
    RunProblem.objects.bulk_create(
        _problem_row(actor, run.id, families.root_of[problem.account_id], problem)
        for problem in families.problems
    )


def _problem_row(actor: Actor, run_id: UUID, family_id: UUID, problem: Problem) -> RunProblem:
    severity = RunProblem.Severity.WARNING if problem.is_warning else RunProblem.Severity.PROBLEM
    return RunProblem(
        tenant_id=actor.tenant_id,
        run_id=run_id,
        severity=severity,
        code=problem.code,
        family_id=family_id,
        account_id=problem.account_id,
        subscription_id=problem.subscription_id,
        params=dict(problem.params),
    )


@operation
def _set_aside(actor: Actor, family: RunFamily, problem: Problem) -> None:
    """Take a family that can't be billed out of the queue, with its reason."""
    RunFamily.objects.filter(tenant_id=actor.tenant_id, pk=family.pk).update(
        status=RunFamily.Status.FAILED
    )
    RunProblem.objects.filter(
        tenant_id=actor.tenant_id, run_id=family.run_id, family_id=family.root_id
    ).delete()
    _problem_row(actor, family.run_id, family.root_id, problem).save(force_insert=True)


@operation
def close_run(actor: Actor, run_id: UUID, *, now: datetime) -> BillingRun:
    """Say where the run stands now that its queue is empty; whoever comes second changes nothing.

    Parked: something is out of bounds and no number was used for it. To approve: drafts wait.
    """
    # Not locked against references: workers that add documents need not wait for it.
    runs = BillingRun.objects.select_for_update(no_key=True)
    run = runs.get(tenant_id=actor.tenant_id, pk=run_id)
    drafts = Invoice.objects.filter(
        tenant_id=actor.tenant_id, run_id=run_id, status__in=Invoice.UNISSUED
    )
    out_of_bounds = RunProblem.objects.filter(
        tenant_id=actor.tenant_id, run_id=run_id, code="out_of_bounds"
    )
    if out_of_bounds.exists():
        status = BillingRun.Status.PARKED
    elif drafts.exists():
        status = BillingRun.Status.TO_APPROVE
    else:
        status = BillingRun.Status.DONE
    if status == run.status and run.finished_at is not None:
        return run
    run.status, run.finished_at = status, now
    run.save(update_fields=["status", "finished_at"])
    record_event(
        actor,
        Happening("run.closed", run.id, after={"status": status, "date": run.date.isoformat()}),
        now=now,
    )
    return run
