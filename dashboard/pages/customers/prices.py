"""What is negotiated with an account, itself or further up, and the way to negotiate more."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import date
from typing import Any, Final
from urllib.parse import urlencode
from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_safe

from accounts import access
from accounts.access import Action
from accounts.middleware import ActorRequest
from accounts.models import Account
from accounts.queries.paths import path_of
from subscriptions.models import Price
from subscriptions.queries.catalogue import get_price, prices
from subscriptions.queries.price_versions import lists_of, negotiated
from tenancy.formats import date_text
from tenancy.ids import key_of
from web.accounts import account_url, steps_to, tabs_of
from web.offering import cut_text
from web.prices import price_amount, price_rhythm
from web.session_checks import staff_only

ROWS: Final = 50
_MOST_PRICES: Final = 500


@dataclass(frozen=True, slots=True)
class NegotiatedRow:
    """A negotiated price, whose it is, and what everybody else has."""

    name: str
    url: str
    account: str
    account_url: str
    is_own: bool
    is_overridden: bool
    since: str
    until: str
    amount: str
    list_amount: str


@require_safe
@staff_only
def prices_page(request: ActorRequest, account_id: str) -> HttpResponse:
    """Show what is negotiated with an account. Seven statements beside those of the frame."""
    actor, key = request.actor, key_of("acc", account_id)
    path = path_of(actor, key)
    account = path[-1]
    may_edit = access.allows_everywhere(actor, Action.EDIT_CATALOGUE) and access.allows_everywhere(
        actor, Action.EDIT_SUBSCRIPTION
    )
    if may_edit and request.GET.get("price"):
        price = get_price(actor, request.GET["price"])
        address = reverse("catalogue:new_version", args=[price.public_id])
        return redirect(f"{address}?{urlencode({'account': account.public_id})}")
    text = request.GET.get("page", "")
    page = min(int(text), 10_000) if text.isascii() and text.isdecimal() and len(text) < 6 else 0
    found = list(negotiated(actor, account, on=actor.today)[page * ROWS : (page + 1) * ROWS + 1])
    context = {
        "account": account,
        "steps": steps_to(path),
        "tabs": tabs_of(key, "prices"),
        "rows": _rows(request, found[:ROWS], account),
        "more_url": f"{request.path}?page={page + 1}" if len(found) > ROWS else "",
        **(_offered(request) if may_edit else {}),
    }
    return render(request, "customers/prices.html", context)


def _offered(request: ActorRequest) -> dict[str, Any]:
    """Return the prices that can be negotiated, and that there are more where there are."""
    sold = prices(request.actor, is_sold=True).order_by("product__name", "name", "id")
    found = list(sold[: _MOST_PRICES + 1])
    choices = [
        (one.public_id, f"{one.product.name} · {one.name} · {price_amount(one)} · "
         f"{price_rhythm(one)} · {one.currency}")
        for one in found[:_MOST_PRICES]
    ]  # fmt: skip
    cut = cut_text(_MOST_PRICES) if len(found) > _MOST_PRICES else ""
    return {"offered": choices, "cut": cut}


def _rows(request: ActorRequest, found: list[Price], account: Account) -> list[NegotiatedRow]:
    if not found:
        return []
    key, today = account.pk, request.actor.today
    lists = lists_of(request.actor, account, found)
    held: dict[UUID, set[UUID]] = defaultdict(set)
    ends: dict[UUID, date | None] = {}
    everybody: dict[UUID, Price] = {}
    for family in {one.family_id for one in found}:
        for stretch in lists.at(key, family):
            held[family].add(stretch.value.pk)
        everybody[family] = lists.for_everybody(family, today)
        ends |= lists.ends(family)
    return [
        NegotiatedRow(
            name=one.name,
            url=reverse("catalogue:price", args=[one.public_id]),
            account=one.account.name if one.account else "",
            account_url=account_url(one.account_id, "prices") if one.account_id else "",
            is_own=one.account_id == key,
            is_overridden=one.pk not in held[one.family_id],
            since=date_text(one.valid_from) if one.valid_from else "",
            until=date_text(end) if (end := ends.get(one.pk)) else "",
            amount=price_amount(one),
            list_amount=price_amount(everybody[one.family_id]),
        )
        for one in found
    ]
