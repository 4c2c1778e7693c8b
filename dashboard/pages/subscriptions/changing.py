"""Changing an item's price or quantity on screen, with what it comes to before anybody agrees."""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from http import HTTPStatus
from typing import Any, Final

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods
from django.views.decorators.vary import vary_on_headers

from accounts import access
from accounts.access import Action
from accounts.middleware import ActorRequest
from accounts.versions import ChangedMeanwhile, version_of
from dashboard.pages.subscriptions.made_good import made_good, refused
from dashboard.pages.subscriptions.page import steps_to
from invoicing.operations.subscriptions.changing import Changed, change_subscription
from invoicing.operations.subscriptions.wanting import ItemChange
from subscriptions.models import Item, Subscription
from subscriptions.models.limits import QUANTITY_DECIMALS, QUANTITY_DIGITS
from subscriptions.queries.catalogue import get_price, prices
from subscriptions.queries.renewals import running_period_end
from subscriptions.queries.subscriptions import get_subscription
from tenancy.actor import Actor
from tenancy.errors import Conflict, Invalid, NotFound
from tenancy.formats import date_text
from web.forms import version_seen, version_to_carry
from web.page_heads import Fact
from web.prices import price_in_words
from web.session_checks import staff_only
from web.templatetags.figures import money, quantity

_MOST_PRICES: Final = 1_000
_INPUT: Final = {"class": "input"}


class ChangeForm(forms.Form):
    """Another price or quantity, and since when."""

    price = forms.ChoiceField(label=gettext_lazy("Price"), widget=forms.Select(attrs=_INPUT))
    quantity = forms.DecimalField(
        label=gettext_lazy("Quantity"),
        min_value=Decimal(0),
        max_digits=QUANTITY_DIGITS + QUANTITY_DECIMALS,
        decimal_places=QUANTITY_DECIMALS,
        localize=True,
        widget=forms.TextInput(attrs={**_INPUT, "inputmode": "decimal"}),
    )
    when = forms.ChoiceField(
        label=gettext_lazy("From when on?"), widget=forms.Select(attrs=_INPUT), initial="now"
    )
    day = forms.DateField(
        label=gettext_lazy("First day"),
        help_text=gettext_lazy("A day in the past corrects a mistake."),
        required=False,
        widget=forms.DateInput(attrs={**_INPUT, "type": "date"}, format="%Y-%m-%d"),
    )
    bill_now = forms.BooleanField(
        label=gettext_lazy("Invoice it at once"),
        help_text=gettext_lazy("Otherwise it waits for the recipient's billing day."),
        required=False,
    )

    def __init__(
        self, *args: Any, actor: Actor, item: Item, period_end: str, **kwargs: Any
    ) -> None:
        """Offer the prices that are charged at the same times. One statement."""
        super().__init__(*args, **kwargs)
        now = item.price
        offered = prices(actor).filter(
            currency=now.currency,
            interval=now.interval,
            interval_count=now.interval_count,
            timing=now.timing,
        )
        found = offered.order_by("product__name", "name", "id")[:_MOST_PRICES]
        _choices(self, "price", [(one.public_id, price_in_words(one)) for one in found])
        days = [
            ("now", _("Today")),
            ("period_end", _("From the next period on, %(date)s") % {"date": period_end}),
            ("day", _("On another day")),
        ]
        _choices(self, "when", days)

    def clean(self) -> dict[str, Any]:
        """Ask for the day where one was chosen."""
        values = super().clean() or {}
        if values.get("when") == "day" and not values.get("day") and "day" not in self.errors:
            self.add_error("day", _("Please name the day."))
        return values


def _choices(form: forms.Form, name: str, choices: list[tuple[str, str]]) -> None:
    field = form.fields[name]
    assert isinstance(field, forms.ChoiceField)  # noqa: S101 - for the checker of types
    field.choices = choices


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
    offered: Any = {"actor": actor, "item": item, "period_end": date_text(end) if end else ""}
    if request.method == "POST":
        form = ChangeForm(request.POST, **offered)
        try:
            changed = _tried(request, found, item, form, is_dry_run=False)
        except ChangedMeanwhile:
            return _page(request, found, item, form, status=HTTPStatus.CONFLICT)
        if changed is not None:
            text = _("It holds from %(date)s on.") % {"date": date_text(changed.day)}
            messages.success(request, text)
            return redirect("subscriptions:page", found.public_id)
        return _page(request, found, item, form, status=HTTPStatus.UNPROCESSABLE_ENTITY)
    if request.headers.get("HX-Request"):
        form = ChangeForm(request.GET, **offered)
        changed = _tried(request, found, item, form, is_dry_run=True)
        return render(request, "subscriptions/_made_good.html", _preview(changed, form))
    has_begun = found.start_date <= actor.today
    initial = {
        "price": item.price.public_id,
        "quantity": item.quantity,
        "when": "now" if has_begun else "day",
        "day": max(actor.today, found.start_date),
    }
    return _page(request, found, item, ChangeForm(initial=initial, **offered))


def _tried(
    request: ActorRequest,
    found: Subscription,
    item: Item,
    form: ChangeForm,
    *,
    is_dry_run: bool,
) -> Changed | None:
    """Change the item, or try to; what is refused stands at the fields."""
    if not form.is_valid():
        return None
    actor, chosen = request.actor, form.cleaned_data
    days: dict[str, date | None] = {
        "now": actor.today, "period_end": None, "day": chosen["day"]
    }  # fmt: skip

    def require_seen() -> None:
        fresh = get_subscription(actor, found.public_id, today=actor.today)
        stored = next(one for one in fresh.items.all() if one.pk == item.pk)
        if not is_dry_run and version_seen(request) != version_of(_stored(stored)):
            raise ChangedMeanwhile

    try:
        return change_subscription(
            actor,
            found.pk,
            [ItemChange(item.pk, get_price(actor, chosen["price"]).pk, chosen["quantity"])],
            day=days[chosen["when"]],
            is_billed_now=chosen["bill_now"],
            is_dry_run=is_dry_run,
            require_seen=require_seen,
            today=actor.today,
            now=timezone.now(),
        )
    except ChangedMeanwhile:
        raise
    except (Invalid, Conflict) as refusal:
        for error in refusal.errors:
            name = error.pointer.rpartition("/")[2]
            form.add_error(name if name in form.fields else None, error.detail)
        if not refusal.errors:
            form.add_error(None, refusal.detail)
    return None


def _stored(item: Item) -> Mapping[str, object]:
    """Return what a form was shown for."""
    return {
        "price": item.price_id,
        "quantity": item.quantity,
        "since": item.terms_since,
        "charged": item.chain_end,
    }


def _differing(form: ChangeForm, item: Item) -> list[dict[str, str]]:
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


def _preview(changed: Changed | None, form: ChangeForm) -> dict[str, Any]:
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
    form: ChangeForm,
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
