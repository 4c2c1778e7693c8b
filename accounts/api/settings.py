"""``/api/v1/accounts/{id}/settings/…``: what was and is planned; settings as they go out.

The settings themselves are in ``invoicing.api.settings``: what a change does to invoices is theirs.
"""

from collections.abc import Mapping
from dataclasses import asdict
from datetime import date
from typing import Any, ClassVar
from uuid import UUID

from django.http.response import HttpResponseBase
from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework.response import Response

from accounts.access import Action
from accounts.api.references import referred
from accounts.declarations import SETTINGS
from accounts.operations.account_settings import (
    cancel_planned_setting,
)
from accounts.queries import accounts as queries
from accounts.queries.effective_settings import EffectiveSetting, settings_of
from accounts.queries.setting_effects import Effects
from accounts.queries.setting_stretches import own_stretches
from accounts.serializers.accounts import SettingsOut
from accounts.serializers.parts import NoParameters, PageParameters
from accounts.serializers.settings import (
    SettingRecallIn,
    StretchOut,
)
from accounts.words import warning_sentence
from tenancy.actor import Actor
from tenancy.api.answering import ActorApiRequest, ActorView, many, tagged
from tenancy.api.preconditions import require_match
from tenancy.api.reading import InvalidBody, pointer, read_body
from tenancy.errors import FieldError
from tenancy.ids import parse_public_id, public_id


class SettingHistory(ActorView):
    """``GET /api/v1/accounts/{id}/settings/history``."""

    scopes: ClassVar = {"GET": Action.VIEW_SETTINGS}

    @extend_schema(
        operation_id="list_setting_history",
        parameters=[PageParameters],
        responses=StretchOut(many=True),
    )
    def get(self, request: ActorApiRequest, account: str) -> Response:
        """List what an account has set itself, from when to when, and what is planned."""
        actor = request.actor
        self.parameters(request, PageParameters)
        found = own_stretches(actor, settings_account(actor, account), today=actor.today)
        shown = [{**asdict(one), "value": plain_value(one.name, one.value)} for one in found]
        return self.listed(many(StretchOut, self.page(shown, request)))


class SettingRecall(ActorView):
    """``POST /api/v1/accounts/{id}/settings/recall``."""

    scopes: ClassVar = {"POST": Action.EDIT_SETTINGS}

    @extend_schema(
        operation_id="recall_planned_setting", request=SettingRecallIn, responses=SettingsOut
    )
    def post(self, request: ActorApiRequest, account: str) -> HttpResponseBase:
        """Take back a planned change: what holds before it goes on."""
        actor = request.actor
        self.parameters(request, NoParameters)
        account_id = settings_account(actor, account)
        values = read_body(request, SettingRecallIn)
        cancel_planned_setting(
            actor,
            account_id,
            values["setting"],
            values["effective_date"],
            today=actor.today,
            require_seen=lambda: require_settings_seen(request, account_id),
            now=timezone.now(),
        )
        return tagged(request, settings_out(actor, account_id, actor.today))


def settings_account(actor: Actor, text: str) -> UUID:
    """Return the account of an address, if the actor may see its settings."""
    return queries.resolve_reference(actor, text, action=Action.VIEW_SETTINGS)


def require_settings_seen(request: ActorApiRequest, account_id: UUID) -> None:
    """Refuse if `If-Match` names other settings than hold today."""
    actor = request.actor
    require_match(request, lambda: settings_out(actor, account_id, actor.today))


def setting_values(actor: Actor, given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings that a body names; references as ids.

    Raises:
        InvalidBody: an account is out of reach, or a seller is none.
    """
    values = {name: given[name] for name in SETTINGS if name in given}
    for name, value in values.items():
        if value is None:
            continue
        if SETTINGS[name].is_account:
            values[name] = referred(actor, given, name, refusal=InvalidBody)
        elif SETTINGS[name].is_seller:
            values[name] = parse_public_id("sel", value)
            if values[name] is None:
                wrong = FieldError("not_found", _("There is no such seller."), pointer(name))
                raise InvalidBody(errors=[wrong])
    return values


def settings_out(actor: Actor, account_id: UUID, day: date) -> dict[str, Any]:
    """Return the settings that hold on an account, as they go out."""
    found = settings_of(actor, account_id, day)
    return dict(SettingsOut({name: _shown(one) for name, one in found.items()}).data)


def _shown(setting: EffectiveSetting) -> dict[str, Any]:
    return {
        "value": plain_value(setting.name, setting.value),
        "source": setting.source,
        "from": public_id("acc", setting.origin_id) if setting.origin_id else None,
        "locked": setting.is_locked,
    }


def plain_value(name: str, value: Any) -> Any:
    """Return the value of a setting as it goes out."""
    return public_id(SETTINGS[name].kind.id_prefix, value) if isinstance(value, UUID) else value


def effects_shown(effects: Effects) -> dict[str, Any]:
    """Return effects with ids as they go out."""
    return {
        "day": effects.day,
        "effects": [
            {
                **asdict(one),
                "before": {**asdict(one.before), "value": plain_value(one.name, one.before.value)},
                "after": {**asdict(one.after), "value": plain_value(one.name, one.after.value)},
            }
            for one in effects.effects
        ],
        "reroutes": [
            {
                "name": one.name,
                "before": public_id("acc", one.before_id) if one.before_name else None,
                "after": public_id("acc", one.after_id) if one.after_name else None,
                "accounts": one.accounts,
            }
            for one in effects.reroutes
        ],
        "warnings": [
            {**asdict(one), "detail": warning_sentence(one.code, one.name, one.accounts, one.who)}
            for one in effects.warnings
        ],
    }
