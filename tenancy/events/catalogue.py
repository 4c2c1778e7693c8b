"""The catalogue of all that may happen: each app declares what it tells, in its ``events.py``."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


class Kind(StrEnum):
    """What stands in one field of a payload."""

    TEXT = "text"
    WHOLE = "whole"
    AMOUNT = "amount"
    CURRENCY = "currency"
    DAY = "day"
    YES_NO = "yes_no"
    NAMES = "names"
    ID = "id"
    IDS = "ids"


KIND_WORDS: Mapping[Kind, Promise] = {
    Kind.TEXT: _("text"),
    Kind.WHOLE: _("whole number"),
    Kind.AMOUNT: _("amount in minor units"),
    Kind.CURRENCY: _("currency, ISO 4217"),
    Kind.DAY: _("date, as 2026-11-23"),
    Kind.YES_NO: _("true or false"),
    Kind.NAMES: _("list of names"),
    Kind.ID: _("id, as in the API"),
    Kind.IDS: _("list of ids, as in the API"),
}


@dataclass(frozen=True, slots=True)
class Maybe:
    """A field of a payload that may be missing."""

    kind: Kind


class NotDeclared(RuntimeError):
    """Something was told that no catalogue knows: a bug, never input."""


@dataclass(frozen=True)
class Declared:
    """One thing that may happen.

    Attributes:
        name: what and how, as ``invoice.issued``.
        about: the kind of object it happens to.
        meaning: one sentence for those who listen, translated.
        payload: the fields that travel with it.
        version: raised when a field changes its meaning or goes; a new field raises nothing.
        is_told: whether it is an event; otherwise it only stands in the audit trail.
        short: what a history on a page says of it, in a few words; else it says the meaning.
    """

    name: str
    about: str
    meaning: Promise
    payload: Mapping[str, Kind | Maybe] = field(default_factory=dict)
    version: int = 1
    is_told: bool = True
    short: Promise | None = None

    def check(self, payload: Mapping[str, Any]) -> None:
        """Refuse a payload that is not as declared.

        Raises:
            NotDeclared: a field is unknown, missing, or of another kind.
        """
        for name, value in payload.items():
            kind = self.payload.get(name)
            if kind is None:
                raise NotDeclared(f"{self.name} has no field {name}")
            if not _fits(kind.kind if isinstance(kind, Maybe) else kind, value):
                raise NotDeclared(f"{self.name}: {name} can't be {value!r}")
        if len(payload) < len(self.payload):
            for name, kind in self.payload.items():
                if name not in payload and not isinstance(kind, Maybe):
                    raise NotDeclared(f"{self.name} lacks its field {name}")


def _fits(kind: Kind, value: object) -> bool:
    if kind in (Kind.WHOLE, Kind.AMOUNT):
        return type(value) is int
    if kind is Kind.YES_NO:
        return type(value) is bool
    if kind in (Kind.NAMES, Kind.IDS):
        return isinstance(value, list) and all(isinstance(one, str) for one in value)
    if not isinstance(value, str):
        return False
    if kind is Kind.CURRENCY:
        return len(value) == 3 and value.isascii() and value.isupper()
    return kind is not Kind.DAY or _is_day(value)


def _is_day(value: str) -> bool:
    try:
        return date.fromisoformat(value).isoformat() == value
    except ValueError:
        return False


_DECLARED: dict[str, Declared] = {}


def declare(*declared: Declared) -> None:
    """Add to the catalogue; an app does so once, when it is loaded.

    Raises:
        NotDeclared: another declaration has the name already, or one told in the trail alone
            has a payload.
    """
    for one in declared:
        if one.name in _DECLARED:
            raise NotDeclared(f"{one.name} is declared twice")
        if one.payload and not one.is_told:
            raise NotDeclared(f"{one.name} is not told, so nobody would get its payload")
        _DECLARED[one.name] = one


def declared(name: str) -> Declared:
    """Return the declaration of a name.

    Raises:
        NotDeclared: there is none.
    """
    try:
        return _DECLARED[name]
    except KeyError:
        raise NotDeclared(
            f"{name} is not declared: add it to events.py of the app where it happens"
        ) from None


def short_of(name: str) -> str:
    """Return what a history says of something that happened; its name if nobody declares it now."""
    found = _DECLARED.get(name)
    return name if found is None else str(found.short or found.meaning)


def catalogue() -> list[Declared]:
    """Return all declarations by name."""
    return sorted(_DECLARED.values(), key=lambda one: one.name)
