"""Runs, what they made, and what has to be looked at."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from django.db.models import Exists, OuterRef, QuerySet
from django.utils.translation import gettext as _

from accounts import access, tree
from accounts.access import Action
from accounts.actor import Actor
from accounts.errors import Forbidden, NotFound
from accounts.models import Account
from invoicing.models import BillingRun, Charge, Invoice, InvoiceLine, RunFamily, RunProblem
from subscriptions.models import Item


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


def unfinished_runs(actor: Actor) -> QuerySet[BillingRun]:
    """Return the runs in whose queue somebody waits, the earliest date first. One statement."""
    waiting = RunFamily.objects.filter(
        tenant_id=actor.tenant_id, status=RunFamily.Status.WAITING
    ).order_by()
    return BillingRun.objects.filter(
        tenant_id=actor.tenant_id, pk__in=waiting.values("run_id")
    ).order_by("date")


def next_due_date(actor: Actor) -> date | None:
    """Return the next day on which a run has something to take, None if there is none.

    Two statements, each the first entry of an index.

    Raises:
        Forbidden: the actor may neither see runs nor move the clock.
    """
    if not access.allows_everywhere(actor, Action.MOVE_CLOCK):
        access.require_everywhere(actor, Action.VIEW_RUNS)
    item = (
        Item.objects.filter(tenant_id=actor.tenant_id, next_action_date__isnull=False)
        .order_by("next_action_date")
        .values_list("next_action_date", flat=True)
        .first()
    )
    placed = InvoiceLine.objects.filter(tenant_id=actor.tenant_id, charge_id=OuterRef("pk"))
    charge = (
        Charge.objects.filter(~Exists(placed), tenant_id=actor.tenant_id, status="pending")
        .order_by("invoice_on")
        .values_list("invoice_on", flat=True)
        .first()
    )
    return min((day for day in (item, charge) if day is not None), default=None)


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


def problems_of(actor: Actor, run_id: UUID) -> QuerySet[RunProblem]:
    """Return what has to be looked at in a run, problems before warnings. One statement.

    Raises:
        Forbidden: the actor may not see runs.
    """
    access.require_everywhere(actor, Action.VIEW_RUNS)
    return (
        RunProblem.objects.filter(tenant_id=actor.tenant_id, run_id=run_id)
        .select_related("account", "subscription")
        .order_by("severity", "code", "account__sort_key", "id")
    )


def describe_problem(actor: Actor, problem: RunProblem) -> str:
    """Return the sentence for a problem in the active language."""
    texts = {
        "bill_to_incomplete": _("“%(account)s” lacks: %(missing)s. Nothing is billed to it."),
        "bill_to_not_contract_party": _(
            "“%(account)s” is invoiced through an account that is not party to its contract."
        ),
        "vat_id_missing_or_invalid": _(
            "“%(account)s” is in another EU country without a valid VAT id: domestic tax applies."
        ),
        "tax_rate_unknown": _("The seller knows no tax rate for a service of “%(account)s”."),
        "too_many_periods": _(
            "A subscription of “%(account)s” has too many periods to catch up with at once."
        ),
        "outside_calendar": _("A period of “%(account)s” lies outside the calendar."),
        "amount_out_of_range": _("An amount of “%(account)s” is beyond all bounds."),
        "out_of_bounds": _("The document for “%(account)s” is beyond all bounds and was parked."),
        "seller_incomplete": _(
            "The seller's details are placeholders marked TEST; “%(account)s” is not issued."
        ),
        "outside_run": _(
            "“%(account)s” is invoiced for accounts of this run, but lies outside of the subtree"
            " that the run keeps to: what is due for it waits."
        ),
        "run_date_before_last_issue": _(
            "An invoice with a later date was issued; “%(account)s” is not issued."
        ),
    }
    text = texts.get(
        problem.code,
        _("Something unexpected kept “%(account)s” from being billed. Run again, or ask for help."),
    )
    names = {
        "legal_name": _("legal name"),
        "line1": _("street"),
        "city": _("city"),
        "country": _("country"),
    }
    missing = ", ".join(names.get(name, name) for name in problem.params.get("missing", ()))
    return text % {"account": problem.account.name, "missing": missing}
