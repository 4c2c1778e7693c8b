"""What happened to an account, its people, its subscriptions and its invoices."""

from typing import Final

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from accounts.middleware import ActorRequest
from accounts.queries.paths import path_of
from invoicing.queries.invoices import invoices
from subscriptions.queries.items import items_of
from tenancy.ids import key_of
from web.accounts import steps_to, tabs_of
from web.session_checks import staff_only
from web.timeline import timeline_of

_MOST: Final = 50


@require_safe
@staff_only
def history_page(request: ActorRequest, account_id: str) -> HttpResponse:
    """Show the audit trail of an account. Four statements beside those of the frame."""
    actor, key = request.actor, key_of("acc", account_id)
    path = path_of(actor, key)
    items = items_of(actor, key, actor.today, limit=_MOST)
    latest = invoices(actor, bill_to=key, today=actor.today)[:_MOST]
    ids = [key, *(item.subscription_id for item in items), *(one.pk for one in latest)]
    context = {
        "account": path[-1],
        "steps": steps_to(path),
        "tabs": tabs_of(key, "history"),
        "timeline": timeline_of(actor, *ids, people_of=key),
        "time_zone": request.tenant.time_zone,
        "scope_name": path[-1].name,
    }
    return render(request, "customers/history.html", context)
