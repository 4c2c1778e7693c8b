"""Meters: what is measured, and which prices are charged by it; making and changing one."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts import access
from accounts.access import Action
from accounts.middleware import ActorRequest
from billing_rules.metering import Aggregation
from dashboard.pages.catalogue.named_things import NamedKind, ask_for_change, ask_for_new
from dashboard.pages.catalogue.prices import TABLE as PRICES
from dashboard.pages.catalogue.prices import price_rows, tabs_of
from subscriptions.models import Meter
from subscriptions.operations.catalogue import (
    archive_meter,
    create_meter,
    edit_meter,
    reopen_meter,
)
from subscriptions.operations.catalogue.meters import NewMeter
from subscriptions.queries.meters import (
    MeterUse,
    get_meter,
    meter_shown,
    meter_uses,
    meters,
    prices_of_meter,
)
from tenancy.actor import Actor
from tenancy.queries import paging
from web.page_heads import Crumb, Fact
from web.prices import AGGREGATIONS, archived_badges
from web.session_checks import staff_only
from web.tables import Column, Kind, Link, Table
from web.templatetags.figures import quantity
from web.timeline import timeline_of


class MeterForm(forms.Form):
    """What a meter is called, and what it makes of events."""

    name = forms.CharField(
        label=gettext_lazy("Name"),
        max_length=200,
        widget=forms.TextInput(attrs={"class": "input", "autocomplete": "off"}),
    )
    external_id = forms.CharField(
        label=gettext_lazy("External ID"),
        help_text=gettext_lazy("What reported events call it, such as api-calls."),
        max_length=200,
        widget=forms.TextInput(attrs={"class": "input", "autocomplete": "off"}),
    )
    aggregation = forms.ChoiceField(
        label=gettext_lazy("Quantity of a period"),
        choices=[(one.value, word) for one, word in AGGREGATIONS.items()],
        widget=forms.Select(attrs={"class": "input"}),
    )
    unit = forms.CharField(
        label=gettext_lazy("Unit (optional)"),
        help_text=gettext_lazy("What it counts, such as calls."),
        required=False,
        max_length=20,
        widget=forms.TextInput(attrs={"class": "input", "autocomplete": "off"}),
    )


@dataclass(frozen=True, slots=True)
class MeterRow:
    """One meter and where it is used."""

    meter: Meter
    use: MeterUse


def _name(row: MeterRow) -> Link:
    url = reverse("catalogue:meter", args=[row.meter.public_id])
    return Link(row.meter.name, url, "" if row.meter.archived_at is None else _("Archived"))


TABLE: Final[Table[MeterRow]] = Table(
    name="meters",
    title=gettext_lazy("Meters"),
    default_sort="name",
    columns=(
        Column("name", gettext_lazy("Meter"), Kind.LINK, _name, sort="name"),
        Column(
            "external_id",
            gettext_lazy("External ID"),
            Kind.TEXT,
            lambda row: row.meter.external_id,
            sort="external_id",
        ),
        Column(
            "aggregation",
            gettext_lazy("Quantity of a period"),
            Kind.TEXT,
            lambda row: str(AGGREGATIONS[Aggregation(row.meter.aggregation)]),
            sort="aggregation",
        ),
        Column("unit", gettext_lazy("Unit"), Kind.TEXT, lambda row: row.meter.unit),
        Column(
            "prices",
            gettext_lazy("Prices"),
            Kind.NUMBER,
            lambda row: row.use.prices or None,
            tip=gettext_lazy("How many prices are charged by it"),
        ),
    ),
)


@require_safe
@staff_only
def meter_list(request: ActorRequest) -> HttpResponseBase:
    """Show all meters, page by page. Two statements beside those of the frame."""
    actor = request.actor
    state = TABLE.state(request.GET, request.COOKIES)
    page = paging.page_of(meters(actor), TABLE.order(state), after=state.after, before=state.before)
    context = {
        "table": TABLE.shown(_rows(actor, page.rows), state, {}, ""),
        "page": page,
        "tabs": tabs_of("meters"),
        "is_empty": not page.rows,
        "may_edit": access.allows_everywhere(actor, Action.EDIT_CATALOGUE),
    }
    return render(request, "catalogue/meters.html", context)


def _rows(actor: Actor, found: Sequence[Meter]) -> list[MeterRow]:
    uses = meter_uses(actor, [meter.pk for meter in found])
    return [MeterRow(meter, uses.get(meter.pk, MeterUse())) for meter in found]


@require_safe
@staff_only
def meter_page(request: ActorRequest, meter_id: str) -> HttpResponse:
    """Show a meter and the prices charged by it. Five statements beside those of the frame."""
    actor, main = request.actor, request.tenant.currency
    meter = get_meter(actor, meter_id)
    use = meter_uses(actor, [meter.pk]).get(meter.pk, MeterUse())
    state = PRICES.state(request.GET, request.COOKIES)
    found = prices_of_meter(actor, meter.pk)
    page = paging.page_of(found, PRICES.order(state), after=state.after, before=state.before)
    context = {
        "title": meter.name,
        "meter": meter,
        "badges": archived_badges(meter),
        "put_url": reverse(
            f"catalogue:{'archive' if meter.archived_at is None else 'reopen'}_meter",
            args=[meter.public_id],
        ),
        "steps": [
            Crumb(_("Product catalogue"), reverse("catalogue:list")),
            *_between(),
            Crumb(meter.name),
        ],
        "table": PRICES.shown(price_rows(actor, page.rows, main), state, {}, ""),
        "page": page,
        "facts": [
            Fact(_("Quantity of a period"), str(AGGREGATIONS[Aggregation(meter.aggregation)])),
            Fact(_("External ID"), meter.external_id),
            *([Fact(_("Unit"), meter.unit)] if meter.unit else []),
            Fact(_("Prices"), quantity(use.prices)),
        ],
        "timeline": timeline_of(actor, meter.pk),
        "time_zone": request.tenant.time_zone,
        "may_edit": access.allows_everywhere(actor, Action.EDIT_CATALOGUE),
    }
    return render(request, "catalogue/meter.html", context)


def _create(actor: Actor, values: Mapping[str, Any], key: UUID) -> Meter:
    return create_meter(actor, NewMeter(**values), key=key, now=timezone.now())


def _edit(actor: Actor, meter: Meter, values: Mapping[str, Any], version: str) -> Meter:
    return edit_meter(actor, meter.pk, values, version=version, now=timezone.now())


def _between() -> list[Crumb]:
    return [Crumb(_("Meters"), reverse("catalogue:meters"))]


KIND: Final[NamedKind[Meter]] = NamedKind(
    page="meter",
    listed="meters",
    prefix="mtr",
    new=gettext_lazy("New meter"),
    change=gettext_lazy("Change meter"),
    made=gettext_lazy("“%(name)s” is in the catalogue. Now make a price that is charged by it."),
    saved=gettext_lazy("Saved."),
    shown=meter_shown,
    name_of=lambda meter: meter.name,
    new_form=lambda _actor, *sent: MeterForm(*sent),
    change_form=MeterForm,
    create=_create,
    edit=_edit,
    refused={"external_id_taken": "external_id"},
    between=_between,
)


@require_http_methods(["GET", "HEAD", "POST"])
@staff_only
def new_meter(request: ActorRequest) -> HttpResponse:
    """Ask for a new meter; POST makes it."""
    return ask_for_new(request, KIND)


@require_http_methods(["GET", "HEAD", "POST"])
@staff_only
def change_meter(request: ActorRequest, meter_id: str) -> HttpResponse:
    """Ask what a meter is to be called; POST changes it."""
    return ask_for_change(request, KIND, get_meter(request.actor, meter_id))


@require_POST
@staff_only
def put_meter(request: ActorRequest, meter_id: str, way: str) -> HttpResponse:
    """Archive a meter, or take it up again."""
    actor, meter = request.actor, get_meter(request.actor, meter_id)
    if way == "archive":
        archive_meter(actor, meter.pk, now=timezone.now())
        said = _("“%(name)s” is archived: no new price is charged by it, what runs goes on.")
    else:
        reopen_meter(actor, meter.pk, now=timezone.now())
        said = _("New prices may be charged by “%(name)s” again.")
    messages.success(request, said % {"name": meter.name})
    return redirect("catalogue:meter", meter.public_id)
