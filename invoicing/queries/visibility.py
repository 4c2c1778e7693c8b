"""What of an invoice somebody sees: all of it, some of its sections, or nothing.

Whoever reaches the bill-to or the payer sees an invoice whole; who reaches only the account of a
section sees that section, as an extract (R23). A customer's people see no drafts.

What an extract leaves out (R31) is decided here and nowhere else: ``with_shown_amounts`` adds the
fields by which lists are filtered and sorted, as far as they may be known, and hands out invoices
without the rest.
"""

from collections.abc import Iterator
from typing import Any, Final
from uuid import UUID

from django.db.models import (
    BigIntegerField,
    BooleanField,
    Case,
    CharField,
    DateField,
    ExpressionWrapper,
    F,
    Max,
    Min,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Sum,
    Value,
    When,
)
from django.db.models.fields.json import KeyTextTransform, KeyTransform
from django.db.models.functions import Coalesce
from django.db.models.query import ModelIterable

from accounts import access
from accounts.access import Action
from accounts.models import Account
from invoicing.models import Invoice, InvoiceLine, InvoiceSection
from invoicing.queries.invoice_states import owed
from tenancy.actor import Actor
from tenancy.ids import parse_public_id, public_id

_AMOUNTS = ("net_minor", "tax_minor", "gross_minor")
_WITHHELD: Final = ("due_date", "payer_id", "run_id")
"""Of an extract these are NULL, so that no filter finds it by them and no order tells of them."""

_TO_FILTER_BY: Final = ("shown_status", "shown_po_number", "shown_payer_id", "shown_run_id")
"""What rows need not carry: each costs the question once more whether they are seen whole."""


class _ExtractedRows(ModelIterable):  # type: ignore[type-arg]
    """Rows of which an extract has no more than it may show (R31)."""

    def __iter__(self) -> Iterator[Invoice]:
        for invoice in super().__iter__():
            if not invoice.whole:
                _withhold(invoice)
            yield invoice


class ShownInvoices(QuerySet[Invoice]):
    """Invoices as somebody may see them. Reading values has no such guard: name shown fields."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Read rows through the guard."""
        super().__init__(*args, **kwargs)
        self._iterable_class = _ExtractedRows


def visible_to(actor: Actor) -> Q:
    """Return the condition on invoices that ``actor`` may see at least one section of (R23)."""
    visible = Q(tenant_id=actor.tenant_id)
    if not sees_drafts(actor):
        visible &= ~Q(status__in=Invoice.UNISSUED)
    if access.allows_everywhere(actor, Action.VIEW_INVOICE):
        return visible
    return visible & (seen_whole(actor) | Q(pk__in=sections_in_reach(actor).values("invoice_id")))


def sees_drafts(actor: Actor) -> bool:
    """Return whether drafts are shown: they are the tenant's, not yet the customer's."""
    return actor.kind != "person" or actor.staff_role is not None


def seen_whole(actor: Actor) -> Q:
    """Return the condition on invoices that ``actor`` may see whole."""
    if access.allows_everywhere(actor, Action.VIEW_INVOICE):
        return Q(tenant_id=actor.tenant_id)
    reached = access.reach(actor, Action.VIEW_INVOICE).order_by().values("pk")
    return Q(bill_to__in=reached) | Q(payer__in=reached)


def paid_within(actor: Actor) -> Q:
    """Return the condition on invoices that are collected from an account in reach."""
    reached = access.reach(actor, Action.VIEW_INVOICE).order_by().values("pk")
    return Q(payer__in=reached)


def sections_in_reach(actor: Actor) -> QuerySet[InvoiceSection]:
    """Return the sections of accounts in reach."""
    sections = InvoiceSection.objects.filter(tenant_id=actor.tenant_id)
    if access.allows_everywhere(actor, Action.VIEW_INVOICE):
        return sections.order_by()
    reached = access.reach(actor, Action.VIEW_INVOICE).order_by().values("pk")
    return sections.filter(account__in=reached).order_by()


def known_references(actor: Actor, wanted: set[str]) -> set[str]:
    """Return those of some account ids (``acc_…``) that the actor may be told the name of.

    No statement for those who see the whole tenant, one at most for others.
    """
    if not wanted or access.allows_everywhere(actor, Action.VIEW_INVOICE):
        return wanted
    ids = {key for text in wanted if (key := parse_public_id("acc", text)) is not None}
    reached = access.reach(actor, Action.VIEW_INVOICE).order_by().filter(pk__in=ids)
    return {public_id("acc", key) for key in reached.values_list("pk", flat=True)}


def sees_whole(actor: Actor, invoice: Invoice) -> bool:
    """Return whether ``actor`` sees all of an invoice, not its own sections alone.

    No statement for those who see the whole tenant, one for others.
    """
    if access.allows_everywhere(actor, Action.VIEW_INVOICE):
        return invoice.tenant_id == actor.tenant_id
    return Invoice.objects.filter(visible_to(actor), seen_whole(actor), pk=invoice.pk).exists()


