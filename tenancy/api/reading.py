"""What integrators send: parameters, bodies, and accounts they refer to, as values."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.settings import api_settings

from tenancy.errors import FieldError, Invalid


class InvalidParameters(Invalid):
    """Query parameters are unknown, doubled or mean nothing."""

    code = "invalid_parameters"
    message = gettext_lazy("The query parameters are not valid.")


class InvalidBody(Invalid):
    """The body can be read but means nothing sensible."""

    code = "invalid_body"
    message = gettext_lazy("The body is not valid.")


def read_parameters(request: Request, shape: type[serializers.Serializer[Any]]) -> dict[str, Any]:
    """Return the query parameters of a request as values.

    Raises:
        InvalidParameters: one is unknown, comes twice or has no meaning.
    """
    given = request.query_params
    reader = shape(data=given)
    errors = [
        FieldError("doubled_parameter", _("It may be given once."), pointer(name))
        for name, values in given.lists()
        if len(values) > 1
    ]
    # The framework takes an empty filter for one left out, which would show all.
    errors += [
        FieldError("blank", _("It may not be empty."), pointer(name))
        for name, value in given.items()
        if not value
    ]
    errors += _faults(reader, given, is_text=True)
    if errors:
        raise InvalidParameters(errors=errors)
    return dict(reader.validated_data)


def read_body(request: Request, shape: type[serializers.Serializer[Any]]) -> dict[str, Any]:
    """Return the body of a request as values.

    Raises:
        InvalidBody: it is no object, or a member of it is unknown, missing or has no meaning.
    """
    if not isinstance(request.data, Mapping):
        wrong = FieldError("not_an_object", _("An object is expected."))
        raise InvalidBody(errors=[wrong])
    reader = shape(data=request.data)
    if errors := _faults(reader, request.data):
        raise InvalidBody(errors=errors)
    return dict(reader.validated_data)


def _faults(
    reader: serializers.Serializer[Any], given: Mapping[str, Any], *, is_text: bool = False
) -> list[FieldError]:
    unknown = list(_unknown(reader, given, ""))
    mistyped = list(_mistyped(reader, given, "", is_text))
    errors = [*unknown, *mistyped]
    if not reader.is_valid():
        known = {fault.pointer for fault in mistyped}
        errors += [fault for fault in _told(reader.errors, "") if fault.pointer not in known]
    return errors


def _unknown(field: Any, given: Any, here: str) -> Iterator[FieldError]:
    """Yield the members that nothing reads, of the objects within as well."""
    for child, value, there in _within(field, given, here):
        if child is None:
            yield FieldError("unknown_name", _("There is nothing of this name."), there)
        else:
            yield from _unknown(child, value, there)


def _mistyped(field: Any, given: Any, here: str, is_text: bool) -> Iterator[FieldError]:
    """Yield what is not of the type that its field wants, of the objects within as well."""
    for child, value, there in _within(field, given, here):
        fault = None if child is None else type_fault(child, value, is_text)
        if fault is not None:
            yield FieldError("invalid", str(fault), there)
        else:
            yield from _mistyped(child, value, there, is_text)


def _within(field: Any, given: Any, here: str) -> Iterator[tuple[Any, Any, str]]:
    """Yield what an object or a list holds: its field, None if there is none; value; pointer."""
    if isinstance(field, serializers.Serializer) and isinstance(given, Mapping):
        for name, value in given.items():
            yield field.fields.get(name), value, here + pointer(str(name))
    elif isinstance(field, _LISTS) and isinstance(given, list):
        for place, value in enumerate(given):
            yield field.child, value, f"{here}/{place}"


def _told(errors: Any, here: str) -> Iterator[FieldError]:
    """Yield what the framework says of an object, and of the objects within."""
    named = errors.items() if isinstance(errors, Mapping) else enumerate(errors)
    for name, inner in named:
        if isinstance(inner, str):
            # The last step says what is wrong, not where.
            yield FieldError(getattr(inner, "code", "invalid"), str(inner), here)
        elif inner:
            is_whole = name == api_settings.NON_FIELD_ERRORS_KEY
            yield from _told(inner, here if is_whole else here + pointer(str(name)))


class OwnForm:
    """A field that says itself which types it reads."""

    def type_fault(self, value: object) -> Promise | None:
        """Return what is wrong with the type of a value of JSON, None where it is right."""
        raise TypeError(f"{type(self).__name__} does not say what it reads, as {value!r}")


# The framework takes "yes" and 1 for true, 1.0 for 1, 7 for "7" and 2026-1-1 for a day. What is
# meant would be guessed, so a value has exactly one form. More special kinds come first.
_Fits = Callable[[Any], bool]
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_WHOLE = re.compile(r"-?\d+", re.ASCII)
_LISTS = (serializers.ListField, serializers.ListSerializer)
_Kinds = type[serializers.Field[Any, Any, Any, Any]] | tuple[type[Any], ...]
_TYPES: Sequence[tuple[_Kinds, _Fits, _Fits, Promise]] = (
    (
        serializers.BooleanField,
        lambda value: isinstance(value, bool),
        lambda text: text in {"true", "false"},
        gettext_lazy("A boolean is expected: true or false."),
    ),
    (
        serializers.IntegerField,
        lambda value: isinstance(value, int) and not isinstance(value, bool),
        lambda text: bool(_WHOLE.fullmatch(text)),
        gettext_lazy("A whole number is expected."),
    ),
    (
        serializers.DateField,
        lambda value: isinstance(value, str) and bool(_DAY.fullmatch(value)),
        lambda text: bool(_DAY.fullmatch(text)),
        gettext_lazy("A date written YYYY-MM-DD is expected."),
    ),
    (
        serializers.ChoiceField,
        lambda value: isinstance(value, str),
        lambda text: True,
        gettext_lazy("A text is expected."),
    ),
    (
        serializers.DictField,
        lambda value: isinstance(value, Mapping),
        lambda text: False,
        gettext_lazy("An object is expected."),
    ),
    (
        serializers.CharField,
        lambda value: isinstance(value, str),
        lambda text: True,
        gettext_lazy("A text is expected."),
    ),
    (
        _LISTS,
        lambda value: isinstance(value, list),
        lambda text: False,
        gettext_lazy("A list is expected."),
    ),
    (
        (serializers.Serializer, serializers.DictField),
        lambda value: isinstance(value, Mapping),
        lambda text: False,
        gettext_lazy("An object is expected."),
    ),
    (
        serializers.JSONField,
        lambda value: True,
        lambda text: False,
        gettext_lazy("A value of JSON is expected."),
    ),
)


def type_fault(
    field: serializers.Field[Any, Any, Any, Any], value: object, is_text: bool
) -> Promise | None:
    """Return what is wrong with the type of a value, None where it is as its field wants it.

    Args:
        field: a parameter, or a member of a body.
        value: what was sent.
        is_text: it is a part of an address, where everything is text.

    Raises:
        TypeError: nobody has said how strictly this kind of field is read.
    """
    if value is None and field.allow_null:
        return None
    if isinstance(field, OwnForm):
        return field.type_fault(value)
    for kind, fits, text_fits, message in _TYPES:
        if isinstance(field, kind):
            return None if (text_fits if is_text else fits)(value) else message
    raise TypeError(f"no form is agreed upon for {type(field).__name__}")


def pointer(name: str) -> str:
    """Return the JSON pointer to a member (RFC 6901)."""
    return "/" + name.replace("~", "~0").replace("/", "~1")
