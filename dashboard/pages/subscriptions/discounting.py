"""Redeeming a coupon for a subscription on screen, giving it a discount, and ending one."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any
from uuid import UUID

from django import forms
from django.http import HttpResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods
from django.views.decorators.vary import vary_on_headers

from accounts.middleware import ActorRequest
from billing_rules.timelines import Stretch
from dashboard.pages.subscriptions.acting import (
    Act,
    changeable,
    currency_of,
    likely_days,
    particulars,
    perform,
    sent,
)
from dashboard.pages.subscriptions.when import INPUT, WhenForm, day_field
from invoicing.operations.subscriptions.discounting import (
    Discounted,
    discount_subscription,
    end_discount,
)
from subscriptions.operations.discounts.checking import WantedDiscount
from subscriptions.queries.discounts import get_discount
from subscriptions.queries.terms import ItemTerms
from tenancy.errors import NotFound
from tenancy.formats import date_text
from web.page_heads import Fact
from web.session_checks import staff_only
from web.templatetags.figures import money


class CouponForm(WhenForm):
    """Which coupon, and from when on."""

    coupon = forms.CharField(
        label=gettext_lazy("Code of the coupon"),
        max_length=250,
        widget=forms.TextInput(attrs={**INPUT, "autocomplete": "off"}),
    )


class OffForm(WhenForm):
    """What is taken off, from when on, until when and why."""

    name = forms.CharField(
        label=gettext_lazy("Name"),
        help_text=gettext_lazy("As it stands on documents."),
        max_length=200,
        widget=forms.TextInput(attrs={**INPUT, "autocomplete": "off"}),
    )
    percent = forms.DecimalField(
        label=gettext_lazy("Percent off"),
        help_text=gettext_lazy("Off the price of each full period. Or name an amount."),
        required=False,
        localize=True,
        max_digits=7,
        decimal_places=4,
        widget=forms.TextInput(attrs={**INPUT, "inputmode": "decimal", "autocomplete": "off"}),
    )
    amount = forms.DecimalField(
        label=gettext_lazy("Amount off"),
        help_text=gettext_lazy("Off each full period of each item, down to nothing at most."),
        required=False,
        localize=True,
        max_digits=20,
        decimal_places=8,
        widget=forms.TextInput(attrs={**INPUT, "inputmode": "decimal", "autocomplete": "off"}),
    )
    until = day_field(
        gettext_lazy("First day without the discount (optional)"),
        gettext_lazy("Left empty, it holds until somebody ends it."),
    )
    reason = forms.CharField(
        label=gettext_lazy("Reason"),
        help_text=gettext_lazy("For your own people; it stands on no document."),
        max_length=500,
        widget=forms.TextInput(attrs={**INPUT, "autocomplete": "off"}),
    )

    def wanted(self, currency: str) -> WantedDiscount:
        """Return the discount that the form describes."""
        chosen = self.cleaned_data
        return WantedDiscount(
            name=chosen["name"],
            percent=chosen["percent"],
            amount=chosen["amount"],
            currency=currency if chosen["amount"] is not None else "",
            until=chosen["until"],
            reason=chosen["reason"],
        )


@require_http_methods(["GET", "HEAD", "POST"])
@vary_on_headers("HX-Request")
@staff_only
def redeem(request: ActorRequest, subscription_id: str) -> HttpResponse:
    """Ask for the code of a coupon, and say what it comes to; POST redeems it."""
    actor = request.actor
    found = changeable(actor, subscription_id)
    days = likely_days(actor, found)
    form = CouponForm(sent(request), **days, initial=_first(days["period_end"]))

    def carry_out(given: WhenForm, is_dry_run: bool, seen: Callable[[], None]) -> Discounted:
        return discount_subscription(
            actor,
            found.pk,
            WantedDiscount(coupon=given.cleaned_data["coupon"]),
            day=given.first_day(actor.today),
            **particulars(actor, given, is_dry_run, seen),
        )

    act = Act(
        heading=_("Apply a coupon"),
        button=_("Redeem"),
        explanation=_(
            "The part of a period that begins on the first day counts as its first period. What"
            " was charged since is credited and charged anew. Documents that were issued stay as"
            " they are."
        ),
        done=_("The coupon is redeemed from %(date)s on."),
        carry_out=carry_out,
        facts=_facts,
    )
    return perform(request, found, form, act, fields=("coupon", "when", "day"))


@require_http_methods(["GET", "HEAD", "POST"])
@vary_on_headers("HX-Request")
@staff_only
def give(request: ActorRequest, subscription_id: str) -> HttpResponse:
    """Ask what is taken off and why, and say what it comes to; POST gives it."""
    actor = request.actor
    found = changeable(actor, subscription_id)
    days = likely_days(actor, found)
    form = OffForm(sent(request), **days, initial=_first(days["period_end"]))

    def carry_out(given: WhenForm, is_dry_run: bool, seen: Callable[[], None]) -> Discounted:
        assert isinstance(given, OffForm)  # noqa: S101 - for the checker of types
        return discount_subscription(
            actor,
            found.pk,
            given.wanted(currency_of(found)),
            day=given.first_day(actor.today),
            **particulars(actor, given, is_dry_run, seen),
        )

    act = Act(
        heading=_("Give a discount"),
        button=_("Give"),
        explanation=_(
            "What was charged for days since is credited and charged anew with the discount."
            " Documents that were issued stay as they are."
        ),
        done=_("The discount holds from %(date)s on."),
        carry_out=carry_out,
        facts=_facts,
    )
    fields = ("name", "percent", "amount", "when", "day", "until", "reason")
    return perform(request, found, form, act, fields=fields)


@require_http_methods(["GET", "HEAD", "POST"])
@vary_on_headers("HX-Request")
@staff_only
def end(request: ActorRequest, subscription_id: str, discount_id: str) -> HttpResponse:
    """Ask from when on a discount does not hold, and say what that comes to; POST ends it."""
    actor = request.actor
    found = changeable(actor, subscription_id)
    discount = get_discount(actor, discount_id)
    if discount.subscription_id != found.pk:
        raise NotFound
    days = likely_days(actor, found)
    form = WhenForm(sent(request), **days, initial=_first(days["period_end"]))

    def carry_out(given: WhenForm, is_dry_run: bool, seen: Callable[[], None]) -> Discounted:
        return end_discount(
            actor,
            discount.pk,
            day=given.first_day(actor.today),
            **particulars(actor, given, is_dry_run, seen),
        )

    act = Act(
        heading=_("End a discount"),
        button=_("End"),
        explanation=_(
            "What was charged with it for days since is credited and charged in full. One that has"
            " not begun never does. Documents that were issued stay as they are."
        ),
        done=_("The discount ends on %(date)s."),
        carry_out=carry_out,
        facts=_facts,
    )
    return perform(request, found, form, act, fields=("when", "day"))


def _first(period_end: object) -> dict[str, Any]:
    return {"when": "period_end" if period_end is not None else "now"}


def _facts(result: Discounted) -> list[Fact]:
    """Return what a discount, or its end, comes to in a month on its first day."""
    currency = currency_of(result.subscription) or next(
        (line[0].value.price.currency for line in result.after.values()), ""
    )
    before, after = (
        money(_monthly(lines, result), currency) for lines in (result.before, result.after)
    )
    facts = [
        Fact(_("Discount"), result.discount.name),
        Fact(_("First day"), date_text(result.day)),
        Fact(_("In a month before"), before),
        Fact(_("In a month afterwards"), after),
    ]
    if result.until is not None and result.until > result.day:
        facts.insert(2, Fact(_("First day without it"), date_text(result.until)))
    return facts


def _monthly(lines: Mapping[UUID, Sequence[Stretch[ItemTerms]]], result: Discounted) -> int:
    held = (one for line in lines.values() for one in line if one.holds_on(result.day))
    return sum(one.value.monthly_minor for one in held)
