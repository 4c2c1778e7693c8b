"""Shapes of the billing calendar."""

from typing import Any, ClassVar

from django.utils.translation import gettext_lazy as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from accounts.serializers.accounts import AccountReferenceOut
from accounts.serializers.parts import DayField, InstantField, WithinParameters
from reports.declarations import KINDS, Kind
from reports.models import CalendarEntry
from reports.words import title_of


@extend_schema_field(OpenApiTypes.STR)
class KindsField(serializers.CharField):
    """Kinds of entries, separated by commas."""

    default_error_messages: ClassVar = {"unknown_kind": _("“%(kind)s” is no kind of entry.")}

    def to_internal_value(self, data: Any) -> Any:
        """Return the kinds.

        Raises:
            ValidationError: one is unknown.
        """
        names = [name.strip() for name in super().to_internal_value(data).split(",")]
        for name in names:
            if name not in set(Kind):
                message = str(self.error_messages["unknown_kind"]) % {"kind": name[:40]}
                raise serializers.ValidationError(message, code="unknown_kind")
        return [Kind(name) for name in dict.fromkeys(names)]


class CalendarParameters(WithinParameters):
    """Which days, of what and of whom."""

    first = DayField(required=False, help_text="The first day; today if left out.")
    last = DayField(
        required=False, help_text="The last day, included; 30 days after the first if left out."
    )
    kinds = KindsField(
        required=False,
        max_length=250,
        help_text=f"Only these, separated by commas: {', '.join(KINDS)}.",
    )

    def get_fields(self) -> dict[str, Any]:
        """Call the days what integrators call them: ``from`` is a word of Python."""
        names = {"first": "from", "last": "to"}
        return {names.get(name, name): one for name, one in super().get_fields().items()}


class LinksOut(serializers.Serializer[CalendarEntry]):
    """What is stored of an entry; null where nothing is, or not yet."""

    invoice = serializers.SerializerMethodField()
    subscription = serializers.SerializerMethodField()
    billing_run = serializers.SerializerMethodField()
    plan = serializers.SerializerMethodField()

    @extend_schema_field({"type": ["string", "null"]})
    def get_invoice(self, entry: CalendarEntry) -> str | None:
        """Return the invoice's id."""
        return _subject(entry, "invoice")

    @extend_schema_field({"type": ["string", "null"]})
    def get_subscription(self, entry: CalendarEntry) -> str | None:
        """Return the subscription's id."""
        return _subject(entry, "subscription")

    @extend_schema_field({"type": ["string", "null"]})
    def get_billing_run(self, entry: CalendarEntry) -> str | None:
        """Return the billing run's id; null while it is to come."""
        return _subject(entry, "run")

    @extend_schema_field({"type": ["string", "null"]})
    def get_plan(self, entry: CalendarEntry) -> str | None:
        """Return the change plan's id."""
        return _subject(entry, "plan", "move", "alignment")


class CalendarEntryOut(serializers.Serializer[CalendarEntry]):
    """Something that falls on a day."""

    date = DayField()
    kind = serializers.ChoiceField([(kind.value, str(kind)) for kind in KINDS])
    account = serializers.SerializerMethodField(help_text="Null: it is of the tenant, as a run.")
    title = serializers.SerializerMethodField()
    amount_minor = serializers.IntegerField(
        allow_null=True,
        help_text="Gross for invoices and what is due of them, net for renewals; else null.",
    )
    currency = serializers.SerializerMethodField()
    is_part = serializers.BooleanField(
        help_text="It is the account's part of an invoice to another account."
    )
    links = LinksOut(source="*")

    @extend_schema_field(AccountReferenceOut(allow_null=True))
    def get_account(self, entry: CalendarEntry) -> dict[str, Any] | None:
        """Return whom it is about."""
        if KINDS[Kind(entry.kind)].is_tenants:
            return None
        return dict(AccountReferenceOut(entry.account).data)

    def get_title(self, entry: CalendarEntry) -> str:
        """Return what it is, in one line."""
        return title_of(entry)

    @extend_schema_field({"type": ["string", "null"]})
    def get_currency(self, entry: CalendarEntry) -> str | None:
        """Return the currency of the amount."""
        return entry.currency or None


class FreshnessOut(serializers.Serializer[Any]):
    """Of when a calendar is."""

    as_of = InstantField(allow_null=True)
    complete_until = DayField(allow_null=True)
    is_being_made = serializers.BooleanField()
    ready_until = DayField(allow_null=True)


def _subject(entry: CalendarEntry, *types: str) -> str | None:
    return entry.subject if entry.subject_type in types else None
