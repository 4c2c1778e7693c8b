"""Issuing what was approved: drafted once more, and issued if it is still what was seen."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from datetime import date, datetime
from uuid import UUID

from accounts import tree
from invoicing.models import BillingRun, Invoice, RunFamily, RunProblem
from invoicing.operations.issuing import issue_dates, issue_drafts, mark_invoiced
from invoicing.operations.runs.drafting import draft_again
from invoicing.operations.runs.loading import load_families
from tenancy.actor import Actor


def issue_approved(
    actor: Actor, run: BillingRun, claims: Sequence[RunFamily], *, today: date, now: datetime
) -> list[UUID]:
    """Issue the approved drafts of some families of a run; for a worker that holds the claims.

    Args:
        actor: who works on the run, on behalf of who approved.
        run: the run.
        claims: rows of its queue, locked, approved by the same.
        today: the tenant's date.
        now: the instant.

    Returns:
        The documents issued. Drafts that have changed since they were approved are drafted again
        and noted as a warning; they wait to be approved.
    """
    roots = [claim.root_id for claim in claims]
    tree.lock_families(actor.tenant_id, roots)
    members = {
        account_id
        for family in tree.families(actor.tenant_id, roots).values()
        for account_id, _parent in family
    }
    approved = {
        draft.id: draft.approved_hash
        for draft in Invoice.objects.filter(
            tenant_id=actor.tenant_id,
            run_id=run.id,
            status__in=Invoice.UNISSUED,
            bill_to_id__in=members,
        ).exclude(approved_hash="")
    }
    fresh = drafted_again(actor, run, [*approved], now=now)
    as_seen = [draft for key, draft in fresh.items() if draft.content_hash == approved.get(key)]
    issue_as_seen(actor, run, as_seen, today=today, now=now)
    issued = {draft.id for draft in as_seen}
    _note_changed(actor, run, [draft for key, draft in fresh.items() if key not in issued])
    return [draft.id for draft in as_seen]


def issue_as_seen(
    actor: Actor,
    run: BillingRun,
    drafts: Sequence[Invoice],
    *,
    today: date,
    now: datetime,
) -> None:
    """Issue drafts with the run's date, or, where a series has gone on, with today's (R28)."""
    mark_invoiced(actor, [draft.id for draft in drafts])
    days = issue_dates(actor, run.date, {draft.seller_id for draft in drafts}, today=today)
    by_day: dict[date, list[Invoice]] = defaultdict(list)
    for draft in drafts:
        by_day[days[draft.seller_id]].append(draft)
    for day in sorted(by_day):
        issue_drafts(actor, by_day[day], run=run, issue_date=day, now=now)


def drafted_again(
    actor: Actor, run: BillingRun, ids: Collection[UUID], *, now: datetime
) -> dict[UUID, Invoice]:
    """Return what became of drafts by what holds now, in document order."""
    if not ids:
        return {}
    bill_tos = Invoice.objects.filter(tenant_id=actor.tenant_id, pk__in=ids)
    roots = tree.families(actor.tenant_id, {*bill_tos.values_list("bill_to_id", flat=True)})
    families = load_families(actor, roots, None)
    drafts = draft_again(families, run, ids, now=now)
    return {invoice.id: invoice for invoice in drafts.invoices}


def _note_changed(actor: Actor, run: BillingRun, drafts: Sequence[Invoice]) -> None:
    """Say on the run which drafts were approved and have changed all the same."""
    roots = tree.families(actor.tenant_id, {draft.bill_to_id for draft in drafts})
    root_of = {key: root for root, family in roots.items() for key, _parent in family}
    RunProblem.objects.bulk_create(
        RunProblem(
            tenant_id=actor.tenant_id,
            run_id=run.id,
            severity=RunProblem.Severity.WARNING,
            code="changed_since_approval",
            family_id=root_of[draft.bill_to_id],
            account_id=draft.bill_to_id,
        )
        for draft in drafts
    )
