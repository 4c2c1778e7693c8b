"""Invoices and their parts, as far as somebody may see them.

Whoever reaches the bill-to or the payer sees an invoice whole; who reaches only the account of a
section sees that section, as a partial statement (R23). A customer's people see no drafts.
"""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final
from uuid import UUID

from django.db.models import (
    BigIntegerField,
    BooleanField,
    Case,
    Count,
    ExpressionWrapper,
    F,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Sum,
    Value,
    When,
)

from accounts import access, tree
from accounts.access import Action
from accounts.actor import Actor
from accounts.errors import NotFound
from accounts.models import Account
from invoicing.models import Invoice, InvoiceLine, InvoiceSection, InvoiceTax
from invoicing.queries._explaining import Explanation, Step, explain

__all__ = [
    "LATEST_FIRST",
    "Explanation",
    "StatusSum",
    "Step",
    "explanation",
    "get_invoice",
    "get_line",
    "invoices",
    "lines_of",
    "sections_of",
    "sees_whole",
    "status_sums",
    "taxes_of",
    "visible_to",
]

DUE_SOON_DAYS = 7
UNPAID = (Invoice.Status.OPEN, Invoice.Status.PARTLY_PAID)
STATUSES = (*Invoice.Status.values, "overdue", "due_soon")
"""What can be asked for: the stored statuses and the derived ones."""


LATEST_FIRST: Final = ("-issue_date", "-series_number", "-id")
"""The order of a few invoices at a glance: within a day the highest number first."""


@dataclass(frozen=True, slots=True)
class StatusSum:
    """What the invoices of one status and currency add up to, in minor units."""

    status: str
    currency: str
    count: int
    gross_minor: int
    open_minor: int


def visible_to(actor: Actor) -> Q:
    """Return the condition on invoices that ``actor`` may see at least one section of (R23)."""
    visible = Q(tenant_id=actor.tenant_id)
    if not _sees_drafts(actor):
        visible &= ~Q(status__in=Invoice.UNISSUED)
    if access.allows_everywhere(actor, Action.VIEW_INVOICE):
        return visible
    return visible & (_whole(actor) | Q(pk__in=_own_sections(actor).values("invoice_id")))


def _sees_drafts(actor: Actor) -> bool:
    """Return whether drafts are shown: they are the tenant's, not yet the customer's."""
    return actor.kind != "person" or actor.staff_role is not None


def _whole(actor: Actor) -> Q:
    """Return the condition on invoices that ``actor`` may see whole."""
    if access.allows_everywhere(actor, Action.VIEW_INVOICE):
        return Q(tenant_id=actor.tenant_id)
    reached = access.reach(actor, Action.VIEW_INVOICE).order_by().values("pk")
    return Q(bill_to__in=reached) | Q(payer__in=reached)


def _own_sections(actor: Actor) -> QuerySet[InvoiceSection]:
    """Return the sections of accounts in reach."""
    sections = InvoiceSection.objects.filter(tenant_id=actor.tenant_id)
    if access.allows_everywhere(actor, Action.VIEW_INVOICE):
        return sections.order_by()
    reached = access.reach(actor, Action.VIEW_INVOICE).order_by().values("pk")
    return sections.filter(account__in=reached).order_by()


