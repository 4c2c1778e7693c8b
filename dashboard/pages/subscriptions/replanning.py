"""Giving a subscription another plan on screen, with what that comes to."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from http import HTTPStatus
from typing import Any, Final
from uuid import UUID

from django import forms
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
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
from dashboard.pages.subscriptions.page import steps_to
from dashboard.pages.subscriptions.plan_items import PlanItemFields
from dashboard.pages.subscriptions.when import WhenForm
from invoicing.operations.subscriptions.changing import Changed
from invoicing.operations.subscriptions.replanning import change_plan
from subscriptions.models import Plan, Subscription, Uncharged
from subscriptions.queries.plans import Variant, plans, variants_of
from tenancy.actor import Actor
from tenancy.errors import BillingError
from tenancy.formats import date_text
from web.offering import cut_text
from web.page_heads import Fact
from web.prices import price_in_words, price_rhythm
from web.session_checks import staff_only
from web.templatetags.figures import money

_MOST_PLANS: Final = 200
Offered = dict[str, tuple[Plan, Variant]]


@dataclass(frozen=True, slots=True)
class PlanOffer:
    """A variant of a plan that a subscription may get, in words."""

    name: str
    url: str
    items: Sequence[str]
    addons: Sequence[str]
    is_held: bool


class ChosenPlanForm(WhenForm):
    """How much of a plan, with which add-ons, and since when."""

    plan = forms.CharField(widget=forms.HiddenInput)

    def __init__(self, *args: Any, items: PlanItemFields, **kwargs: Any) -> None:
        """Ask for the items of the plan."""
        super().__init__(*args, **kwargs)
        self.items = items
        items.add_to(self)

    def refuse(self, refusal: BillingError) -> None:
        """Say what was refused at the fields that it is about; an item at its own."""
        if not refusal.errors:
            self.add_error(None, refusal.detail)
        for error in refusal.errors:
            name = self.items.field_at(self, error.pointer) or error.pointer.rpartition("/")[2]
            self.add_error(name if name in self.fields else None, error.detail)


@require_http_methods(["GET", "HEAD", "POST"])
@vary_on_headers("HX-Request")
@staff_only
def another_plan(request: ActorRequest, subscription_id: str) -> HttpResponse:
    """Ask which plan a subscription gets, then how much of it; POST changes it.

    Each step says by its address where one is; the second one says what it comes to.
    """
    actor = request.actor
    found = changeable(actor, subscription_id)
    currency = currency_of(found)
    offered = _offered(actor, currency)
    asked = request.POST if request.method == "POST" else request.GET
    if asked.get("plan", "") not in offered:
        return _choose(request, found, offered, is_wrong="plan" in asked)
    plan, variant = offered[asked["plan"]]
    items = PlanItemFields(plan, variant, _held(found, variant))
    form = ChosenPlanForm(
        sent(request),
        items=items,
        **likely_days(actor, found),
        initial={"when": "period_end", "plan": asked["plan"]},
    )

    def carry_out(given: ChosenPlanForm, is_dry_run: bool, seen: Callable[[], None]) -> Changed:
        return change_plan(
            actor,
            found.pk,
            items.choice(given),
            day=given.first_day(actor.today),
            **particulars(actor, given, is_dry_run, seen),
        )

    act = Act(
        heading=_("Another plan: %(name)s") % {"name": plan.name},
        button=_("Change the plan"),
        explanation=_(
            "Items of the same product go on at the price of the plan; what the plan does not have"
            " goes. Trial and contract terms stay."
        ),
        done=_("It has the plan from %(date)s on."),
        carry_out=carry_out,
        facts=lambda result: _facts(result, currency),
    )
    return perform(request, found, form, act, fields=("plan", *items.names, "when", "day"))


def _facts(result: Changed, currency: str) -> list[Fact]:
    """Return what a change of plan comes to; one that has the same items changes no amount."""
    since = Fact(_("Holds from"), date_text(result.day))
    if not result.before and not result.after:
        same = _("It has just these items already: its plan is another one, and no price changes.")
        return [since, Fact(_("Items"), same)]
    return [
        since,
        Fact(_("MRR of these items until then"), money(_monthly(result.before), currency)),
        Fact(_("MRR of these items since then"), money(_monthly(result.after), currency)),
    ]


def _choose(
    request: ActorRequest, found: Subscription, offered: Offered, *, is_wrong: bool
) -> HttpResponse:
    """Ask which plan; one that is not offered is refused."""
    here = reverse("subscriptions:plan", args=[found.public_id])
    held = found.plan_id_on(request.actor.today)
    rows = [
        PlanOffer(
            name=f"{plan.name}, {price_rhythm(variant.items[0].price)}",
            url=f"{here}?plan={key}",
            items=[price_in_words(item.price) for item in variant.items if not item.is_addon],
            addons=[price_in_words(item.price) for item in variant.items if item.is_addon],
            is_held=plan.pk == held,
        )
        for key, (plan, variant) in offered.items()
    ]
    count = len({plan.pk for plan, _variant in offered.values()})
    context = {
        "offers": rows,
        "cut": cut_text(_MOST_PLANS) if count > _MOST_PLANS else "",
        "is_wrong": is_wrong,
        "currency": currency_of(found),
        "steps": steps_to(found, _("Another plan")),
        "subscription_id": found.public_id,
        "scope_name": found.account.name,
    }
    status = HTTPStatus.UNPROCESSABLE_ENTITY if is_wrong else HTTPStatus.OK
    return render(request, "subscriptions/plans.html", context, status=status)


def _held(found: Subscription, variant: Variant) -> dict[UUID, Decimal]:
    """Return how much is had now of the items of a variant: of the price, else of its product."""
    had = [item for item in found.items.all() if item.uncharged != Uncharged.ABSENT]
    left = sorted(had, key=lambda one: one.pk)
    held: dict[UUID, Decimal] = {}
    for name in ("price_id", "product_id"):
        for item in variant.items:
            wanted = item.price_id if name == "price_id" else item.price.product_id
            same = (
                one
                for one in left
                if wanted == (one.price_id if name == "price_id" else one.price.product_id)
            )
            if item.pk not in held and (one := next(same, None)) is not None:
                held[item.pk] = one.quantity
                left.remove(one)
    return held


def _offered(actor: Actor, currency: str) -> Offered:
    """Return the variants in a currency of plans that are sold. Two statements."""
    return {
        f"{plan.public_id}.{place}": (plan, variant)
        for plan in plans(actor, is_sold=True)[: _MOST_PLANS + 1]
        for place, variant in enumerate(variants_of(plan), 1)
        if variant.currency == currency
    }


def _monthly(terms: Any) -> int:
    return sum(int(one.monthly_minor) for one in terms.values())
