"""Shapes of the tenant: who it is, and the defaults that accounts inherit."""

from typing import Any

from rest_framework import serializers

from accounts.declarations import SETTINGS
from accounts.operations.account_settings.defaults import CHANGEABLE
from accounts.serializers.accounts import TenantOut
from accounts.serializers.parts import DayField
from accounts.serializers.settings import SettingField


class DefaultsOut(serializers.Serializer[Any]):
    """Every default by its name; null where there is none."""

    def get_fields(self) -> dict[str, Any]:
        """Return one field for each setting that a tenant has a default of."""
        return {
            name: serializers.JSONField(help_text=str(one.does))
            for name, one in SETTINGS.items()
            if one.has_tenant_default
        }


class TenantDetailOut(TenantOut):
    """A tenant with its defaults."""

    approval_required = serializers.BooleanField()
    four_eyes = serializers.BooleanField()
    settings = DefaultsOut()


class DefaultsIn(serializers.Serializer[Any]):
    """New defaults; those left out stay."""

    def get_fields(self) -> dict[str, Any]:
        """Return one member for each default that can be changed."""
        return {name: SettingField(SETTINGS[name]) for name in CHANGEABLE}


class TenantIn(serializers.Serializer[Any]):
    """What is to change of a tenant."""

    settings = DefaultsIn(required=False)
    effective_date = DayField(
        required=False, help_text="Since when the defaults hold; today if left out."
    )


class DefaultEffectOut(serializers.Serializer[Any]):
    """What another default does."""

    setting = serializers.CharField(source="name")
    before = serializers.JSONField()
    after = serializers.JSONField()
    accounts_following = serializers.IntegerField(source="following")
    accounts_keeping = serializers.IntegerField(source="keeping")


class DefaultEffectsOut(serializers.Serializer[Any]):
    """What other defaults do."""

    effective_date = DayField(source="day")
    changes = DefaultEffectOut(source="effects", many=True)
