"""Drafts whose sources have changed: found by drafting them once more, and drafted again."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final
from uuid import UUID

from accounts import access, tree
from accounts.access import Action
from invoicing.engine.reading_families import read_families
from invoicing.models import BillingRun, Invoice, InvoiceSection
from invoicing.operations.runs.closing import close_run
from invoicing.operations.runs.drafting import draft_again
from invoicing.operations.runs.earlier_drafts import drafted_otherwise
from invoicing.operations.runs.loading import load_families
from tenancy.actor import Actor
from tenancy.database import operation, scope
from tenancy.models import Tenant

MOST_ACCOUNTS: Final = 500
"""Families beyond are not compared while somebody waits for a page: the timetable does it."""
MOST_DRAFTS: Final = 50
"""So many drafts of a run are compared while somebody waits for a page."""
MOST_ACCOUNTS_AT_ONCE: Final = 5_000
"""So many accounts are read for it."""
AT_ONCE: Final = 50
"""So many drafts are drafted again in one transaction."""


@dataclass(frozen=True, slots=True)
class Compared:
    """Drafts that were compared with what would be drafted now, and those that were not.

    Attributes:
        changed: those that would come out otherwise.
        looked: how many were compared.
        passed_over: how many were not, because their trees are too large to wait for.
        last: where the next part goes on; None where nothing is left.
    """

    changed: tuple[UUID, ...] = ()
    looked: int = 0
    passed_over: int = 0
    last: UUID | None = None


NOTHING_COMPARED: Final = Compared()


def compare_drafts(
    actor: Actor,
    run: BillingRun,
    *,
    tenant: Tenant,
    after: UUID | None = None,
    only: Collection[UUID] | None = None,
) -> Compared:
    """Compare drafts of a run with what would be drafted now, a part at a time.

    A part is at most ``MOST_DRAFTS`` drafts of at most ``MOST_ACCOUNTS_AT_ONCE`` accounts. Nothing
    is locked or stored; what is shown is asked again under locks before it is issued. Trees of
    more than ``MOST_ACCOUNTS`` accounts are passed over, and said to be.
    At most fifteen statements, two more where something is owed again that was taken back.

    Args:
        actor: who asks.
        run: the run.
        tenant: the actor's.
        after: the ``last`` of the part before.
        only: these drafts; None for all.

    Raises:
        Forbidden: the actor may not see runs.

    Source: docs/billing-rules.md, R21.
    """
    access.require_everywhere(actor, Action.VIEW_RUNS)
    drafts = Invoice.objects.filter(
        tenant_id=actor.tenant_id, run_id=run.pk, status__in=Invoice.UNISSUED
    ).order_by("id")
    if only is not None:
        drafts = drafts.filter(pk__in=only)
    if after is not None:
        drafts = drafts.filter(pk__gt=after)
    ids = list(drafts.values_list("id", flat=True)[: MOST_DRAFTS + 1])
    if not ids:
        return NOTHING_COMPARED
    part = _part(actor, ids[:MOST_DRAFTS])
    done = len(part.looked) + part.passed_over
    found: set[UUID] = set()
    if part.looked:
        families = read_families(actor, part.trees, None, tenant=tenant)
        found = drafted_otherwise(families, run, part.looked)
    return Compared(
        tuple(key for key in part.looked if key in found),
        len(part.looked),
        part.passed_over,
        ids[done - 1] if done < len(ids) else None,
    )


@dataclass(slots=True)
class _Part:
    """The trees of some drafts that are small enough, and the drafts."""

    trees: dict[UUID, list[tuple[UUID, UUID | None]]] = field(default_factory=dict)
    looked: list[UUID] = field(default_factory=list)
    passed_over: int = 0


def _part(actor: Actor, ids: Sequence[UUID]) -> _Part:
    """Choose from drafts in their order until the trees are enough for once. Two statements."""
    accounts: dict[UUID, set[UUID]] = {key: set() for key in ids}
    for key, *pair in _places(actor, ids):
        accounts[key].update(pair)
    found = tree.families(actor.tenant_id, set().union(*accounts.values()))
    root_of = {key: root for root, members in found.items() for key, _up in members}
    part, size = _Part(), 0
    for key in ids:
        roots = {root_of[account_id] for account_id in accounts[key]}
        if any(len(found[root]) > MOST_ACCOUNTS for root in roots):
            part.passed_over += 1
            continue
        size += sum(len(found[root]) for root in roots - part.trees.keys())
        if size > MOST_ACCOUNTS_AT_ONCE and part.looked:
            break
        part.trees.update((root, found[root]) for root in roots)
        part.looked.append(key)
    return part


def _places(actor: Actor, invoice_ids: Iterable[UUID]) -> Iterable[tuple[UUID, UUID, UUID]]:
    """Return documents with the accounts of their sections and their recipients."""
    sections = InvoiceSection.objects.filter(
        tenant_id=actor.tenant_id, invoice_id__in=list(invoice_ids)
    ).order_by()
    return sections.values_list("invoice_id", "account_id", "invoice__bill_to_id").distinct()


def count_drafts(actor: Actor, run: BillingRun) -> int:
    """Return how many drafts of a run wait. One statement.

    Raises:
        Forbidden: the actor may not see runs.
    """
    access.require_everywhere(actor, Action.VIEW_RUNS)
    return Invoice.objects.filter(
        tenant_id=actor.tenant_id, run_id=run.pk, status__in=Invoice.UNISSUED
    ).count()


def concerned(actor: Actor, invoice_ids: Iterable[UUID]) -> set[UUID]:
    """Return the recipients of documents and the accounts of their sections. One statement.

    An account that was moved since may be in another tree than its recipient.
    """
    return {key for _invoice, *pair in _places(actor, invoice_ids) for key in pair}


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
        _note_compared(actor, key, now)
    return changed


@operation
def _note_compared(actor: Actor, run_id: UUID, now: datetime) -> None:
    """Say on the run since when each of its drafts is known to be what would be drafted."""
    BillingRun.objects.filter(tenant_id=actor.tenant_id, pk=run_id).update(compared_at=now)


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