def reaches(actor: Actor, account_id: UUID) -> bool:
    """Return whether ``actor`` may see the invoices of an account.

    No statement for those who see the whole tenant, one for others.
    """
    if access.allows_everywhere(actor, Action.VIEW_INVOICE):
        return True
    return access.reach(actor, Action.VIEW_INVOICE).filter(pk=account_id).exists()


def with_shown_amounts(actor: Actor, wanted: Q) -> QuerySet[Invoice]:
    """Return invoices with what may be shown of them, and without the rest.

    Each carries ``whole``, ``shown_net_minor``, ``shown_tax_minor``, ``shown_gross_minor`` and
    ``shown_period_start`` and ``shown_period_end``: the document's, or those of the sections that
    are shown; ``shown_due_date`` and ``shown_open_minor`` (NULL for an extract);
    ``recipient_name`` as frozen on the document (its ``recipient_key`` orders by it).
    Filters find ``shown_status`` and ``shown_po_number`` (empty for an extract),
    ``shown_payer_id`` and ``shown_run_id`` (NULL) as well.

    Args:
        actor: who asks.
        wanted: the condition on invoices, those out of sight left out already.
    """
    is_all = access.allows_everywhere(actor, Action.VIEW_INVOICE)
    whole: Any = (
        Value(True, output_field=BooleanField())
        if is_all
        else ExpressionWrapper(seen_whole(actor), output_field=BooleanField())
    )
    shown = _whole_fields() if is_all else _extract_fields(actor)
    to_filter = {name: shown.pop(name) for name in _TO_FILTER_BY}
    frozen = KeyTextTransform("name", KeyTransform("bill_to", "snapshot"))
    return (
        ShownInvoices(Invoice)
        .filter(wanted)
        .annotate(whole=whole)
        .alias(**to_filter)
        .annotate(**shown, shown_open_minor=owed())
        .annotate(recipient_name=Coalesce(frozen, F("bill_to__name"), output_field=CharField()))
        .select_related("bill_to", "payer", "seller")
        .defer("search_names", "search_facts")
    )


def _withhold(invoice: Any) -> None:
    """Leave of an invoice what an extract may show: number, day, recipient's name, own part (R31).

    What may be kept is named here; every other field is emptied.
    """
    recipient = str(invoice.recipient_name)
    seller = invoice.snapshot.get("seller")
    kept = {"id", "tenant", "seller", "series_year", "series_number", "number", "issue_date"}
    kept |= {"kind", "corrects", "currency", "created_at", "issued_at", "bill_to", "recipient_key"}
    stand_in = Account(id=invoice.bill_to_id, tenant_id=invoice.tenant_id, name=recipient)
    for one in Invoice._meta.concrete_fields:
        if one.name not in kept:
            setattr(invoice, one.name, "" if one.get_internal_type() == "CharField" else None)
    invoice.bill_to = stand_in
    invoice.snapshot = {
        "bill_to": {"name": recipient},
        "seller": {"name": seller.get("name", "")} if isinstance(seller, dict) else {},
    }
    for name in ("period_start", "period_end", *_AMOUNTS):
        setattr(invoice, name, getattr(invoice, f"shown_{name}"))


def _whole_fields() -> dict[str, Any]:
    names = (*_AMOUNTS, "period_start", "period_end", "status", "po_number", *_WITHHELD)
    return {f"shown_{name}": F(name) for name in names}


def _extract_fields(actor: Actor) -> dict[str, Any]:
    sections = sections_in_reach(actor).filter(invoice=OuterRef("pk"))
    lines = InvoiceLine.objects.filter(
        tenant_id=actor.tenant_id,
        invoice=OuterRef("pk"),
        section__in=sections_in_reach(actor).values("pk"),
    ).order_by()

    def own(rows: QuerySet[Any], what: Any, kind: Any, name: str) -> Case:
        total = rows.values("invoice").annotate(own=what).values("own")
        part = Subquery(total, output_field=kind)
        return Case(When(whole=True, then=F(name)), default=part, output_field=kind)

    return {
        **{f"shown_{name}": own(sections, Sum(name), BigIntegerField(), name) for name in _AMOUNTS},
        "shown_period_start": own(lines, Min("period_start"), DateField(), "period_start"),
        "shown_period_end": own(lines, Max("period_end"), DateField(), "period_end"),
        **{
            f"shown_{name}": Case(
                When(whole=True, then=F(name)), default=Value(""), output_field=CharField()
            )
            for name in ("status", "po_number")
        },
        **{f"shown_{name}": Case(When(whole=True, then=F(name))) for name in _WITHHELD},
    }
