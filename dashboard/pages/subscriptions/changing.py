"""Changing an item's price or quantity on screen, with what it comes to before anybody agrees."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Final

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods
from django.views.decorators.vary import vary_on_headers

from accounts import access
from accounts.access import Action
from accounts.middleware import ActorRequest
from accounts.versions import ChangedMeanwhile, version_of
from dashboard.pages.subscriptions.items import ItemForm
from dashboard.pages.subscriptions.made_good import made_good, refused
from dashboard.pages.subscriptions.page import steps_to
from dashboard.pages.subscriptions.when import start_ahead
from invoicing.operations.subscriptions.changing import Changed, change_subscription
from invoicing.operations.subscriptions.wanting import ItemChange
from invoicing.tasks import rewrite_soon
from subscriptions.models import Item, Subscription
from subscriptions.queries.catalogue import get_price
from subscriptions.queries.renewals import running_period_end
from subscriptions.queries.subscriptions import get_subscription
from tenancy.errors import Conflict, Invalid, NotFound
from tenancy.formats import date_text
from web.forms import version_seen, version_to_carry
from web.page_heads import Fact
from web.prices import price_in_words
from web.session_checks import staff_only
from web.templatetags.figures import money, quantity

_MOST_PRICES: Final = 1_000
_INPUT: Final = {"class": "input"}


@require_http_methods(["GET", "HEAD", "POST"])
@vary_on_headers("HX-Request")
@staff_only
def change_item(request: ActorRequest, subscription_id: str, item_id: str) -> HttpResponse:
    """Ask what becomes of an item, and say what that comes to; POST changes it."""
    actor = request.actor
    found = get_subscription(actor, subscription_id, today=actor.today)
    access.require(actor, Action.EDIT_SUBSCRIPTION, found.account)
    item = next((one for one in found.items.all() if one.public_id == item_id), None)
    if item is None:
        raise NotFound
    end = running_period_end(actor, found, actor.today)
    offered: Any = {
        "actor": actor,
        "currency": item.price.currency,
        "held": item.price.public_id,
        "account_id": found.account_id,
        "period_end": end,
        "begins": start_ahead(found, actor.today),
    }
    if request.method == "POST":
        form = ItemForm(request.POST, **offered)
        try:
            changed = _tried(request, found, item, form, is_dry_run=False)
        except ChangedMeanwhile:
            return _page(request, found, item, form, status=HTTPStatus.CONFLICT)
        if changed is not None:
            rewrite_soon(request.actor, changed.charges)
            text = _("It holds from %(date)s on.") % {"date": date_text(changed.day)}
            messages.success(request, text)
            return redirect("subscriptions:page", found.public_id)
        return _page(request, found, item, form, status=HTTPStatus.UNPROCESSABLE_ENTITY)
    if request.headers.get("HX-Request"):
        form = ItemForm(request.GET, **offered)
        changed = _tried(request, found, item, form, is_dry_run=True)
        return render(request, "subscriptions/_made_good.html", _preview(changed, form))
    initial = {
        "price": item.price.public_id,
        "quantity": item.quantity,
        "when": "now",
        "day": max(actor.today, found.start_date),
    }
    return _page(request, found, item, ItemForm(initial=initial, **offered))


def _tried(
    request: ActorRequest,
    found: Subscription,
    item: Item,
    form: ItemForm,
    *,
    is_dry_run: bool,
) -> Changed | None:
    """Change the item, or try to; what is refused stands at the fields."""
    if not form.is_valid():
        return None
    actor, chosen = request.actor, form.cleaned_data

    def require_seen() -> None:
        fresh = get_subscription(actor, found.public_id, today=actor.today)
        stored = next(one for one in fresh.items.all() if one.pk == item.pk)
        if not is_dry_run and version_seen(request) != version_of(_stored(stored)):
            raise ChangedMeanwhile

    try:
        return change_subscription(
            actor,
            found.pk,
            [
                ItemChange(
                    item.pk,
                    get_price(actor, chosen["price"]).pk,
                    chosen["quantity"],
                    is_exact=chosen.get("exact", False),
                )
            ],
            day=form.first_day(actor.today),
            is_billed_now=chosen["bill_now"],
            is_dry_run=is_dry_run,
            require_seen=require_seen,
            today=actor.today,
            now=timezone.now(),
        )
    except ChangedMeanwhile:
        raise
    except (Invalid, Conflict) as refusal:
        form.refuse(refusal)
    return None


def _stored(item: Item) -> Mapping[str, object]:
    """Return what a form was shown for."""
    return {
        "price": item.price_id,
        "quantity": item.quantity,
        "since": item.terms_since,
        "charged": item.chain_end,
    }


def _differing(form: ItemForm, item: Item) -> list[dict[str, str]]:
    """Return what the form would change of what somebody else has stored meanwhile."""
    words = dict(form.fields["price"].choices)  # type: ignore[attr-defined]
    rows = [
        (_("Price"), price_in_words(item.price), words.get(form["price"].value(), "–")),
        (_("Quantity"), quantity(item.quantity), str(form["quantity"].value())),
    ]
    return [
        {"label": label, "stored": stored, "mine": mine}
        for label, stored, mine in rows
        if stored != mine
    ]


def _preview(changed: Changed | None, form: ItemForm) -> dict[str, Any]:
    """Return what a change comes to, or why it can't be."""
    if changed is None:
        return refused(form)
    currency = next(iter(changed.after.values())).price.currency
    sums = [
        sum(one.monthly_minor for one in terms.values())
        for terms in (changed.before, changed.after)
    ]
    facts = [
        Fact(_("Holds from"), date_text(changed.day)),
        Fact(_("MRR until then"), money(sums[0], currency)),
        Fact(_("MRR since then"), money(sums[1], currency)),
    ]
    return made_good(facts, changed.charges, currency)


def _page(
    request: ActorRequest,
    found: Subscription,
    item: Item,
    form: ItemForm,
    *,
    status: HTTPStatus = HTTPStatus.OK,
) -> HttpResponse:
    context = {
        "form": form,
        "version": version_to_carry(request, _stored(item), status=status),
        "conflict": _differing(form, item) if status == HTTPStatus.CONFLICT else None,
        "name": item.price.name,
        "steps": steps_to(found, _("Change")),
        "subscription_id": found.public_id,
        "item_id": item.public_id,
        "scope_name": found.account.name,
    }
    return render(request, "subscriptions/change.html", context, status=status)
