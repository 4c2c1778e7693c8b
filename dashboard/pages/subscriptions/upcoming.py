"""The next invoices of a subscription: a part of its page, computed once that is there."""

from dataclasses import dataclass
from typing import Final

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_safe
from django.views.decorators.vary import vary_on_headers

from accounts.middleware import ActorRequest
from invoicing.queries.next_invoices import NextInvoice, next_invoices
from subscriptions.queries.subscriptions import get_subscription
from tenancy.formats import date_text
from web.accounts import account_url
from web.requests import wants_fragment
from web.session_checks import staff_only
from web.templatetags.figures import money

_SHOWN: Final = 3


@dataclass(frozen=True, slots=True)
class InvoiceRow:
    """An invoice to come, in words."""

    day: str
    bill_to: str
    url: str
    lines: int
    net: str


@require_safe
@vary_on_headers("HX-Request")
@staff_only
def next_three(request: ActorRequest, subscription_id: str) -> HttpResponse:
    """Show the next three invoices. At most eighteen statements beside those of the frame."""
    actor = request.actor
    found = get_subscription(actor, subscription_id, today=actor.today)
    if not wants_fragment(request):
        return redirect("subscriptions:page", found.public_id)
    coming = next_invoices(actor, found, most=_SHOWN, tenant=request.tenant)
    context = {
        "invoices": [_row(one) for one in coming.invoices],
        "is_too_large": coming.is_too_large,
        "is_metered": any(item.price.is_metered for item in found.items.all()),
        "upcoming_url": account_url(found.account_id, "upcoming"),
    }
    return render(request, "subscriptions/_next.html", context)


def _row(one: NextInvoice) -> InvoiceRow:
    return InvoiceRow(
        day=date_text(one.day),
        bill_to=one.bill_to.name,
        url=account_url(one.bill_to.pk),
        lines=one.lines,
        net=money(one.net_minor, one.currency),
    )
