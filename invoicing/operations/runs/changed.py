"""Drafts whose sources have changed: found by drafting them once more, and drafted again."""

from collections.abc import Collection, Iterable
from datetime import datetime
from typing import Final
from uuid import UUID

from accounts import access, tree
from accounts.access import Action
from invoicing.models import BillingRun, Invoice, InvoiceSection
from invoicing.operations.runs.closing import close_run
from invoicing.operations.runs.drafting import draft_again, drafted_otherwise
from invoicing.operations.runs.families import load_families, read_families
from tenancy.actor import Actor
from tenancy.database import operation, scope
from tenancy.models import Tenant

MOST_ACCOUNTS: Final = 500
"""Families beyond are not compared while somebody waits for a page: the timetable does it."""
MOST_DRAFTS: Final = 100
"""So many drafts of a run are compared while somebody waits for a page."""
AT_ONCE: Final = 50
"""So many drafts are drafted again in one transaction."""


def changed_since_drafted(
    actor: Actor, run: BillingRun, invoice_ids: Collection[UUID], *, tenant: Tenant
) -> set[UUID]:
    """Return which drafts of a run would be drafted otherwise now. At most eleven statements.

    Nothing is locked or stored; what is shown is asked again under locks before it is issued.
    Families of more than ``MOST_ACCOUNTS`` accounts are passed over.

    Args:
        actor: who asks.
        run: their run.
        invoice_ids: the drafts.
        tenant: the actor's.

    Raises:
        Forbidden: the actor may not see runs.

    Source: docs/billing-rules.md, R21.
    """
    access.require_everywhere(actor, Action.VIEW_RUNS)
    accounts = concerned(actor, invoice_ids)
    if not accounts:
        return set()
    found = tree.families(actor.tenant_id, accounts)
    small = {root: family for root, family in found.items() if len(family) <= MOST_ACCOUNTS}
    if sum(map(len, small.values())) > MOST_ACCOUNTS * 10:
        return set()
    if len(small) < len(found):
        inside = {account_id for family in small.values() for account_id, _up in family}
        invoice_ids = _wholly_inside(actor, invoice_ids, inside)
    if not invoice_ids:
        return set()
    families = read_families(actor, small, None, tenant=tenant)
    return drafted_otherwise(families, run, invoice_ids)


def changed_drafts_of(
    actor: Actor, run: BillingRun, *, tenant: Tenant, only: Collection[UUID] | None = None
) -> list[Invoice]:
    """Return the drafts of a run that have changed since they were drafted, with recipients.

    Looks at the first ``MOST_DRAFTS``, or at those of ``only``. Two statements more than
    ``changed_since_drafted``.

    Raises:
        Forbidden: the actor may not see runs.
    """
    access.require_everywhere(actor, Action.VIEW_RUNS)
    drafts = Invoice.objects.filter(
        tenant_id=actor.tenant_id, run_id=run.pk, status__in=Invoice.UNISSUED
    ).order_by("id")
    if only is not None:
        drafts = drafts.filter(pk__in=only)
    ids = list(drafts.values_list("id", flat=True)[:MOST_DRAFTS])
    found = changed_since_drafted(actor, run, ids, tenant=tenant)
    return list(drafts.filter(pk__in=found).select_related("bill_to")) if found else []


def concerned(actor: Actor, invoice_ids: Iterable[UUID]) -> set[UUID]:
    """Return the recipients of documents and the accounts of their sections. One statement.

    An account that was moved since may be in another tree than its recipient.
    """
    sections = InvoiceSection.objects.filter(
        tenant_id=actor.tenant_id, invoice_id__in=list(invoice_ids)
    ).order_by()
    pairs = sections.values_list("account_id", "invoice__bill_to_id").distinct()
    return {account_id for pair in pairs for account_id in pair}


def _wholly_inside(
    actor: Actor, invoice_ids: Iterable[UUID], inside: Collection[UUID]
) -> list[UUID]:
    sections = InvoiceSection.objects.filter(
        tenant_id=actor.tenant_id, invoice_id__in=list(invoice_ids)
    ).order_by()
    outside = {
        invoice_id
        for invoice_id, account_id, bill_to_id in sections.values_list(
            "invoice_id", "account_id", "invoice__bill_to_id"
        ).distinct()
        if account_id not in inside or bill_to_id not in inside
    }
    return [key for key in invoice_ids if key not in outside]


def refresh_drafts(actor: Actor, *, run_id: UUID | None = None, now: datetime) -> int:
    """Draft again what has changed since it was drafted, of all runs that wait for approval.

    Nothing is rated or issued. Each part is a transaction of its own, under the locks of its trees;
    twice does no harm.

    Args:
        actor: who asks for it.
        run_id: only those of this run; None for all.
        now: the instant.

    Returns:
        How many drafts say something else now, or are gone.

    Raises:
        Forbidden: the actor may not run billing.

    Source: docs/billing-rules.md, R21.
    """
    with scope(actor.tenant_id):
        access.require_everywhere(actor, Action.RUN_BILLING)
        found = Invoice.objects.filter(
            tenant_id=actor.tenant_id,
            status__in=Invoice.UNISSUED,
            approved_hash="",
            run__tenant_id=actor.tenant_id,
            run__status=BillingRun.Status.TO_APPROVE,
        )
        if run_id is not None:
            found = found.filter(run_id=run_id)
        waiting = list(found.order_by("run_id", "bill_to_id").values_list("run_id", "id"))
    by_run: dict[UUID, list[UUID]] = {}
    for key, invoice_id in waiting:
        if key is not None:
            by_run.setdefault(key, []).append(invoice_id)
    changed = 0
    for key, ids in by_run.items():
        for start in range(0, len(ids), AT_ONCE):
            changed += _refresh(actor, key, ids[start : start + AT_ONCE], now=now)
    return changed


@operation
def _refresh(actor: Actor, run_id: UUID, invoice_ids: list[UUID], *, now: datetime) -> int:
    run = BillingRun.objects.select_for_update(no_key=True).get(
        tenant_id=actor.tenant_id, pk=run_id
    )
    if run.status != BillingRun.Status.TO_APPROVE:
        return 0
    accounts = concerned(actor, invoice_ids)
    if not accounts:
        return 0
    families = load_families(actor, tree.families(actor.tenant_id, accounts), None)
    still = Invoice.objects.filter(
        tenant_id=actor.tenant_id,
        run_id=run.pk,
        pk__in=invoice_ids,
        status__in=Invoice.UNISSUED,
        approved_hash="",
    )
    ids = list(still.values_list("id", flat=True))
    # Compared first: what has not changed is not written.
    stale = drafted_otherwise(families, run, ids)
    families.problems = []
    if stale:
        draft_again(families, run, stale, now=now)
        left = Invoice.objects.filter(
            tenant_id=actor.tenant_id, run_id=run.pk, status__in=Invoice.UNISSUED
        )
        if not left.exists():
            close_run(actor, run.pk, now=now)
    return len(stale)
