"""Pages that only the portal has."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_safe

from accounts.middleware import ActorRequest
from invoicing.queries.balances import to_pay
from invoicing.queries.invoice_states import is_in_time
from invoicing.queries.invoices import LATEST_FIRST, invoices
from invoicing.queries.visibility import paid_within
from portal.pools import has_pools
from portal.requests import waiting_count
from tenancy.actor import Actor
from web.badges import Badge, invoice_badge

LATEST = 5


@dataclass(frozen=True, slots=True)
class Amount:
    """Money of one currency, in minor units."""

    amount_minor: int
    currency: str


@dataclass(frozen=True, slots=True)
class InvoiceRow:
    """One of the latest invoices; ``is_whole`` where the reader may see all of it.

    Of an extract the amounts are those of the own part.
    """

    id: str
    number: str
    name: str
    issue_date: date
    net_minor: int
    gross_minor: int
    currency: str
    badge: Badge
    is_whole: bool


@require_safe
def overview(request: ActorRequest) -> HttpResponse:
    """Tell a customer what is owed and when; the vendor's own people have the dashboard.

    Its address stands behind the door that all pages share.
    Five statements beside those of the frame.
    """
    actor = request.actor
    if actor.staff_role is not None:
        return redirect("home")
    today = actor.today
    main = request.tenant.currency
    owed, shown = to_pay(actor, today=today), _latest(actor, today)
    context = {
        "open": _amounts(owed.own.tree_open, main),
        "overdue": _amounts(owed.own.tree_overdue, main),
        "paid_by_others": _amounts(owed.others.tree_open, main),
        "next_due": _next_due(actor, today),
        "latest": shown,
        # Others pay what a reader of extracts sees: "all paid" would be a guess about them.
        "requests": waiting_count(actor),
        "has_pools": has_pools(actor),
        "others_pay": bool(shown) and not any(row.is_whole for row in shown),
    }
    return render(request, "portal/overview.html", context)


def _amounts(sums: dict[str, int], main: str) -> list[Amount]:
    """Return what is owed in each currency, the vendor's main one first."""
    ordered = sorted(sums.items(), key=lambda pair: (pair[0] != main, pair[0]))
    return [Amount(amount, currency) for currency, amount in ordered]


def _next_due(actor: Actor, today: date) -> Any:
    """Return the invoice that this company is to pay next and that is not late yet."""
    waiting: Any = invoices(actor, today=today).filter(is_in_time(today))
    return waiting.filter(paid_within(actor)).order_by("due_date", "id").first()


def _latest(actor: Actor, today: date) -> Sequence[InvoiceRow]:
    found: Any = invoices(actor, today=today).select_related("bill_to").order_by(*LATEST_FIRST)
    return [_row(one, today) for one in found[:LATEST]]


def _row(invoice: Any, today: date) -> InvoiceRow:
    return InvoiceRow(
        id=invoice.public_id,
        number=invoice.number or "",
        name=invoice.recipient_name,
        issue_date=invoice.issue_date,
        net_minor=invoice.shown_net_minor,
        gross_minor=invoice.shown_gross_minor,
        currency=invoice.currency,
        badge=invoice_badge(invoice, today),
        is_whole=invoice.whole,
    )
