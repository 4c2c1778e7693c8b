"""Shapes of meters and of what was used."""

from typing import Any

from rest_framework import serializers

from accounts.serializers.parts import (
    DayField,
    DecimalIn,
    DecimalTextField,
    IdField,
    InstantField,
    InstantIn,
    WithinParameters,
)
from billing_rules.metering import Aggregation
from subscriptions.models import Meter

_NAME = 200
_REFERENCE = 250
_AGGREGATIONS = [one.value for one in Aggregation]
_HOW = (
    "How the events of a period become its quantity: their sum, the largest, that of the latest,"
    " or how many different `unique_key`s came."
)


class MeterIn(serializers.Serializer[Any]):
    """A meter to add."""

    external_id = serializers.CharField(max_length=_NAME, help_text="What events call it.")
    name = serializers.CharField(max_length=_NAME)
    unit = serializers.CharField(required=False, max_length=20, allow_blank=True)
    aggregation = serializers.ChoiceField(_AGGREGATIONS, help_text=_HOW)


class MeterPatchIn(serializers.Serializer[Any]):
    """What is to be changed of a meter; of one that prices are charged by its name and unit."""

    external_id = serializers.CharField(required=False, max_length=_NAME)
    name = serializers.CharField(required=False, max_length=_NAME)
    unit = serializers.CharField(required=False, max_length=20, allow_blank=True)
    aggregation = serializers.ChoiceField(_AGGREGATIONS, required=False)


class MeterOut(serializers.Serializer[Meter]):
    """Something that is measured as it is used."""

    id = IdField("mtr")
    external_id = serializers.CharField()
    name = serializers.CharField()
    unit = serializers.CharField()
    aggregation = serializers.CharField()
    archived_at = InstantField(
        allow_null=True, help_text="Since when no new price is charged by it."
    )
    created_at = InstantField()


class UsageIn(serializers.Serializer[Any]):
    """Something that was used."""

    event_id = serializers.CharField(max_length=_NAME, help_text="Your own; each counts once.")
    subscription = serializers.CharField(max_length=_REFERENCE, help_text="`sub_…` or `ext:…`")
    meter = serializers.CharField(max_length=_REFERENCE, help_text="`mtr_…` or `ext:…`")
    quantity = DecimalIn(help_text="0 or more, with up to 12 digits and 6 decimals.")
    at = InstantIn(help_text="With its offset from UTC, as 2026-11-05T14:30:00Z.")
    unique_key = serializers.CharField(
        required=False, max_length=_NAME, help_text="Whom or what a unique count counts."
    )


class ReportedOut(serializers.Serializer[Any]):
    """What became of a report."""

    accepted = serializers.IntegerField(help_text="So many events are new.")
    duplicates = serializers.IntegerField(
        help_text="So many were there already, or came twice; each counts once."
    )
    reused = serializers.ListField(
        child=serializers.CharField(),
        help_text="Ids of duplicates that say something else than what is stored, which holds.",
    )


class UsageParameters(WithinParameters):
    """Which days of which subscriptions."""

    subscription = serializers.CharField(required=False, max_length=_REFERENCE)
    meter = serializers.CharField(required=False, max_length=_REFERENCE)
    since = DayField(required=False, help_text="From this day on.")
    to = DayField(required=False, help_text="Before this day.")

    def get_fields(self) -> dict[str, Any]:
        """Call ``since`` what integrators call it: ``from`` is a word of Python."""
        names = {"since": "from"}
        return {names.get(name, name): field for name, field in super().get_fields().items()}


class UsageOut(serializers.Serializer[Any]):
    """What a meter measured of a subscription on a day."""

    subscription = IdField("sub", source="subscription_id")
    account = IdField("acc", source="subscription.account_id")
    meter = IdField("mtr", source="meter_id")
    day = DayField(read_only=True, help_text="As days are where the account is.")
    events = serializers.IntegerField()
    quantity = DecimalTextField(
        help_text="Of the day; that of a period is not always the sum of its days."
    )