def invoices(
    actor: Actor,
    *,
    within: UUID | None = None,
    only: bool = False,
    bill_to: UUID | None = None,
    payer: UUID | None = None,
    status: str | None = None,
    run: UUID | None = None,
    currency: str | None = None,
    text: str | None = None,
    due_from: date | None = None,
    due_to: date | None = None,
    is_unpaid: bool = False,
    today: date,
) -> QuerySet[Invoice]:
    """Return invoices, unissued first, then the latest first. One statement.

    Each carries ``whole`` (whether the actor sees all of it) and ``shown_net_minor``,
    ``shown_tax_minor`` and ``shown_gross_minor``: the document's totals, or for a partial view the
    sums of the sections that are shown. ``shown_open_minor`` is what is owed on it, None for a
    partial view. Nothing else of a partial view's amounts may be shown.

    Args:
        actor: who asks.
        within: only those whose bill-to, payer or a section's account is this one or below it.
        only: with ``within``: this account alone, not what lies below.
        bill_to: only those addressed to this account.
        payer: only those collected from this account.
        status: a stored status, or ``overdue``, or ``due_soon`` (within seven days).
        run: only those of this billing run.
        currency: only those in this currency.
        text: only those whose number or bill-to's name contains it, in any case.
        due_from: only those due on this day or later.
        due_to: only those due on this day or earlier.
        is_unpaid: only issued ones of which something is owed.
        today: the date by which overdue and due soon are told.
    """
    found = _shown(actor, Invoice.objects.filter(visible_to(actor)))
    if within is not None:
        found = found.filter(_concerns(actor, within, only=only))
    exact = {"bill_to": bill_to, "payer": payer, "run": run, "currency": currency}
    found = found.filter(**{name: value for name, value in exact.items() if value is not None})
    if status is not None:
        found = found.filter(_has_status(status, today))
    if due_from is not None:
        found = found.filter(due_date__gte=due_from)
    if due_to is not None:
        found = found.filter(due_date__lte=due_to)
    if is_unpaid:
        found = found.filter(status__in=UNPAID)
    if text:
        # PostgreSQL has no NUL in text, so nothing can contain one.
        wanted = text.replace("\x00", "")
        found = found.filter(Q(number__icontains=wanted) | Q(bill_to__name__icontains=wanted))
    # In descending order PostgreSQL puts what has no issue date first.
    return found.order_by("-issue_date", "-id")


def status_sums(
    actor: Actor,
    *,
    within: UUID | None = None,
    only: bool = False,
    bill_to: UUID | None = None,
    payer: UUID | None = None,
    status: str | None = None,
    run: UUID | None = None,
    currency: str | None = None,
    text: str | None = None,
    today: date,
) -> list[StatusSum]:
    """Return count and sums of the same invoices by status and currency. One statement.

    Of partial views ``gross_minor`` counts what is shown, and ``open_minor`` nothing: nobody owes
    anything on a partial statement.
    """
    rows = (
        invoices(
            actor,
            within=within,
            only=only,
            bill_to=bill_to,
            payer=payer,
            status=status,
            run=run,
            currency=currency,
            text=text,
            today=today,
        )
        .order_by("status", "currency")
        .values("status", "currency")
        .annotate(
            count=Count("pk"),
            gross_sum=Sum("shown_gross_minor"),
            open_sum=Sum(
                F("gross_minor") - F("paid_minor"),
                filter=Q(whole=True, status__in=UNPAID),
                default=0,
            ),
        )
        .values_list("status", "currency", "count", "gross_sum", "open_sum")
    )
    return [StatusSum(*row) for row in rows]


def get_invoice(actor: Actor, invoice_id: UUID, *, lock: bool = False) -> Invoice:
    """Return one invoice with bill-to, payer and seller, annotated as in a list. One statement.

    Args:
        actor: who asks.
        invoice_id: which one.
        lock: keep its row from being changed by others until the transaction ends.

    Raises:
        NotFound: it does not exist, is out of sight or another tenant's.
    """
    found = _shown(actor, Invoice.objects.filter(visible_to(actor), pk=invoice_id))
    if lock:
        found = found.select_for_update(of=("self",))
    invoice = found.order_by("pk").first()
    if invoice is None:
        raise NotFound
    return invoice


def sees_whole(actor: Actor, invoice: Invoice) -> bool:
    """Return whether ``actor`` sees all of an invoice, not its own sections alone.

    No statement for those who see the whole tenant, one for others.
    """
    if access.allows_everywhere(actor, Action.VIEW_INVOICE):
        return invoice.tenant_id == actor.tenant_id
    return Invoice.objects.filter(visible_to(actor), _whole(actor), pk=invoice.pk).exists()


def sections_of(actor: Actor, invoice: Invoice) -> list[InvoiceSection]:
    """Return the sections in tree order with their accounts; of a partial view those in reach.

    One statement, one more for those who don't see the whole tenant.
    """
    return list(
        _parts(actor, invoice, InvoiceSection.objects.all(), "account")
        .select_related("account")
        .order_by("position", "id")
    )


def lines_of(actor: Actor, invoice: Invoice) -> list[InvoiceLine]:
    """Return the lines in order; of a partial view those of the sections in reach.

    One statement, one more for those who don't see the whole tenant.
    """
    return list(
        _parts(actor, invoice, InvoiceLine.objects.all(), "section__account").order_by(
            "position", "id"
        )
    )


