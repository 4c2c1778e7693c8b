"""The contract terms of a subscription on screen: in words, asked for, and changed."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from django import forms
from django.http import HttpResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods
from django.views.decorators.vary import vary_on_headers

from accounts.middleware import ActorRequest
from dashboard.pages.subscriptions.acting import Act, changeable, particulars, perform, sent
from dashboard.pages.subscriptions.contract_facts import contract_facts
from dashboard.pages.subscriptions.when import INPUT, BilledForm, day_field
from invoicing.operations.subscriptions.binding import Bound, change_contract
from subscriptions.models.limits import MAX_NOTICE_DAYS, MAX_NOTICE_MONTHS, MAX_TERM_MONTHS
from subscriptions.operations.subscriptions.contracting import Contract
from web.page_heads import Fact
from web.session_checks import staff_only

CONTRACT_FIELDS: Final = (
    "minimum_term_months",
    "renewal_months",
    "notice_months",
    "notice_days",
    "term_start",
)


def _whole(label: Any, help_text: Any, least: int, most: int) -> forms.IntegerField:
    return forms.IntegerField(
        label=label,
        help_text=help_text,
        required=False,
        min_value=least,
        max_value=most,
        widget=forms.NumberInput(attrs=INPUT),
    )


class ContractFields(forms.Form):
    """How long something is bound, and how notice is given; all may be left out."""

    minimum_term_months = _whole(
        gettext_lazy("Minimum term in months (optional)"),
        gettext_lazy("Left empty, it may end on any day."),
        1,
        MAX_TERM_MONTHS,
    )
    renewal_months = _whole(
        gettext_lazy("Renews by so many months (optional)"),
        gettext_lazy("Left empty, it ends with its minimum term."),
        1,
        MAX_TERM_MONTHS,
    )
    notice_months = _whole(
        gettext_lazy("Notice period in months (optional)"),
        gettext_lazy("Before the end of a term."),
        0,
        MAX_NOTICE_MONTHS,
    )
    notice_days = _whole(
        gettext_lazy("Notice period in days (optional)"),
        gettext_lazy("Beside the months, if both are given."),
        0,
        MAX_NOTICE_DAYS,
    )
    term_start = day_field(
        gettext_lazy("First day of the term (optional)"),
        gettext_lazy("Left empty, its start, or the first day after the trial."),
    )

    def contract(self) -> Contract:
        """Return what was asked for; the form is valid."""
        chosen = self.cleaned_data
        return Contract(
            minimum_term_months=chosen["minimum_term_months"],
            renewal_months=chosen["renewal_months"],
            notice_months=chosen["notice_months"] or 0,
            notice_days=chosen["notice_days"] or 0,
            term_start=chosen["term_start"],
        )


class ContractForm(ContractFields, BilledForm):
    """The contract terms that a subscription is to have."""


@dataclass(frozen=True, slots=True)
class _Bound:
    """New contract terms as the page shows them."""

    bound: Bound
    day: date

    @property
    def charges(self) -> Any:
        """What another end makes good."""
        return self.bound.charges


@require_http_methods(["GET", "HEAD", "POST"])
@vary_on_headers("HX-Request")
@staff_only
def contract(request: ActorRequest, subscription_id: str) -> HttpResponse:
    """Ask how long a subscription is bound, and say what that comes to; POST changes it."""
    actor = request.actor
    found = changeable(actor, subscription_id)
    initial = {name: getattr(found, name) or None for name in CONTRACT_FIELDS}
    form = ContractForm(sent(request), initial=initial)

    def carry_out(given: ContractForm, is_dry_run: bool, seen: Callable[[], None]) -> _Bound:
        bound = change_contract(
            actor, found.pk, given.contract(), **particulars(actor, given, is_dry_run, seen)
        )
        return _Bound(bound, actor.today)

    act = Act(
        heading=_("Contract terms"),
        button=_("Change the contract terms"),
        explanation=_(
            "Terms count from their first day and keep its day of the month; a pause or another"
            " billing day does not move them. An end that somebody has set stays."
        ),
        done=_("The contract terms were changed."),
        carry_out=carry_out,
        facts=lambda result: (
            contract_facts(result.bound.subscription, actor.today)
            or [Fact(_("Contract terms"), _("none: it may end on any day"))]
        ),
    )
    return perform(request, found, form, act, fields=CONTRACT_FIELDS)
