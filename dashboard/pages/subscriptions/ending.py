"""Ending a subscription, and going on with one that was to end."""

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

from accounts import access
from accounts.access import Action
from accounts.middleware import ActorRequest
from dashboard.pages.subscriptions.page import steps_to
from subscriptions.models import Subscription
from subscriptions.operations.subscriptions.ending import (
    AlreadyCancelled,
    cancel_subscription,
    reactivate_subscription,
)
from subscriptions.queries.renewals import running_period_end
from subscriptions.queries.subscriptions import get_subscription
from tenancy.errors import Conflict, Invalid
from tenancy.formats import date_text
from web.session_checks import staff_only


class EndForm(forms.Form):
    """With the running period, or on a day."""

    when = forms.ChoiceField(
        label=gettext_lazy("When does it end?"),
        widget=forms.Select(attrs={"class": "input"}),
        initial="period_end",
    )
    end_date = forms.DateField(
        label=gettext_lazy("First day no longer served"),
        help_text=gettext_lazy(
            "Of the period that this day lies in, only the days before it are charged."
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
            ("day", _("On a later day")),
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
@staff_only
def end(request: ActorRequest, subscription_id: str) -> HttpResponse:
    """Ask when a subscription ends, and say what that means; POST ends it."""
    actor = request.actor
    found = get_subscription(actor, subscription_id, today=actor.today)
    access.require(actor, Action.EDIT_SUBSCRIPTION, found.account)
    if found.end_date is not None:
        raise AlreadyCancelled(day=found.end_date)
    natural = running_period_end(actor, found, actor.today)
    period_end = date_text(natural) if natural else ""
    form = EndForm(request.POST or None, period_end=period_end)
    if request.method == "POST" and form.is_valid():
        chosen = form.cleaned_data
        end_date = chosen["end_date"] if chosen["when"] == "day" else natural
        try:
            ended = cancel_subscription(
                actor, found.pk, end_date=end_date, today=actor.today, now=timezone.now()
            )
        except (Invalid, Conflict) as refusal:
            form.add_error("end_date", refusal.detail)
        else:
            text = _("It ends on %(date)s. Until then this can be taken back.")
            messages.success(request, text % {"date": date_text(ended.end_date)})  # type: ignore[arg-type]
            return redirect("subscriptions:page", found.public_id)
    return _page(request, found, form)


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
