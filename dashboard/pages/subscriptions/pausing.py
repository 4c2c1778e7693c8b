"""Pausing a subscription on screen, and letting it go on."""

from collections.abc import Callable

from django.http import HttpResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods
from django.views.decorators.vary import vary_on_headers

from accounts.middleware import ActorRequest
from dashboard.pages.subscriptions.acting import (
    Act,
    changeable,
    likely_days,
    particulars,
    perform,
    sent,
)
from dashboard.pages.subscriptions.when import WhenForm, day_field, start_ahead
from invoicing.operations.subscriptions.pausing import (
    Paused,
    pause_subscription,
    resume_subscription,
)
from tenancy.formats import date_text
from web.page_heads import Fact
from web.session_checks import staff_only


class PauseForm(WhenForm):
    """From when on nothing is charged, and until when."""

    until = day_field(
        gettext_lazy("Resumes on (optional)"),
        gettext_lazy("Left empty, it is paused until somebody resumes it."),
    )


@require_http_methods(["GET", "HEAD", "POST"])
@vary_on_headers("HX-Request")
@staff_only
def pause(request: ActorRequest, subscription_id: str) -> HttpResponse:
    """Ask from when to when a subscription is paused, and say what that comes to; POST does it."""
    actor = request.actor
    found = changeable(actor, subscription_id)
    form = PauseForm(
        sent(request),
        **likely_days(actor, found),
        initial={"when": "period_end"},
    )

    def carry_out(given: WhenForm, is_dry_run: bool, seen: Callable[[], None]) -> Paused:
        chosen = given.cleaned_data
        return pause_subscription(
            actor,
            found.pk,
            day=given.first_day(actor.today),
            until=chosen["until"],
            **particulars(actor, given, is_dry_run, seen),
        )

    act = Act(
        heading=_("Pause a subscription"),
        button=_("Pause"),
        explanation=_(
            "While it is paused nothing is charged, and it brings no revenue. The billing day"
            " stays what it is. Documents that were issued stay as they are."
        ),
        done=_("It is paused from %(date)s on."),
        carry_out=carry_out,
        facts=_pause_facts,
    )
    return perform(request, found, form, act, fields=("when", "day", "until"))


@require_http_methods(["GET", "HEAD", "POST"])
@vary_on_headers("HX-Request")
@staff_only
def resume(request: ActorRequest, subscription_id: str) -> HttpResponse:
    """Ask from when on a paused subscription goes on, and say what that comes to."""
    actor = request.actor
    found = changeable(actor, subscription_id)
    form = WhenForm(sent(request), period_end=None, begins=start_ahead(found, actor.today))

    def carry_out(given: WhenForm, is_dry_run: bool, seen: Callable[[], None]) -> Paused:
        return resume_subscription(
            actor,
            found.pk,
            day=given.first_day(actor.today),
            **particulars(actor, given, is_dry_run, seen),
        )

    act = Act(
        heading=_("Resume a subscription"),
        button=_("Resume"),
        explanation=_(
            "What is left of a period that has begun is charged at the same fraction. A pause that"
            " has not begun yet does not begin."
        ),
        done=_("It is resumed from %(date)s on."),
        carry_out=carry_out,
        facts=lambda result: [Fact(_("Resumes on"), date_text(result.day))],
    )
    return perform(request, found, form, act, fields=("when", "day"))


def _pause_facts(result: Paused) -> list[Fact]:
    until = date_text(result.until) if result.until else _("open")
    return [Fact(_("Paused from"), date_text(result.day)), Fact(_("Resumes on"), until)]
