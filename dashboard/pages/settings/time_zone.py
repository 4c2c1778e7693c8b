"""In which time zone the days of the tenant begin."""

from http import HTTPStatus
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods

from accounts import access
from accounts.access import Action
from accounts.middleware import ActorRequest
from accounts.operations.time_zones import set_time_zone
from accounts.versions import ChangedMeanwhile, time_zone_shown
from dashboard.pages.settings.sellers import tabs_of
from tenancy.errors import Invalid
from tenancy.files.cells import time_zones
from web.forms import differences, version_seen, version_to_carry
from web.session_checks import staff_only


class TimeZoneForm(forms.Form):
    """The one choice; those of the tz database that are places, and UTC."""

    time_zone = forms.ChoiceField(
        label=gettext_lazy("Time zone"),
        help_text=gettext_lazy(
            "Days begin and end in it: when the timetable bills, which date an invoice gets, when"
            " it is overdue. Accounts inherit it. What is issued keeps its dates."
        ),
        widget=forms.Select(attrs={"class": "input"}),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Offer the zones that the machine knows."""
        super().__init__(*args, **kwargs)
        places = sorted(name for name in time_zones() if "/" in name and not name.startswith("Etc"))
        choices = [(name, name.replace("_", " ")) for name in ["UTC", *places]]
        held = self.initial.get("time_zone")
        if held and (held, held.replace("_", " ")) not in choices:
            choices.insert(0, (held, held))
        field = self.fields["time_zone"]
        assert isinstance(field, forms.ChoiceField)  # noqa: S101 - for the checker of types
        field.choices = choices


@require_http_methods(["GET", "HEAD", "POST"])
@staff_only
def time_zone(request: ActorRequest) -> HttpResponse:
    """Show the time zone; POST changes it."""
    actor, held = request.actor, time_zone_shown(request.tenant)
    if request.method != "POST":
        return _page(request, TimeZoneForm(initial=held))
    access.require_everywhere(actor, Action.MANAGE_TENANT)
    form = TimeZoneForm(request.POST, initial=held)
    if form.is_valid():
        chosen = form.cleaned_data["time_zone"]
        try:
            set_time_zone(
                actor,
                time_zone=chosen,
                today=actor.today,
                version=version_seen(request),
                now=timezone.now(),
            )
        except ChangedMeanwhile:
            request.tenant.refresh_from_db()
            return _page(request, form, status=HTTPStatus.CONFLICT)
        except Invalid as refusal:
            form.add_error("time_zone", refusal.detail)
        else:
            messages.success(request, _("Saved. Days begin and end in this time zone now."))
            return redirect("settings:time_zone")
    return _page(request, form, status=HTTPStatus.UNPROCESSABLE_ENTITY)


def _page(
    request: ActorRequest, form: TimeZoneForm, *, status: HTTPStatus = HTTPStatus.OK
) -> HttpResponse:
    may_change = access.allows_everywhere(request.actor, Action.MANAGE_TENANT)
    form.fields["time_zone"].disabled = not may_change
    stored = time_zone_shown(request.tenant)
    labels = {name: field.label for name, field in form.fields.items()}
    context = {
        "form": form,
        "version": version_to_carry(request, stored, status=status),
        "conflict": differences(form, labels, stored) if status == HTTPStatus.CONFLICT else None,
        "tabs": tabs_of(request, "time_zone"),
        "may_change": may_change,
    }
    return render(request, "settings/time_zone.html", context, status=status)
