"""``/api/v1/accounts/{id}/settings``: what holds, and changing it, with what that does."""

from typing import ClassVar

from django.http.response import HttpResponseBase
from django.utils import timezone
from drf_spectacular.utils import PolymorphicProxySerializer, extend_schema
from rest_framework.response import Response

from accounts.access import Action
from accounts.api.settings import (
    effects_shown,
    require_settings_seen,
    setting_values,
    settings_account,
    settings_out,
)
from accounts.operations.account_settings import WantedSettings, change_settings
from accounts.serializers.accounts import AsOfParameters, SettingsOut
from accounts.serializers.settings import SettingParameters, SettingsIn
from invoicing.queries.setting_outlook import coming_changes
from invoicing.serializers.settings import OutlookOut
from tenancy.api.answering import ActorApiRequest, ActorView, tagged
from tenancy.api.reading import read_body


class AccountSettings(ActorView):
    """``GET`` and ``PATCH /api/v1/accounts/{id}/settings``."""

    scopes: ClassVar = {"GET": Action.VIEW_SETTINGS, "PATCH": Action.EDIT_SETTINGS}

    @extend_schema(
        operation_id="get_settings",
        parameters=[AsOfParameters],
        responses=SettingsOut,
    )
    def get(self, request: ActorApiRequest, account: str) -> HttpResponseBase:
        """Show the settings that hold on an account, and where each comes from."""
        actor, values = request.actor, self.parameters(request, AsOfParameters)
        account_id = settings_account(actor, account)
        shown = settings_out(actor, account_id, values.get("as_of", actor.today))
        return tagged(request, shown)

    @extend_schema(
        operation_id="change_settings",
        parameters=[SettingParameters],
        request=SettingsIn,
        responses=PolymorphicProxySerializer(
            "ChangedSettings", [SettingsOut, OutlookOut], resource_type_field_name=None
        ),
    )
    def patch(self, request: ActorApiRequest, account: str) -> HttpResponseBase:
        """Change settings from today or a later day on; with `dry_run` only say what it does."""
        actor, parameters = request.actor, self.parameters(request, SettingParameters)
        account_id = settings_account(actor, account)
        values = read_body(request, SettingsIn)
        wanted = WantedSettings(
            values=setting_values(actor, values),
            day=values.get("effective_date", actor.today),
            locks={
                **dict.fromkeys(values.get("lock", ()), True),
                **dict.fromkeys(values.get("unlock", ()), False),
            },
        )
        effects = change_settings(
            actor,
            account_id,
            wanted,
            today=actor.today,
            require_seen=lambda: require_settings_seen(request, account_id),
            is_dry_run=parameters["dry_run"],
            now=timezone.now(),
        )
        if parameters["dry_run"]:
            coming = coming_changes(
                actor, account_id, wanted.values, day=wanted.day, tenant=request.tenant
            )
            return Response(OutlookOut({**effects_shown(effects), "next_invoices": coming}).data)
        return tagged(request, settings_out(actor, account_id, actor.today))
