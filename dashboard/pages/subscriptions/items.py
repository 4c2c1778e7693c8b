"""Items that come into a subscription, and items that go, on screen."""

from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

from django import forms
from django.http import HttpResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods
from django.views.decorators.vary import vary_on_headers

from accounts.middleware import ActorRequest
from dashboard.pages.subscriptions.acting import (
    Act,
    changeable,
    currency_of,
    likely_days,
    particulars,
    perform,
    sent,
)
from dashboard.pages.subscriptions.exact import ExactFields
from dashboard.pages.subscriptions.when import INPUT, WhenForm, choose
from invoicing.operations.subscriptions.changing import Changed, change_subscription
from invoicing.operations.subscriptions.wanting import ItemAddition, ItemChange
from subscriptions.models import Subscription
from subscriptions.models.limits import QUANTITY_DECIMALS, QUANTITY_DIGITS
from subscriptions.queries.catalogue import get_price, prices
from tenancy.actor import Actor
from tenancy.errors import NotFound
from tenancy.formats import date_text
from tenancy.ids import key_of
from web.offering import offered
from web.page_heads import Fact
from web.prices import price_in_words
from web.session_checks import staff_only
from web.templatetags.figures import money

_MOST_PRICES: Final = 1_000


def offered_prices(
    actor: Actor, field: forms.Field, currency: str, held: str = ""
) -> list[tuple[str, str]]:
    """Return the prices of a currency that are sold as choices, by product. One statement.

    Args:
        actor: who chooses.
        field: which offers them; it says so where there are more.
        currency: theirs.
        held: the id of one that stays possible though it is archived, or negotiated.
    """
    held_id = key_of("prc", held) if held else None
    sold = prices(actor, currency=currency, is_sold=True, held=held_id)
    found = offered(field, sold.order_by("product__name", "name", "id"), _MOST_PRICES)
    return [(one.public_id, price_in_words(one)) for one in found]


class ItemForm(ExactFields, WhenForm):
    """A price and how much of it, and since when."""

    price = forms.ChoiceField(label=gettext_lazy("Price"), widget=forms.Select(attrs=INPUT))
    quantity = forms.DecimalField(
        label=gettext_lazy("Quantity"),
        min_value=Decimal(0),
        max_digits=QUANTITY_DIGITS + QUANTITY_DECIMALS,
        decimal_places=QUANTITY_DECIMALS,
        localize=True,
        initial=1,
        widget=forms.TextInput(attrs={**INPUT, "inputmode": "decimal"}),
    )

    def __init__(
        self,
        *args: Any,
        actor: Actor,
        currency: str,
        account_id: UUID,
        held: str = "",
        **kwargs: Any,
    ) -> None:
        """Offer the prices of a currency, also the one that is ``held``. Three statements."""
        super().__init__(*args, **kwargs)
        choose(self, "price", offered_prices(actor, self.fields["price"], currency, held))
        self.offer_versions(actor, currency, account_id)


@require_http_methods(["GET", "HEAD", "POST"])
@vary_on_headers("HX-Request")
@staff_only
def add_item(request: ActorRequest, subscription_id: str) -> HttpResponse:
    """Ask what comes into a subscription, and say what that comes to; POST adds it."""
    actor = request.actor
    found = changeable(actor, subscription_id)
    form = ItemForm(
        sent(request),
        actor=actor,
        currency=currency_of(found),
        account_id=found.account_id,
        **likely_days(actor, found),
    )

    def carry_out(given: WhenForm, is_dry_run: bool, seen: Callable[[], None]) -> Changed:
        chosen = given.cleaned_data
        addition = ItemAddition(
            get_price(actor, chosen["price"]).pk, chosen["quantity"], chosen.get("exact", False)
        )
        return _change(actor, found, [addition], given, is_dry_run, seen)

    act = Act(
        heading=_("Add an item"),
        button=_("Add it"),
        explanation=_(
            "What is left of the running period is charged at the same fraction, then whole"
            " periods. Documents that were issued stay as they are."
        ),
        done=_("It is part of the subscription from %(date)s on."),
        carry_out=carry_out,
        facts=lambda result: _facts(found, result),
    )
    asked = ("price", *form.asked_for_version, "quantity", "when", "day")
    return perform(request, found, form, act, fields=asked)


@require_http_methods(["GET", "HEAD", "POST"])
@vary_on_headers("HX-Request")
@staff_only
def remove_item(request: ActorRequest, subscription_id: str, item_id: str) -> HttpResponse:
    """Ask from when on an item is no longer had, and say what that comes to; POST removes it."""
    actor = request.actor
    found = changeable(actor, subscription_id)
    item = next((one for one in found.items.all() if one.public_id == item_id), None)
    if item is None:
        raise NotFound
    item_key = item.pk
    form = WhenForm(
        sent(request),
        **likely_days(actor, found),
        initial={"when": "period_end"},
    )

    def carry_out(given: WhenForm, is_dry_run: bool, seen: Callable[[], None]) -> Changed:
        removal = ItemChange(item_key, is_removed=True)
        return _change(actor, found, [removal], given, is_dry_run, seen)

    act = Act(
        heading=_("Remove “%(name)s”") % {"name": item.price.name},
        button=_("Remove it"),
        explanation=_(
            "What was charged for days since is credited. The other items stay as they are."
        ),
        done=_("It is no longer part of the subscription from %(date)s on."),
        carry_out=carry_out,
        facts=lambda result: _facts(found, result),
    )
    return perform(request, found, form, act, fields=("when", "day"))


def _change(
    actor: Actor,
    found: Subscription,
    changes: Sequence[ItemChange | ItemAddition],
    given: WhenForm,
    is_dry_run: bool,
    seen: Callable[[], None],
) -> Changed:
    return change_subscription(
        actor,
        found.pk,
        changes,
        day=given.first_day(actor.today),
        **particulars(actor, given, is_dry_run, seen),
    )


def _facts(found: Subscription, result: Changed) -> list[Fact]:
    currency = currency_of(found)
    before, after = (
        sum(one.monthly_minor for one in terms.values()) for terms in (result.before, result.after)
    )
    return [
        Fact(_("Holds from"), date_text(result.day)),
        Fact(_("MRR of these items until then"), money(before, currency)),
        Fact(_("MRR of these items since then"), money(after, currency)),
    ]
