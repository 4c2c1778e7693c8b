"""Runs: lists, one by one, how far they have come, and their documents in order."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db.models import Count, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce

from accounts import access, tree
from accounts.access import Action
from accounts.models import Account
from invoicing.models import BillingRun, Charge, Invoice, InvoiceLine, RunFamily
from tenancy.actor import Actor
from tenancy.errors import Forbidden, NotFound


@dataclass(frozen=True, slots=True)
class Progress:
    """How many families of a run are through, of how many."""

    done: int
    total: int


def runs(actor: Actor) -> QuerySet[BillingRun]:
    """Return the tenant's runs, the latest date first.

    Raises:
        Forbidden: the actor may not see runs.
    """
    access.require_everywhere(actor, Action.VIEW_RUNS)
    return BillingRun.objects.filter(tenant_id=actor.tenant_id).order_by("-date")


def get_run(actor: Actor, run_id: UUID) -> BillingRun:
    """Return one run. One statement.

    Raises:
        NotFound: there is none.
        Forbidden: the actor may not see runs.
    """
    run = runs(actor).filter(pk=run_id).first()
    if run is None:
        raise NotFound
    return run


def has_run(actor: Actor, run_id: UUID) -> bool:
    """Return whether there is such a run, for somebody who may see invoices. Two statements."""
    if not access.reach(actor, Action.VIEW_INVOICE).exists():
        return False
    return BillingRun.objects.filter(tenant_id=actor.tenant_id, pk=run_id).exists()


def get_run_to_approve(actor: Actor, run_id: UUID) -> BillingRun:
    """Return a run for somebody who may approve it. One statement.

    Raises:
        NotFound: there is none.
        Forbidden: the actor may not issue invoices.
    """
    run = get_run(actor, run_id)
    access.require_everywhere(actor, Action.ISSUE_INVOICE)
    return run


def progress_of(actor: Actor, run_id: UUID) -> Progress:
    """Return how far a run has come. Two statements.

    Raises:
        Forbidden: the actor may neither see runs nor start one anywhere.
    """
    if not access.allows_everywhere(actor, Action.VIEW_RUNS):
        _require_starting(actor)
    families = RunFamily.objects.filter(tenant_id=actor.tenant_id, run_id=run_id)
    total = families.count()
    return Progress(total - families.filter(status=RunFamily.Status.WAITING).count(), total)


def _require_starting(actor: Actor) -> None:
    if not access.reach(actor, Action.RUN_BILLING).exists():
        raise Forbidden


def get_run_with_progress(actor: Actor, run_id: UUID) -> tuple[BillingRun, int, int]:
    """Return a run, how many of its families are through, and how many there are.

    One statement.

    Raises:
        NotFound: there is none.
        Forbidden: the actor may not see runs.
    """
    families = (
        RunFamily.objects.filter(tenant_id=actor.tenant_id, run_id=OuterRef("pk"))
        .order_by()
        .values("run_id")
        .annotate(count=Count("id"))
    )
    waiting = families.filter(status=RunFamily.Status.WAITING)
    found = runs(actor).annotate(
        total=Coalesce(Subquery(families.values("count")), 0),
        waiting=Coalesce(Subquery(waiting.values("count")), 0),
    )
    run: Any = found.filter(pk=run_id).first()
    if run is None:
        raise NotFound
    return run, run.total - run.waiting, run.total


def scopes_of(actor: Actor, run_id: UUID) -> list[UUID | None]:
    """Return the accounts whose subtrees a run is limited to; None for all. One statement."""
    access.require_everywhere(actor, Action.VIEW_RUNS)
    found = (
        RunFamily.objects.filter(tenant_id=actor.tenant_id, run_id=run_id)
        .order_by("within_id")
        .values_list("within_id", flat=True)
        .distinct()
    )
    scopes: list[UUID | None] = list(found)
    return [None] if None in scopes else scopes


def runs_of_drafts_made_good(actor: Actor, made: Iterable[Charge]) -> list[BillingRun]:
    """Return the runs with drafts on which something stands that charges make good.

    One statement, none where nothing of a period was made. Whoever asks has made the charges.
    """
    pairs = {(one.item_id, one.period_id) for one in made if one.period_id is not None}
    if not pairs:
        return []
    lines = InvoiceLine.objects.filter(
        tenant_id=actor.tenant_id,
        charge__item_id__in={item_id for item_id, _period in pairs},
        charge__period_id__in={period_id for _item, period_id in pairs},
        invoice__status__in=Invoice.UNISSUED,
    )
    found = BillingRun.objects.filter(
        tenant_id=actor.tenant_id,
        pk__in=lines.values("invoice__run_id"),
        status=BillingRun.Status.TO_APPROVE,
    )
    return list(found.order_by("id"))


def documents_by_path(actor: Actor, invoice_ids: Iterable[UUID]) -> list[Invoice]:
    """Return invoices in the order of their bill-to's path, then currency. Two statements.

    Siblings are ordered by the stored sort key (R26).

    Raises:
        Forbidden: the actor may neither see runs nor issue invoices.
    """
    if not access.allows_everywhere(actor, Action.ISSUE_INVOICE):
        access.require_everywhere(actor, Action.VIEW_RUNS)
    invoices = list(
        Invoice.objects.filter(tenant_id=actor.tenant_id, pk__in=invoice_ids).select_related(
            "bill_to", "payer"
        )
    )
    above = Account.objects.filter(
        tree.lies_above(actor.tenant_id, {invoice.bill_to_id for invoice in invoices}),
        tenant_id=actor.tenant_id,
    ).values_list("id", "sort_key", "node__parent_id")
    known = {account_id: (sort_key, parent_id) for account_id, sort_key, parent_id in above}

    def path(account_id: UUID | None) -> list[tuple[str, UUID]]:
        if account_id is None or account_id not in known:
            return []
        sort_key, parent_id = known[account_id]
        return [*path(parent_id), (sort_key, account_id)]

    return sorted(
        invoices,
        key=lambda invoice: (
            path(invoice.bill_to_id),
            invoice.currency,
            invoice.number or "",
            invoice.id,
        ),
    )