def taxes_of(actor: Actor, invoice: Invoice) -> list[InvoiceTax]:
    """Return the tax groups; none for a partial view, because tax is the whole document's.

    One statement, one more for those who don't see the whole tenant.
    """
    if not sees_whole(actor, invoice):
        return []
    return list(
        InvoiceTax.objects.filter(tenant_id=actor.tenant_id, invoice=invoice).order_by(
            "category", "rate", "id"
        )
    )


def get_line(actor: Actor, line_id: UUID) -> InvoiceLine:
    """Return one line with its invoice, section, account, charge and subscription. One statement.

    Raises:
        NotFound: it does not exist, is out of sight or another tenant's.
    """
    line = (
        InvoiceLine.objects.filter(
            Q(invoice__in=Invoice.objects.filter(visible_to(actor), _whole(actor)).values("pk"))
            | Q(
                invoice__in=Invoice.objects.filter(visible_to(actor)).values("pk"),
                section__in=_own_sections(actor).values("pk"),
            ),
            tenant_id=actor.tenant_id,
            pk=line_id,
        )
        .select_related("invoice", "section__account", "charge", "subscription")
        .order_by("pk")
        .first()
    )
    if line is None:
        raise NotFound
    return line


def explanation(actor: Actor, line_id: UUID) -> Explanation:
    """Return how a line came about and, in the reader's language, why it stands here.

    One statement, one more for those who don't see the whole tenant.

    Raises:
        NotFound: the line does not exist, is out of sight or another tenant's.
    """
    line = get_line(actor, line_id)
    return explain(line.charge, whole=sees_whole(actor, line.invoice))


def _parts(actor: Actor, invoice: Invoice, parts: QuerySet[Any], account: str) -> QuerySet[Any]:
    parts = parts.filter(tenant_id=actor.tenant_id, invoice=invoice)
    if sees_whole(actor, invoice):
        return parts
    if not _sees_drafts(actor) and invoice.status in Invoice.UNISSUED:
        return parts.none()
    reached = access.reach(actor, Action.VIEW_INVOICE).order_by().values("pk")
    return parts.filter(**{f"{account}__in": reached})


def _shown(actor: Actor, found: QuerySet[Invoice]) -> QuerySet[Invoice]:
    """Add to each invoice whether it is seen whole, and the amounts that may be shown of it."""
    whole: Any
    if access.allows_everywhere(actor, Action.VIEW_INVOICE):
        whole = Value(True, output_field=BooleanField())
        amounts: dict[str, Any] = {
            f"shown_{name}": F(name) for name in ("net_minor", "tax_minor", "gross_minor")
        }
    else:
        whole = ExpressionWrapper(_whole(actor), output_field=BooleanField())
        amounts = {
            f"shown_{name}": _amount_in_reach(actor, name)
            for name in ("net_minor", "tax_minor", "gross_minor")
        }
    owed = Case(
        When(whole=True, status__in=UNPAID, then=F("gross_minor") - F("paid_minor")),
        When(whole=True, then=Value(0)),
        output_field=BigIntegerField(),
    )
    return (
        found.annotate(whole=whole)
        .annotate(**amounts, shown_open_minor=owed)
        .select_related("bill_to", "payer", "seller")
    )


def _amount_in_reach(actor: Actor, name: str) -> Case:
    sections = _own_sections(actor).filter(invoice=OuterRef("pk")).values("invoice")
    total = Subquery(
        sections.annotate(total=Sum(name)).values("total"), output_field=BigIntegerField()
    )
    return Case(When(whole=True, then=F(name)), default=total, output_field=BigIntegerField())


def _concerns(actor: Actor, account_id: UUID, *, only: bool) -> Q:
    """Return the condition on invoices that concern an account: as R23, for its subtree.

    Of an account that is out of sight nothing is told.
    """
    accounts = access.reach(actor, Action.VIEW_INVOICE).filter(pk=account_id)
    if not only:
        tops = accounts.order_by().values("pk")
        accounts = Account.objects.filter(tree.lies_below(actor.tenant_id, tops))
    ids = accounts.order_by().values("pk")
    sections = _own_sections(actor).filter(account__in=ids)
    return Q(bill_to__in=ids) | Q(payer__in=ids) | Q(pk__in=sections.values("invoice_id"))


def _has_status(status: str, today: date) -> Q:
    soon = today + timedelta(days=DUE_SOON_DAYS)
    if status == "overdue":
        return Q(status__in=UNPAID, due_date__lt=today)
    if status == "due_soon":
        return Q(status__in=UNPAID, due_date__gte=today, due_date__lte=soon)
    return Q(status=status)
