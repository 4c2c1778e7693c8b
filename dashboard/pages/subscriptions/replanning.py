"""Giving a subscription another plan on screen, with what that comes to."""

from collections.abc import Callable
from typing import Any, Final

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
from dashboard.pages.subscriptions.when import INPUT, WhenForm, choose
from invoicing.operations.subscriptions.changing import Changed
from invoicing.operations.subscriptions.replanning import change_plan
from subscriptions.models import Plan
from subscriptions.operations.plans.starting import PlanChoice
from subscriptions.queries.plans import Variant, plans, variants_of
from tenancy.actor import Actor
from tenancy.formats import date_text
from web.page_heads import Fact
from web.prices import price_rhythm
from web.session_checks import staff_only
from web.templatetags.figures import money

_MOST_PLANS: Final = 200
Offered = dict[str, tuple[Plan, Variant]]


class PlanForm(WhenForm):
    """A plan in a variant, and since when."""

    plan = forms.ChoiceField(label=gettext_lazy("Plan"), widget=forms.Select(attrs=INPUT))

    def __init__(self, *args: Any, offered: Offered, **kwargs: Any) -> None:
        """Offer plans."""
        super().__init__(*args, **kwargs)
        words = [
            (key, f"{plan.name}, {price_rhythm(variant.items[0].price)}")
            for key, (plan, variant) in offered.items()
        ]
        choose(self, "plan", [("", "–"), *words])


@require_http_methods(["GET", "HEAD", "POST"])
@vary_on_headers("HX-Request")
@staff_only
def another_plan(request: ActorRequest, subscription_id: str) -> HttpResponse:
    """Ask which plan a subscription gets, and say what that comes to; POST changes it."""
    actor = request.actor
    found = changeable(actor, subscription_id)
    currency = currency_of(found)
    offered = _offered(actor, currency)
    form = PlanForm(
        sent(request),
        offered=offered,
        **likely_days(actor, found),
        initial={"when": "period_end"},
    )

    def carry_out(given: WhenForm, is_dry_run: bool, seen: Callable[[], None]) -> Changed:
        plan, variant = offered[given.cleaned_data["plan"]]
        return change_plan(
            actor,
            found.pk,
            PlanChoice(plan.pk, variant.currency, variant.interval),
            day=given.first_day(actor.today),
            **particulars(actor, given, is_dry_run, seen),
        )

    act = Act(
        heading=_("Another plan"),
        button=_("Change the plan"),
        explanation=_(
            "Its items come in the quantities of the plan, without add-ons; what the plan does not"
            " have goes. Trial and contract terms stay."
        ),
        done=_("It has the plan from %(date)s on."),
        carry_out=carry_out,
        facts=lambda result: [
            Fact(_("Holds from"), date_text(result.day)),
            Fact(_("MRR of these items until then"), money(_monthly(result.before), currency)),
            Fact(_("MRR of these items since then"), money(_monthly(result.after), currency)),
        ],
    )
    return perform(request, found, form, act, fields=("plan", "when", "day"))


def _offered(actor: Actor, currency: str) -> Offered:
    """Return the variants in a currency of plans that are sold. Two statements."""
    return {
        f"{plan.public_id}.{place}": (plan, variant)
        for plan in plans(actor, is_sold=True)[:_MOST_PLANS]
        for place, variant in enumerate(variants_of(plan), 1)
        if variant.currency == currency
    }


def _monthly(terms: Any) -> int:
    return sum(int(one.monthly_minor) for one in terms.values())
