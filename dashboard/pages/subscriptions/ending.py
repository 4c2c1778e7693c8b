"""Ending a subscription, and going on with one that was to end."""

from datetime import date
from http import HTTPStatus
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST
from django.views.decorators.vary import vary_on_headers

from accounts import access
from accounts.access import Action
from accounts.middleware import ActorRequest
from dashboard.pages.subscriptions.made_good import made_good, refused
from dashboard.pages.subscriptions.page import steps_to
from invoicing.operations.subscriptions.ending import (
    AlreadyCancelled,
    Ended,
    cancel_subscription,
    reactivate_subscription,
)
from subscriptions.models import Subscription
from subscriptions.queries.renewals import running_period_end
from subscriptions.queries.subscriptions import get_subscription
from tenancy.actor import Actor
from tenancy.errors import Conflict, Invalid
from tenancy.formats import date_text
from web.page_heads import Fact
from web.session_checks import staff_only


class EndForm(forms.Form):
    """With the running period, today, or on a day."""

    when = forms.ChoiceField(
        label=gettext_lazy("When does it end?"),
        widget=forms.Select(attrs={"class": "input"}),
        initial="period_end",
    )
    end_date = forms.DateField(
        label=gettext_lazy("First day no longer served"),
        help_text=gettext_lazy(
            "Only the days before it are charged; what was charged beyond is credited."
        ),
        required=False,
        widget=forms.DateInput(attrs={"class": "input", "type": "date"}, format="%Y-%m-%d"),
    )

    def __init__(self, *args: Any, period_end: str, **kwargs: Any) -> None:
        """Name the end of the period."""
        super().__init__(*args, **kwargs)
        field = self.fields["when"]
        assert isinstance(field, forms.ChoiceField)  # noqa: S101 - for the checker of types
        field.choices = [
            ("period_end", _("With its period, on %(date)s") % {"date": period_end}),
            ("now", _("Today")),
            ("day", _("On another day")),
        ]

    def clean(self) -> dict[str, Any]:
        """Ask for the day where one was chosen."""
        values = super().clean() or {}
        if (
            values.get("when") == "day"
            and not values.get("end_date")
            and "end_date" not in self.errors
        ):
            self.add_error("end_date", _("Please name the day."))
        return values


@require_http_methods(["GET", "HEAD", "POST"])
@vary_on_headers("HX-Request")
@staff_only
def end(request: ActorRequest, subscription_id: str) -> HttpResponse:
    """Ask when a subscription ends, and say what that comes to; POST ends it."""
    actor = request.actor
    found = get_subscription(actor, subscription_id, today=actor.today)
    access.require(actor, Action.EDIT_SUBSCRIPTION, found.account)
    if found.end_date is not None:
        raise AlreadyCancelled(day=found.end_date)
    natural = running_period_end(actor, found, actor.today)
    period_end = date_text(natural) if natural else ""
    if request.headers.get("HX-Request"):
        form = EndForm(request.GET, period_end=period_end)
        ended = _tried(actor, found, form, natural, is_dry_run=True)
        return render(request, "subscriptions/_made_good.html", _preview(found, ended, form))
    form = EndForm(request.POST or None, period_end=period_end)
    if request.method == "POST":
        done = _tried(actor, found, form, natural, is_dry_run=False)
        if done is not None and done.end_date is not None:
            text = _("It ends on %(date)s. Until then this can be taken back.")
            if done.end_date <= actor.today:
                text = _("It has ended on %(date)s.")
            messages.success(request, text % {"date": date_text(done.end_date)})
            return redirect("subscriptions:page", found.public_id)
    return _page(request, found, form)


def _tried(
    actor: Actor, found: Subscription, form: EndForm, natural: date | None, *, is_dry_run: bool
) -> Ended | None:
    """End the subscription, or try to; what is refused stands at the fields."""
    if not form.is_valid():
        return None
    chosen = form.cleaned_data
    days = {"period_end": natural, "now": actor.today, "day": chosen["end_date"]}
    try:
        return cancel_subscription(
            actor,
            found.pk,
            end_date=days[chosen["when"]],
            is_dry_run=is_dry_run,
            today=actor.today,
            now=timezone.now(),
        )
    except (Invalid, Conflict) as refusal:
        form.add_error("end_date", refusal.detail)
    return None


def _preview(found: Subscription, ended: Ended | None, form: EndForm) -> dict[str, Any]:
    if ended is None or ended.end_date is None:
        return refused(form)
    currency = next((item.price.currency for item in found.items.all()), "")
    facts = [Fact(_("First day no longer served"), date_text(ended.end_date))]
    return made_good(facts, ended.charges, currency)


def _page(request: ActorRequest, found: Subscription, form: EndForm) -> HttpResponse:
    status = HTTPStatus.UNPROCESSABLE_ENTITY if form.errors else HTTPStatus.OK
    context = {
        "form": form,
        "steps": steps_to(found, _("End")),
        "subscription_id": found.public_id,
        "scope_name": found.account.name,
    }
    return render(request, "subscriptions/end.html", context, status=status)


@require_POST
@staff_only
def go_on(request: ActorRequest, subscription_id: str) -> HttpResponse:
    """Take an end back that has not come yet."""
    actor = request.actor
    found = get_subscription(actor, subscription_id, today=actor.today)
    reactivate_subscription(actor, found.pk, today=actor.today, now=timezone.now())
    messages.success(request, _("It goes on without an end."))
    return redirect("subscriptions:page", found.public_id)
