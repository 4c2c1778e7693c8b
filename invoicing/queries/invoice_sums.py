"""What the invoices of a list add up to."""

from dataclasses import dataclass
from datetime import date

from django.db.models import Count, F, Q, QuerySet, Sum

from invoicing.models import Invoice
from invoicing.queries.invoice_states import urgency
from tenancy.actor import Actor


@dataclass(frozen=True, slots=True)
class StatusSum:
    """What the invoices of one status and currency add up to, in minor units."""

    status: str
    currency: str
    count: int
    gross_minor: int
    open_minor: int


@dataclass(frozen=True, slots=True)
class InvoiceSum:
    """What the invoices of one status, urgency and currency add up to, in minor units.

    ``urgency`` is ``overdue``, ``due_soon`` or empty. ``whole_count`` leaves out extracts, whose
    status is empty.
    """

    status: str
    urgency: str
    currency: str
    count: int
    net_minor: int
    gross_minor: int
    open_minor: int
    whole_count: int


def status_sums(actor: Actor, found: QuerySet[Invoice]) -> list[StatusSum]:
    """Return count and sums of invoices that ``invoices`` found, by status and currency.

    One statement. Of extracts gross counts what is shown, open counts nothing, and the status is
    empty.
    """
    key = ("shown_status", "currency")
    rows = (
        found.filter(tenant_id=actor.tenant_id)
        .annotate(shown_status=F("shown_status"))
        .order_by(*key)
        .values(*key)
        .annotate(
            count=Count("pk"),
            gross_sum=Sum("shown_gross_minor"),
            open_sum=Sum("shown_open_minor", default=0),
        )
        .values_list(*key, "count", "gross_sum", "open_sum")
    )
    return [StatusSum(*row) for row in rows]


def invoice_sums(actor: Actor, found: QuerySet[Invoice], *, today: date) -> list[InvoiceSum]:
    """Return count and sums of invoices that ``invoices`` found. One statement.

    Of extracts net and gross count what is shown, and open counts nothing: nobody owes
    anything on a partial statement.
    """
    key = ("shown_status", "urgency", "currency")
    rows = (
        found.filter(tenant_id=actor.tenant_id)
        .annotate(urgency=urgency(today), shown_status=F("shown_status"))
        .order_by(*key)
        .values(*key)
        .annotate(
            count=Count("pk"),
            net_sum=Sum("shown_net_minor"),
            gross_sum=Sum("shown_gross_minor"),
            open_sum=Sum("shown_open_minor", default=0),
            whole_count=Count("pk", filter=Q(whole=True)),
        )
        .values_list(*key, "count", "net_sum", "gross_sum", "open_sum", "whole_count")
    )
    return [InvoiceSum(*row) for row in rows]
