"""The defaults that every account inherits, and changing one after its effect was seen."""

from dataclasses import dataclass
from datetime import date
from http import HTTPStatus
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts import access
from accounts.access import Action
from accounts.declarations import SETTINGS, SettingName
from accounts.declarations.setting_terms import GROUP_TITLES
from accounts.middleware import ActorRequest
from accounts.operations.account_settings import (
    WantedSettings,
    cancel_planned_default,
    change_defaults,
)
from accounts.operations.account_settings.defaults import CHANGEABLE
from accounts.queries.sellers import sellers
from accounts.queries.setting_stretches import own_intervals
from accounts.queries.tenant_settings import DefaultEffect, TenantDefaults, tenant_defaults
from accounts.versions import ChangedMeanwhile, intervals_shown
from dashboard.pages.settings.sellers import tabs_of
from tenancy.errors import BillingError, Conflict
from tenancy.ids import public_id
from web.forms import version_seen, version_to_carry
from web.page_heads import Crumb
from web.session_checks import staff_only
from web.setting_form import OWN, SettingForm, typed
from web.setting_words import value_text
from web.templatetags.figures import day as day_text
from web.templatetags.figures import quantity


@dataclass(frozen=True, slots=True)
class Planned:
    """A change of a default that begins on a later day."""

    day: date
    value: str


@dataclass(frozen=True, slots=True)
class DefaultRow:
    """One default; ``change_url`` is empty where it can't be changed by who looks."""

    name: str
    label: str
    effect: str
    value: str
    change_url: str
    planned: list[Planned]


@require_safe
@staff_only
def defaults_page(request: ActorRequest) -> HttpResponse:
    """Show every default of the company."""
    found = tenant_defaults(request.actor, request.actor.today)
    may_change = access.allows_everywhere(request.actor, Action.MANAGE_TENANT)
    groups = [
        {
            "title": title,
            "rows": [
                _row(name, found, may_change=may_change)
                for name, setting in SETTINGS.items()
                if setting.group == group and setting.has_tenant_default
            ],
        }
        for group, title in GROUP_TITLES.items()
    ]
    context = {
        "groups": [group for group in groups if group["rows"]],
        "tabs": tabs_of(request, "defaults"),
        "may_change": may_change,
    }
    return render(request, "settings/defaults.html", context)


def _row(name: str, found: TenantDefaults, *, may_change: bool) -> DefaultRow:
    url = ""
    if may_change:
        url = reverse("settings:time_zone")
        if name != SettingName.TIME_ZONE:
            url = reverse("settings:default", args=[name])
    return DefaultRow(
        name,
        str(SETTINGS[name].label),
        SETTINGS[name].help,
        _worded(name, found.values[name], found.names),
        url,
        [
            Planned(one.start, value_text(name, one.value, one.target_name))
            for one in found.stretches.get(name, [])
            if one.is_planned and one.start is not None
        ],
    )


def _worded(name: str, value: Any, names: Any) -> str:
    return value_text(name, value, names.get(value, "") if isinstance(value, UUID) else "")


@require_http_methods(["GET", "HEAD", "POST"])
@staff_only
def change_default(request: ActorRequest, setting: str) -> HttpResponse:
    """Ask for another default and since when; POST shows what it does, and then stores it."""
    if setting not in CHANGEABLE:
        raise Http404
    access.require_everywhere(request.actor, Action.MANAGE_TENANT)
    found = tenant_defaults(request.actor, request.actor.today)
    if request.method != "POST":
        return _edit_page(request, setting, found, _form(request, setting, found))
    form, step = _form(request, setting, found), request.POST.get("step", "preview")
    if step == "edit" or not form.is_valid():
        status = HTTPStatus.OK if step == "edit" else HTTPStatus.UNPROCESSABLE_ENTITY
        return _edit_page(request, setting, found, form, status=status)
    values = form.cleaned_data
    wanted = WantedSettings(
        {setting: values["value"]},
        values.get("day") or request.actor.today,
        {setting: values["lock"]} if "lock" in form.fields and values["way"] == OWN else {},
    )
    try:
        [effect] = change_defaults(
            request.actor,
            wanted,
            today=request.actor.today,
            version=version_seen(request),
            is_dry_run=step != "save",
            now=timezone.now(),
        )
    except ChangedMeanwhile:
        return _edit_page(request, setting, found, form, status=HTTPStatus.CONFLICT)
    except BillingError as refusal:
        said = refusal.errors[0].detail if refusal.errors else refusal.detail
        form.add_error("value", said)
        status = HTTPStatus.UNPROCESSABLE_ENTITY
        return _edit_page(request, setting, found, form, status=status)
    if step != "save":
        return _preview_page(request, setting, form, effect, wanted.day)
    label = {"setting": SETTINGS[setting].label, "day": day_text(wanted.day)}
    if wanted.day > request.actor.today:
        messages.success(request, _("Planned: “%(setting)s” changes on %(day)s.") % label)
    else:
        messages.success(request, _("Saved. “%(setting)s” holds from today.") % label)
    return redirect("settings:defaults")


