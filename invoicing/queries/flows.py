"""What issued documents say: for whom, to whom and from whom, as it was when they were issued."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from django.db.models import Count, Sum

from accounts import access, tree
from accounts.access import Action
from invoicing.models import Invoice, InvoiceSection
from tenancy.actor import Actor


@dataclass(frozen=True, slots=True)
class Billed:
    """What was invoiced for an account to a recipient, paid by a payer: net in minor units."""

    account_id: UUID
    bill_to_id: UUID
    payer_id: UUID
    currency: str
    net_minor: int
    documents: int


def billed_for(actor: Actor, top_id: UUID, after: date) -> Sequence[Billed]:
    """Return what was invoiced for an account and all that now lies below it. One statement.

    Args:
        actor: who asks.
        top_id: the top of the subtree.
        after: only documents issued later than this day.

    Raises:
        Forbidden: the actor may not see all invoices of the tenant.
    """
    access.require_everywhere(actor, Action.VIEW_INVOICE)
    rows = (
        InvoiceSection.objects.filter(
            tree.lies_below(actor.tenant_id, [top_id], "account_id"),
            tenant_id=actor.tenant_id,
            invoice__issue_date__gt=after,
        )
        .exclude(invoice__status__in=Invoice.UNISSUED)
        .order_by("account_id", "invoice__bill_to_id", "invoice__payer_id", "invoice__currency")
        .values_list("account_id", "invoice__bill_to_id", "invoice__payer_id", "invoice__currency")
        .annotate(Sum("net_minor"), Count("invoice", distinct=True))
    )
    return [Billed(*row) for row in rows]
