"""What the shapes of all apps are made of: fields, and parameters of lists."""

import re
from datetime import UTC
from decimal import Decimal
from typing import Any, ClassVar
from uuid import UUID

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from tenancy.api.reading import OwnForm
from tenancy.ids import public_id

_DIGITS = re.compile(r"-?[0-9]{1,30}(\.[0-9]{1,30})?", re.ASCII)
MAX_LIMIT = 200
DEFAULT_LIMIT = 50


@extend_schema_field(OpenApiTypes.STR)
class IdField(serializers.Field[UUID, str, str, Any]):
    """A key as its prefixed public id."""

    def __init__(self, prefix: str, **kwargs: Any) -> None:
        """Keep the prefix of what the key belongs to."""
        self.prefix = prefix
        super().__init__(read_only=True, **kwargs)

    def to_representation(self, value: UUID) -> str:
        """Return ``acc_…``, ``inv_…`` and so on."""
        return public_id(self.prefix, value)


@extend_schema_field(OpenApiTypes.STR)
class DecimalTextField(serializers.Field[Decimal, str, str, Any]):
    """An exact decimal as text without needless zeros, never a JSON float."""

    def __init__(self, **kwargs: Any) -> None:
        """Only ever shown."""
        super().__init__(read_only=True, **kwargs)

    def to_representation(self, value: Decimal) -> str:
        """Return plain digits: ``2.5``, ``100``, ``0``."""
        text = format(value, "f")
        return text.rstrip("0").rstrip(".") if "." in text else text


@extend_schema_field(OpenApiTypes.STR)
class DecimalIn(OwnForm, serializers.Field[Decimal, str | int, str, Any]):
    """An exact decimal as text, or a whole number; never a JSON float, which rounds."""

    default_error_messages: ClassVar = {"invalid": _("Plain digits such as “2.5” are expected.")}

    def type_fault(self, value: object) -> Promise | None:
        """Refuse everything but texts and whole numbers."""
        is_exact = isinstance(value, str | int) and not isinstance(value, bool)
        return None if is_exact else _("A decimal number as a text is expected, such as “2.5”.")

    def to_internal_value(self, data: str | int) -> Decimal:
        """Return the number.

        Raises:
            ValidationError: it has another form than plain digits, or very many of them.
        """
        if not _DIGITS.fullmatch(str(data)):
            self.fail("invalid")
        return Decimal(data)

    def to_representation(self, value: Decimal) -> str:
        """Return plain digits."""
        return format(value, "f")


class InstantField(serializers.DateTimeField):
    """An instant in UTC."""

    def __init__(self, **kwargs: Any) -> None:
        """Show it in UTC whatever time zone is active."""
        super().__init__(read_only=True, default_timezone=UTC, **kwargs)


class DayField(serializers.DateField):
    """A date as ``YYYY-MM-DD`` and nothing else."""

    def __init__(self, **kwargs: Any) -> None:
        """Accept no other form of ISO 8601."""
        super().__init__(format="%Y-%m-%d", input_formats=["%Y-%m-%d"], **kwargs)


class NoParameters(serializers.Serializer[Any]):
    """A request without query parameters."""


class DryRunParameters(serializers.Serializer[Any]):
    """Whether anything is stored."""

    dry_run = serializers.ChoiceField(
        ("true", "false"),
        default="false",
        help_text="`true`: check all and answer what would be there; nothing is stored.",
    )


class PageParameters(serializers.Serializer[Any]):
    """Which page of a list."""

    limit = serializers.IntegerField(
        min_value=1, max_value=MAX_LIMIT, default=DEFAULT_LIMIT, help_text="Rows of a page."
    )
    cursor = serializers.CharField(
        required=False, max_length=2000, help_text="`next_cursor` of the page before."
    )


class WithinAsIn(serializers.Serializer[Any]):
    """Calls its field ``within`` what integrators call it: ``in`` is a word of Python."""

    def get_fields(self) -> dict[str, Any]:
        """Call ``within`` what integrators call it."""
        return {"in" if name == "within" else name: f for name, f in super().get_fields().items()}


class WithinParameters(WithinAsIn, PageParameters):
    """A page of what belongs to a subtree."""

    within = serializers.CharField(
        required=False, max_length=250, help_text="Only this account and what lies below it."
    )


class StrictBooleanField(serializers.BooleanField):
    """``true`` or ``false`` of JSON and nothing that resembles them: ``"yes"`` is a text."""

    def to_internal_value(self, data: Any) -> bool:
        """Return the value.

        Raises:
            ValidationError: it is anything but a boolean.
        """
        if not isinstance(data, bool):
            self.fail("invalid", input=data)
        return data


class InstantIn(OwnForm, serializers.DateTimeField):
    """An instant as text, with its offset from UTC (RFC 3339)."""

    def type_fault(self, value: object) -> Promise | None:
        """Refuse everything but texts."""
        return None if isinstance(value, str) else _("A text is expected.")