@require_POST
@staff_only
def recall_default(request: ActorRequest, setting: str) -> HttpResponse:
    """Take a planned change of a default back."""
    try:
        day = date.fromisoformat(request.POST.get("day", ""))
    except ValueError:
        raise Http404 from None
    today, now = request.actor.today, timezone.now()
    try:
        cancel_planned_default(request.actor, setting, day, today=today, now=now)
    except Conflict as refusal:
        messages.error(request, refusal.detail)
    else:
        said = {"setting": SETTINGS[setting].label}
        messages.success(request, _("The planned change of “%(setting)s” was taken back.") % said)
    return redirect("settings:defaults")


def _form(request: ActorRequest, name: str, found: TenantDefaults) -> SettingForm:
    setting, value = SETTINGS[name], found.values[name]
    references = []
    if setting.is_seller:
        references = [(one.public_id, one.name) for one in sellers(request.actor)]
    present = [one for one in found.stretches.get(name, []) if not one.is_planned]
    is_key = isinstance(value, UUID)
    form = SettingForm(
        request.POST if request.method == "POST" else None,
        setting=setting,
        today=request.actor.today,
        references=references,
        initial={
            "way": OWN,
            "value": public_id("sel", value) if is_key else typed(setting, value),
            "day": request.actor.today,
            "lock": bool(present) and present[-1].is_locked,
        },
    )
    form.is_of_company(is_needed=setting.default is not None or setting.is_seller)
    return form


def _context(request: ActorRequest, name: str, form: SettingForm) -> dict[str, Any]:
    setting = SETTINGS[name]
    home = reverse("settings:defaults")
    return {
        "title": str(setting.label),
        "steps": [Crumb(_("Defaults"), home), Crumb(str(setting.label))],
        "help": setting.help,
        "form": form,
        "back_url": home,
        "account": {"name": request.tenant.name},
        "origin": request.tenant.name,
        "source": "default",
    }


def _edit_page(
    request: ActorRequest,
    name: str,
    found: TenantDefaults,
    form: SettingForm,
    *,
    status: HTTPStatus = HTTPStatus.OK,
) -> HttpResponse:
    is_late = status == HTTPStatus.CONFLICT
    rows = list(own_intervals(request.actor, None)) if is_late else found.intervals
    keeps = status == HTTPStatus.UNPROCESSABLE_ENTITY or request.POST.get("step") == "edit"
    carried = HTTPStatus.UNPROCESSABLE_ENTITY if keeps else status
    stored = intervals_shown(row for row in rows if row.name == name)
    value = _worded(name, found.values[name], found.names)
    context = {
        **_context(request, name, form),
        "value": value,
        "version": version_to_carry(request, stored, status=carried),
    }
    if is_late:
        names = {one.pk: one.name for one in sellers(request.actor)}
        mine = _worded(name, form.cleaned_data["value"], names)
        label = {"label": SETTINGS[name].label, "mine": mine or "–"}
        context["conflict"] = [{**label, "stored": value or "–"}]
    return render(request, "customers/setting_change.html", context, status=status)


def _preview_page(
    request: ActorRequest, name: str, form: SettingForm, effect: DefaultEffect, day: date
) -> HttpResponse:
    names = {one.pk: one.name for one in sellers(request.actor)} if SETTINGS[name].is_seller else {}
    held = {field: request.POST.get(field, "") for field in form.fields}
    context = {
        **_context(request, name, form),
        "version": request.POST.get("version", ""),
        "held": {field: value for field, value in held.items() if value},
        "day": day,
        "is_planned": day > request.actor.today,
        "effects": _sentences(effect),
        "before": _worded(name, effect.before, names),
        "after": _worded(name, effect.after, names),
        "after_source": "own",
        "locks": bool(form.cleaned_data.get("lock")),
    }
    return render(request, "customers/setting_preview.html", context)


def _sentences(effect: DefaultEffect) -> list[str]:
    return [
        ngettext(
            "%(count)s account has this default.",
            "%(count)s accounts have this default.",
            effect.following,
        )
        % {"count": quantity(effect.following)},
        ngettext(
            "%(count)s account sets its own value; it and those below stay as they are.",
            "%(count)s accounts set their own values; they and those below stay as they are.",
            effect.keeping,
        )
        % {"count": quantity(effect.keeping)},
    ]
