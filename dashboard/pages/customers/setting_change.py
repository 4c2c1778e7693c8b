"""Changing one setting of an account: what it would do is shown before anything is stored."""

from dataclasses import dataclass
from datetime import date
from http import HTTPStatus
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from accounts import access
from accounts.access import Action
from accounts.declarations import SETTINGS, Setting
from accounts.middleware import ActorRequest
from accounts.models import Account
from accounts.operations.account_settings import (
    WantedSettings,
    cancel_planned_setting,
    change_settings,
)
from accounts.queries.chains import SettingChains, setting_chains
from accounts.queries.effective_settings import EffectiveSetting
from accounts.queries.sellers import sellers
from accounts.queries.setting_effects import Effects
from accounts.queries.setting_stretches import own_intervals
from accounts.versions import ChangedMeanwhile, intervals_shown
from invoicing.queries.setting_outlook import coming_changes
from tenancy.errors import BillingError, Conflict
from tenancy.ids import key_of, public_id
from web.accounts import account_url, steps_to
from web.forms import version_seen, version_to_carry
from web.page_heads import Crumb
from web.session_checks import staff_only
from web.setting_effects import effect_sentences, warning_sentences
from web.setting_form import INHERIT, OWN, SettingForm, typed
from web.setting_words import value_text
from web.templatetags.figures import day as day_text

EDIT, PREVIEW, SAVE = "edit", "preview", "save"


@dataclass(frozen=True, slots=True)
class _Place:
    """A setting of an account, with all that is known of it."""

    request: ActorRequest
    account_id: UUID
    setting: Setting
    found: SettingChains

    @property
    def name(self) -> str:
        return self.setting.name.value

    @property
    def account(self) -> Account:
        return self.found.path[-1]

    @property
    def effective(self) -> EffectiveSetting:
        return self.found.effective[self.name]

    def form(self, data: Any = None) -> SettingForm:
        return SettingForm(
            data,
            setting=self.setting,
            today=self.request.actor.today,
            references=self._references(),
            initial=None if data is not None else self._initial(),
        )

    def _initial(self) -> dict[str, Any]:
        is_own = self.effective.source == "own"
        way = INHERIT if self.request.GET.get("way") == INHERIT else OWN
        present = [one for one in self.found.own.get(self.name, []) if not one.is_planned]
        value = typed(self.setting, self.effective.value)
        if isinstance(self.effective.value, UUID):
            value = public_id(self.setting.kind.id_prefix, self.effective.value)
        if self.setting.is_account and not is_own:
            value = public_id("acc", self.account_id)
        return {
            "way": INHERIT if self.effective.is_locked else way,
            "value": value,
            "day": self.request.actor.today,
            "lock": is_own and present[-1].is_locked if present else False,
        }

    def _references(self) -> list[tuple[str, str]]:
        """Return what may be chosen: the account and those above it, or the sellers."""
        if self.setting.is_account:
            return [(one.public_id, one.name) for one in reversed(self.found.path)]
        if self.setting.is_seller:
            return [(one.public_id, one.name) for one in sellers(self.request.actor)]
        return []


@require_http_methods(["GET", "HEAD", "POST"])
@staff_only
def change_setting(request: ActorRequest, account_id: str, setting: str) -> HttpResponse:
    """Ask for a value and since when; POST shows what it does, and then stores it."""
    place = _place(request, account_id, setting)
    access.require_everywhere(request.actor, Action.EDIT_SETTINGS)
    if request.method != "POST":
        return _edit_page(place, place.form())
    form, step = place.form(request.POST), request.POST.get("step", PREVIEW)
    if step == EDIT or not form.is_valid():
        status = HTTPStatus.OK if step == EDIT else HTTPStatus.UNPROCESSABLE_ENTITY
        return _edit_page(place, form, status=status)
    try:
        effects = _change(place, form, is_dry_run=step != SAVE)
    except ChangedMeanwhile:
        return _edit_page(place, form, status=HTTPStatus.CONFLICT)
    except BillingError as refusal:
        form.add_error("value" if form.cleaned_data["way"] == OWN else None, _said(refusal))
        status = (
            HTTPStatus.CONFLICT
            if isinstance(refusal, Conflict)
            else HTTPStatus.UNPROCESSABLE_ENTITY
        )
        return _edit_page(place, form, status=HTTPStatus.UNPROCESSABLE_ENTITY, answered=status)
    if step != SAVE:
        return _preview_page(place, form, effects)
    messages.success(request, _saved(place, effects.day))
    return redirect(account_url(place.account_id, "settings"))


@require_POST
@staff_only
def recall_setting(request: ActorRequest, account_id: str, setting: str) -> HttpResponse:
    """Take a planned change back."""
    place = _place(request, account_id, setting)
    try:
        day = date.fromisoformat(request.POST.get("day", ""))
    except ValueError:
        raise Http404 from None
    try:
        cancel_planned_setting(
            request.actor,
            place.account_id,
            place.name,
            day,
            today=request.actor.today,
            now=timezone.now(),
        )
    except Conflict as refusal:
        messages.error(request, refusal.detail)
    else:
        said = {"setting": place.setting.label}
        messages.success(request, _("The planned change of “%(setting)s” was taken back.") % said)
    return redirect(account_url(place.account_id, "settings"))


