"""What columns a kind of file has: the reader goes by it, and what people read is made of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from django.utils.functional import Promise
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

TEXT: Final = "text"
NUMBER: Final = "number"
DAY: Final = "day"

KEY_OF_YOURS: Final = _("Your own key, up to 200 characters. Sent again it means the same row.")
A_DAY: Final = _("A date such as 2026-12-31; with semicolons and in Excel also 31.12.2026.")
A_CURRENCY: Final = _("Three capitals of ISO 4217, such as EUR.")
A_LANGUAGE: Final = _("One of: de, en.")
STAYS_EMPTY: Final = _("Stays empty.")


@dataclass(frozen=True, slots=True)
class Column:
    """One column.

    Attributes:
        name: as the header has it.
        forms: what may stand in a cell, for people.
        empty: what an empty cell means, for people; None where none may be empty.
        shape: ``TEXT``, ``NUMBER`` or ``DAY``; decides how an example is written.
    """

    name: str
    forms: str | Promise
    empty: str | Promise | None = None
    shape: str = TEXT

    @property
    def is_required(self) -> bool:
        """Whether the column, and every cell of it, must be there."""
        return self.empty is None


@dataclass(frozen=True)
class Columns:
    """The columns of a kind of file, and rows to show what one looks like.

    Attributes:
        kind: ``accounts``, ``prices``, …
        all: the columns.
        examples: rows in plain forms; together they fill every column. Empty cells are left out.
    """

    kind: str
    all: Sequence[Column]
    examples: Sequence[Mapping[str, str]]

    @cached_property
    def required(self) -> tuple[str, ...]:
        """The names of the columns that must be there."""
        return tuple(column.name for column in self.all if column.is_required)

    @cached_property
    def optional(self) -> tuple[str, ...]:
        """The names of the columns that may be left out."""
        return tuple(column.name for column in self.all if not column.is_required)

    def example(self, name: str) -> str:
        """Return the first cell of a column in the examples."""
        return next((row[name] for row in self.examples if name in row), "")

    @property
    def in_order(self) -> Sequence[Column]:
        """The columns with the needed ones first, as templates and examples have them."""
        return sorted(self.all, key=lambda column: not column.is_required)


def up_to(characters: int) -> Promise:
    """Return that a cell holds so many characters at most, in the reader's language later."""
    return format_lazy(_("Up to {count} characters."), count=characters)


def one_of(values: Sequence[str]) -> Promise:
    """Return that a cell holds one of some values."""
    return format_lazy(_("One of: {values}."), values=", ".join(values))


def whole(lowest: int, highest: int) -> Promise:
    """Return that a cell holds a whole number between two bounds."""
    return format_lazy(
        _("A whole number from {lowest} to {highest}."), lowest=lowest, highest=f"{highest}"
    )


def decimal(digits: int, decimals: int) -> Promise:
    """Return that a cell holds a number of 0 or more."""
    return format_lazy(
        _(
            "A number of 0 or more, with up to {digits} digits and {decimals} decimals: 1234.50;"
            " with semicolons and in Excel also 1234,50."
        ),
        digits=digits,
        decimals=decimals,
    )
