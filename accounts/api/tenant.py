"""``/api/v1/tenant``: who the tenant is, and the defaults that its accounts inherit."""

from dataclasses import asdict
from typing import Any, ClassVar
from uuid import UUID

from django.http.response import HttpResponseBase
from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.utils import PolymorphicProxySerializer, extend_schema
from rest_framework.response import Response

from accounts.access import Action
from accounts.declarations import SETTINGS
from accounts.operations.account_settings import WantedSettings, change_defaults
from accounts.queries.tenant_settings import tenant_defaults
from accounts.serializers.parts import NoParameters
from accounts.serializers.settings import SettingParameters
from accounts.serializers.tenant import DefaultEffectsOut, TenantDetailOut, TenantIn
from tenancy.api.answering import ActorApiRequest, ActorView, tagged
from tenancy.api.preconditions import require_match, require_named
from tenancy.api.reading import InvalidBody, read_body
from tenancy.errors import FieldError
from tenancy.ids import parse_public_id, public_id


class TenantDetail(ActorView):
    """``GET`` and ``PATCH /api/v1/tenant``."""

    scopes: ClassVar = {"GET": Action.VIEW_SETTINGS, "PATCH": Action.MANAGE_TENANT}

    @extend_schema(operation_id="get_tenant", responses=TenantDetailOut)
    def get(self, request: ActorApiRequest) -> HttpResponseBase:
        """Show the tenant, with the defaults that hold today."""
        self.parameters(request, NoParameters)
        return tagged(request, _shown(request))

    @extend_schema(
        operation_id="change_tenant",
        parameters=[SettingParameters],
        request=TenantIn,
        responses=PolymorphicProxySerializer(
            "ChangedTenant", [TenantDetailOut, DefaultEffectsOut], resource_type_field_name=None
        ),
        description="Change defaults, from today or a later day on. `If-Match` is demanded (428).",
    )
    def patch(self, request: ActorApiRequest) -> HttpResponseBase:
        """Change defaults, from today or a later day on; `If-Match` is demanded."""
        actor, parameters = request.actor, self.parameters(request, SettingParameters)
        require_named(request)
        values = read_body(request, TenantIn)
        wanted = WantedSettings(
            _values(values.get("settings", {})), values.get("effective_date", actor.today)
        )
        effects = change_defaults(
            actor,
            wanted,
            today=actor.today,
            require_seen=lambda: require_match(request, lambda: _shown(request)),
            is_dry_run=parameters["dry_run"],
            now=timezone.now(),
        )
        if parameters["dry_run"]:
            rows = [
                {**asdict(one), "before": _plain(one.name, one.before),
                 "after": _plain(one.name, one.after)}
                for one in effects
            ]  # fmt: skip
            return Response(DefaultEffectsOut({"day": wanted.day, "effects": rows}).data)
        return tagged(request, _shown(request))


def _values(given: dict[str, Any]) -> dict[str, Any]:
    """Return the defaults that a body names, the seller by its id."""
    seller = given.get("seller")
    if seller is None:
        return given
    key = parse_public_id("sel", seller)
    if key is None:
        wrong = FieldError("not_found", _("There is no such seller."), "/settings/seller")
        raise InvalidBody(errors=[wrong])
    return {**given, "seller": key}


def _shown(request: ActorApiRequest) -> dict[str, Any]:
    tenant, actor = request.tenant, request.actor
    found = tenant_defaults(actor, actor.today)
    fields = ("public_id", "slug", "name", "country", "currency", "time_zone", "is_sandbox",
              "approval_required", "four_eyes")  # fmt: skip
    values = {name: _plain(name, value) for name, value in found.values.items()}
    shown = {**{name: getattr(tenant, name) for name in fields}, "settings": values}
    return dict(TenantDetailOut(shown).data)


def _plain(name: str, value: Any) -> Any:
    return public_id(SETTINGS[name].kind.id_prefix, value) if isinstance(value, UUID) else value
