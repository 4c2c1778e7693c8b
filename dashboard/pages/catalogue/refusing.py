"""What a form of the catalogue says of what an operation refuses."""

from collections.abc import Mapping
from typing import Any

from django import forms

from tenancy.errors import Conflict, Invalid


def refuse(
    form: forms.Form,
    refusal: Conflict | Invalid,
    named: Mapping[str, str],
    otherwise: str | None = None,
) -> None:
    """Say at its fields what was refused; above all of them what belongs to none.

    Args:
        form: bound.
        refusal: with errors that point to fields, or as a whole.
        named: at which field a refusal as a whole stands, by its code.
        otherwise: where one stands that is not named; None for above all fields.
    """
    fields: Mapping[str, Any] = form.fields
    for error in refusal.errors:
        name = error.pointer.removeprefix("/")
        form.add_error(name if name in fields else None, error.detail)
    if not refusal.errors:
        form.add_error(named.get(refusal.code, otherwise), refusal.detail)
