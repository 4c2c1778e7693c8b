"""Shapes of settings: what holds, what is to change, and what that does."""

from typing import Any

from django.utils.translation import gettext as _
from drf_spectacular.drainage import set_override
from rest_framework import serializers

from accounts.declarations import SETTINGS, Setting, ValueRefused
from accounts.declarations.values import Choice, Emails, Whole, YesNo
from accounts.serializers.parts import DayField
from tenancy.api.reading import OwnForm

LOCKABLE = tuple(name for name, setting in SETTINGS.items() if setting.can_be_locked)


class CheckedField(OwnForm, serializers.Field[Any, Any, Any, Any]):
    """A member that checks the type of its value together with all else."""

    def type_fault(self, _value: object) -> None:
        """Leave it to ``to_internal_value``, which says more."""
        return


class SettingField(CheckedField):
    """A new value of one setting, as it is declared; null goes back to inheriting."""

    def __init__(self, setting: Setting, **kwargs: Any) -> None:
        """Read what the declaration says, and describe it."""
        self.setting = setting
        super().__init__(required=False, allow_null=True, help_text=setting.help, **kwargs)
        set_override(self, "field", _described(setting))

    def to_internal_value(self, data: Any) -> Any:
        """Return the value as it is stored; a reference as it was written."""
        try:
            return self.setting.kind.check(data)
        except ValueRefused as refused:
            raise serializers.ValidationError(refused.detail, code=refused.code) from None


def _described(setting: Setting) -> dict[str, Any]:
    """Return the schema of a setting's value."""
    kind = setting.kind
    text = {"description": str(setting.does)}
    match kind:
        case Choice():
            # Null is no choice of its own: it goes back to inheriting.
            return {"type": ["string", "null"], "enum": [*kind.values, None], **text}
        case Whole():
            return {
                "type": ["integer", "null"],
                "minimum": kind.lowest,
                "maximum": kind.highest,
                **text,
            }
        case YesNo():
            return {"type": ["boolean", "null"], **text}
        case Emails():
            return {
                "type": ["array", "null"],
                "items": {"type": "string"},
                "maxItems": kind.most,
                **text,
            }
    return {"type": ["string", "null"], **text}


class SettingsIn(serializers.Serializer[Any]):
    """New own values of settings; those left out stay."""

    effective_date = DayField(
        required=False, help_text="Since when, in the tenant's days; today if left out."
    )

    def get_fields(self) -> dict[str, Any]:
        """Return one member for each setting, and those that say how."""
        fields = super().get_fields()
        for name in ("lock", "unlock"):
            fields[name] = SettingNamesField()
        return {**{name: SettingField(one) for name, one in SETTINGS.items()}, **fields}


class SettingNamesField(CheckedField):
    """Names of settings that accounts below are kept from setting, or may set again."""

    def __init__(self, **kwargs: Any) -> None:
        """Describe it."""
        super().__init__(required=False, **kwargs)
        set_override(self, "field", {"type": "array", "items": {"type": "string"}})

    def to_internal_value(self, data: Any) -> list[str]:
        """Return the names."""
        if not isinstance(data, list) or any(name not in LOCKABLE for name in data):
            message = _("A list of names is expected, of settings that can be locked.")
            raise serializers.ValidationError(message, code="invalid")
        return data


class SettingParameters(serializers.Serializer[Any]):
    """Whether to store anything."""

    dry_run = serializers.BooleanField(
        required=False, default=False, help_text="Answer what it would do, store nothing."
    )


class HeldOut(serializers.Serializer[Any]):
    """A value with where it comes from."""

    value = serializers.JSONField()
    source = serializers.ChoiceField(["own", "inherited", "tenant"])  # type: ignore[assignment]


class EffectOut(serializers.Serializer[Any]):
    """What the change of one setting does, on the day on which it begins."""

    setting = serializers.CharField(source="name")
    before = HeldOut()
    after = HeldOut()
    accounts_following = serializers.IntegerField(
        source="following", help_text="Accounts below that inherit it."
    )
    accounts_keeping = serializers.IntegerField(
        source="keeping", help_text="Accounts below that keep their own value."
    )
    accounts_below_those = serializers.IntegerField(
        source="below_those", help_text="Accounts that follow one of these."
    )
    accounts_changing = serializers.IntegerField(
        source="changing", help_text="Accounts, itself among them, for which another value holds."
    )


class RerouteOut(serializers.Serializer[Any]):
    """Accounts that are invoiced to, or paid for by, somebody else."""

    setting = serializers.CharField(source="name")
    before = serializers.CharField(allow_null=True)
    after = serializers.CharField(allow_null=True)
    accounts = serializers.IntegerField()


class WarningOut(serializers.Serializer[Any]):
    """Something to know; it hinders nothing."""

    code = serializers.CharField()
    setting = serializers.CharField(source="name")
    accounts = serializers.IntegerField()
    detail = serializers.CharField()


class EffectsOut(serializers.Serializer[Any]):
    """What changes of settings would do."""

    effective_date = DayField(source="day")
    changes = EffectOut(source="effects", many=True)
    rerouted = RerouteOut(source="reroutes", many=True)
    warnings = WarningOut(many=True)


class StretchOut(serializers.Serializer[Any]):
    """An own value from a day to a day; null: it inherits."""

    setting = serializers.CharField(source="name")
    value = serializers.JSONField()
    locked = serializers.BooleanField(source="is_locked")
    start = DayField(allow_null=True, help_text="Null: it has always held.")
    end = DayField(allow_null=True, help_text="The first day on which it does not hold.")
    planned = serializers.BooleanField(source="is_planned")


class SettingRecallIn(serializers.Serializer[Any]):
    """Which planned change is taken back."""

    setting = serializers.ChoiceField([*SETTINGS])
    effective_date = DayField()