def _place(request: ActorRequest, account_id: str, name: str) -> _Place:
    key = key_of("acc", account_id)
    if name not in SETTINGS:
        raise Http404
    found = setting_chains(request.actor, key, request.actor.today)
    return _Place(request, key, SETTINGS[name], found)


def _change(place: _Place, form: SettingForm, *, is_dry_run: bool) -> Effects:
    actor, values = place.request.actor, form.cleaned_data
    locks = {}
    if "lock" in form.fields and values["way"] == OWN:
        locks = {place.name: values["lock"]}
    return change_settings(
        actor,
        place.account_id,
        WantedSettings({place.name: values["value"]}, values.get("day") or actor.today, locks),
        today=actor.today,
        version=version_seen(place.request),
        is_dry_run=is_dry_run,
        now=timezone.now(),
    )


def _said(refusal: BillingError) -> str:
    if refusal.errors and refusal.code == "invalid_settings":
        return refusal.errors[0].detail
    return refusal.detail


def _saved(place: _Place, day: date) -> str:
    said = {"setting": place.setting.label, "day": day_text(day)}
    if day > place.request.actor.today:
        return _("Planned: “%(setting)s” changes on %(day)s.") % said
    return _("Saved. “%(setting)s” holds from today.") % said


def _source(place: _Place) -> str:
    """Return where the value comes from; empty where nobody has set one."""
    if place.effective.source != "tenant":
        return place.effective.source
    is_nobodys = place.setting.is_account or place.effective.value is None
    return "" if is_nobodys else "default"


def _context(place: _Place, form: SettingForm) -> dict[str, Any]:
    setting, effective = place.setting, place.effective
    steps = steps_to(place.found.path, page="settings")
    here = Crumb(place.account.name, account_url(place.account_id, "settings"))
    return {
        "account": place.account,
        "title": str(setting.label),
        "steps": [*steps[:-1], here, Crumb(str(setting.label))],
        "help": setting.help,
        "form": form,
        "back_url": here.url,
        "value": value_text(place.name, effective.value, effective.target_name),
        "source": _source(place),
        "origin": effective.origin_name or place.request.tenant.name,
        "lock": (effective.lock_name or place.request.tenant.name) if effective.is_locked else "",
        "scope_name": place.account.name,
    }


def _edit_page(
    place: _Place,
    form: SettingForm,
    *,
    status: HTTPStatus = HTTPStatus.OK,
    answered: HTTPStatus | None = None,
) -> HttpResponse:
    own = place.found.intervals
    if status == HTTPStatus.CONFLICT:
        own = list(own_intervals(place.request.actor, place.account_id))
    stored = intervals_shown(row for row in own if row.name == place.name)
    context = _context(place, form)
    keeps = status == HTTPStatus.UNPROCESSABLE_ENTITY or place.request.POST.get("step") == EDIT
    carried = HTTPStatus.UNPROCESSABLE_ENTITY if keeps else status
    context["version"] = version_to_carry(place.request, stored, status=carried)
    if status == HTTPStatus.CONFLICT:
        mine = value_text(place.name, form.cleaned_data["value"])
        if isinstance(form.cleaned_data["value"], UUID):
            mine = dict(form.fields["value"].widget.choices)[form.data["value"]]
        label = {"label": place.setting.label, "mine": mine or _("inherited")}
        context["conflict"] = [{**label, "stored": context["value"] or "–"}]
    return render(
        place.request, "customers/setting_change.html", context, status=answered or status
    )


def _preview_page(place: _Place, form: SettingForm, effects: Effects) -> HttpResponse:
    held = {name: place.request.POST.get(name, "") for name in form.fields}
    context = {
        **_context(place, form),
        "version": place.request.POST.get("version", ""),
        "held": {name: value for name, value in held.items() if value},
        "day": effects.day,
        "is_planned": effects.day > place.request.actor.today,
        "effects": effect_sentences(effects),
        "before": _worded(place, effects.effects[0].before),
        "after": _worded(place, effects.effects[0].after),
        "after_source": effects.effects[0].after.source,
        "locks": bool(form.cleaned_data.get("lock")) and form.cleaned_data["way"] == OWN,
        "warnings": warning_sentences(effects),
        "coming": coming_changes(
            place.request.actor,
            place.account_id,
            {place.name: form.cleaned_data["value"]},
            day=effects.day,
            tenant=place.request.tenant,
        )
        if place.setting.is_used
        else None,
    }
    return render(place.request, "customers/setting_preview.html", context)


def _worded(place: _Place, held: Any) -> str:
    return value_text(place.name, held.value, held.target_name)
