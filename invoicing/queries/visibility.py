"""What of an invoice somebody sees: all of it, some of its sections, or nothing.

Whoever reaches the bill-to or the payer sees an invoice whole; who reaches only the account of a
section sees that section, as a partial statement (R23). A customer's people see no drafts.
"""

from typing import Any
from uuid import UUID

from django.db.models import (
    BigIntegerField,
    BooleanField,
    Case,
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

from accounts import access
from accounts.access import Action
from accounts.actor import Actor
from invoicing.models import Invoice, InvoiceSection

_AMOUNTS = ("net_minor", "tax_minor", "gross_minor")


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


def sections_in_reach(actor: Actor) -> QuerySet[InvoiceSection]:
    """Return the sections of accounts in reach."""
    sections = InvoiceSection.objects.filter(tenant_id=actor.tenant_id)
    if access.allows_everywhere(actor, Action.VIEW_INVOICE):
        return sections.order_by()
    reached = access.reach(actor, Action.VIEW_INVOICE).order_by().values("pk")
    return sections.filter(account__in=reached).order_by()


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


def with_shown_amounts(actor: Actor, found: QuerySet[Invoice]) -> QuerySet[Invoice]:
    """Add to each invoice whether it is seen whole, and the amounts that may be shown of it."""
    whole: Any
    if access.allows_everywhere(actor, Action.VIEW_INVOICE):
        whole = Value(True, output_field=BooleanField())
        amounts: dict[str, Any] = {f"shown_{name}": F(name) for name in _AMOUNTS}
    else:
        whole = ExpressionWrapper(seen_whole(actor), output_field=BooleanField())
        amounts = {f"shown_{name}": _amount_in_reach(actor, name) for name in _AMOUNTS}
    owed = Case(
        When(whole=True, status__in=Invoice.UNPAID, then=F("gross_minor") - F("paid_minor")),
        When(whole=True, then=Value(0)),
        output_field=BigIntegerField(),
    )
    return (
        found.annotate(whole=whole)
        .annotate(**amounts, shown_open_minor=owed)
        .select_related("bill_to", "payer", "seller")
    )


def _amount_in_reach(actor: Actor, name: str) -> Case:
    sections = sections_in_reach(actor).filter(invoice=OuterRef("pk")).values("invoice")
    total = Subquery(
        sections.annotate(total=Sum(name)).values("total"), output_field=BigIntegerField()
    )
    return Case(When(whole=True, then=F(name)), default=total, output_field=BigIntegerField())
