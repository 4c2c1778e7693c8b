"""Cells of an import file, read as what they should be; what can't be is noted."""

import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal, InvalidOperation
from functools import cache
from typing import TypeVar
from zoneinfo import available_timezones

from django.utils.translation import gettext as _

from billing_rules.countries import is_country
from billing_rules.money import is_currency
from tenancy.errors import FieldError
from tenancy.files.forms import FALSE, PLAIN, TRUE, Ambiguous, Forms
from tenancy.formats import date_text

EARLIEST = date(1970, 1, 1)
LATEST = date(2200, 1, 1)
_PLAIN_DECIMAL = re.compile(r"-?[0-9]{1,30}(\.[0-9]{1,30})?")
_EMAIL = re.compile(r"[^\s@]+@[^\s@]+")
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
# Nobody sees them, and a key with one is another key. Joiners stay: some scripts need them.
_INVISIBLE = re.compile("[\u200b\u200e\u200f\u202a-\u202e\u2060\u2066-\u2069\ufeff]")
_EDGES = " \t\r\n\x0b\x0c\u00a0\u202f\u3000"

T = TypeVar("T")

ERRORS_LISTED = 10_000
"""So many errors of a file are listed; all are counted."""


@cache
def time_zones() -> frozenset[str]:
    """Return the names of all time zones; the library reads the whole disk for them."""
    return frozenset(available_timezones())


@dataclass(slots=True)
class Problems:
    """The errors found so far, told apart by row and column."""

    errors: list[FieldError] = field(default_factory=list)
    count: int = 0

    def add(self, row: int, column: str | None, code: str, detail: str) -> None:
        """Note one error; those beyond ``ERRORS_LISTED`` are only counted."""
        self.count += 1
        if len(self.errors) >= ERRORS_LISTED:
            return
        self.errors.append(FieldError(code=code, detail=detail, row=row, column=column))

    def in_order(self) -> list[FieldError]:
        """Return the errors from the top of the file to its end."""
        return sorted(self.errors, key=lambda error: error.row or 0)


@dataclass(slots=True)
class FileRow:
    """One record: its number and its cells, read one by one; a bad cell is noted and is None.

    ``is_again`` says that an earlier row has its key.
    """

    number: int
    cells: Mapping[str, str]
    problems: Problems
    forms: Forms = PLAIN
    is_again: bool = False

    def has(self, column: str) -> bool:
        """Return whether the file has this column at all; an absent one changes nothing (R29)."""
        return column in self.cells

    def refuse(self, column: str | None, code: str, detail: str) -> None:
        """Note an error of this row."""
        self.problems.add(self.number, column, code, detail)

    def _read(self, column: str, convert: Callable[[str], T]) -> T | None:
        text = self.cells.get(column)
        if not text:
            return None
        try:
            return convert(text)
        except CellRefused as refused:
            self.refuse(column, refused.code, refused.detail)
            return None

    def text(self, column: str, *, longest: int = 200) -> str:
        """Return the cell as text, empty if there is none."""
        text = self.cells.get(column, "")
        if len(text) > longest:
            self.refuse(column, "too_long", _("At most %(limit)s characters.") % {"limit": longest})
            return ""
        return text

    def required(self, column: str, *, longest: int = 200) -> str:
        """Return the cell as text; an empty one is an error."""
        if not self.cells.get(column):
            self.refuse(column, "required", _("This cell must not be empty."))
            return ""
        return self.text(column, longest=longest)

    def choice(self, column: str, allowed: Sequence[str], *, needed: bool = False) -> str:
        """Return the cell if it is one of ``allowed``."""
        text = self.cells.get(column, "")
        if text in allowed or not (text or needed):
            return text
        if not text:
            self.refuse(column, "required", _("This cell must not be empty."))
        else:
            self.refuse(
                column,
                "unknown_value",
                _("“%(value)s” is none of: %(options)s.")
                % {"value": text[:40], "options": ", ".join(allowed)},
            )
        return ""

    def integer(self, column: str, lowest: int, highest: int) -> int | None:
        """Return the cell as a whole number between two bounds, inclusive."""

        def convert(text: str) -> int:
            plain = self._plain_number(text)
            if not re.fullmatch(r"-?[0-9]{1,18}", plain):
                raise CellRefused(
                    "not_an_integer",
                    _("“%(value)s” is not a whole number, such as %(example)s.")
                    % {"value": text[:40], "example": lowest + 1},
                )
            number = int(plain)
            if not lowest <= number <= highest:
                raise CellRefused(
                    "out_of_range",
                    _("“%(value)s” does not lie between %(lowest)s and %(highest)s.")
                    % {"value": text[:40], "lowest": lowest, "highest": highest},
                )
            return number

        return self._read(column, convert)

    def decimal(self, column: str, *, digits: int, decimals: int) -> Decimal | None:
        """Return the cell as a decimal of 0 or more, with so many digits and decimals."""
        return self._read(column, lambda text: self.read_number(text, digits, decimals))

    def read_number(self, text: str, digits: int, decimals: int) -> Decimal:
        """Return a part of a cell as a decimal of 0 or more.

        Raises:
            CellRefused: it is none in the forms of this file.
        """
        return plain_decimal(
            self._plain_number(text), digits, decimals, typed=text, example=self.forms.number
        )

    def _plain_number(self, text: str) -> str:
        try:
            return self.forms.plain_number(text)
        except Ambiguous as ambiguous:
            thousands, decimal = ambiguous.readings
            raise CellRefused(
                "ambiguous_number",
                _("“%(value)s” can be read as %(thousands)s or as %(decimal)s. Write one of these.")
                % {"value": text[:40], "thousands": thousands, "decimal": decimal},
            ) from None

    def day(self, column: str) -> date | None:
        """Return the cell as a date, in the forms of this file."""

        def convert(text: str) -> date:
            values = {"value": text[:40], "form": self.forms.days_in_words()}
            try:
                day = self.forms.read_day(text)
            except ValueError:
                raise CellRefused(
                    "not_a_date", _("“%(value)s”: there is no such day.") % values
                ) from None
            if day is None:
                raise CellRefused(
                    "not_a_date", _("“%(value)s” is not a date. Write it like %(form)s.") % values
                )
            if not EARLIEST <= day < LATEST:
                raise CellRefused(
                    "date_out_of_range",
                    _("“%(value)s” does not lie between %(earliest)s and %(latest)s.")
                    % {**values, "earliest": date_text(EARLIEST), "latest": date_text(LATEST)},
                )
            return day

        return self._read(column, convert)

    def boolean(self, column: str) -> bool | None:
        """Return the cell as true or false, in any case and as German Excel writes it."""
        text = self.cells.get(column, "")
        if not text:
            return None
        word = text.lower()
        if word in TRUE or word in FALSE:
            return word in TRUE
        self.refuse(
            column,
            "unknown_value",
            _("“%(value)s” is none of: %(options)s.")
            % {"value": text[:40], "options": "true, false"},
        )
        return None

    def country(self, column: str) -> str:
        """Return the cell if it is a country's code of ISO 3166-1."""
        text = self.cells.get(column, "")
        if not text or is_country(text):
            return text
        self.refuse(
            column,
            "unknown_country",
            _("“%(value)s” is no country's code, such as DE.") % {"value": text[:40]},
        )
        return ""

    def currency(self, column: str) -> str:
        """Return the cell if it is a currency of ISO 4217."""
        text = self.cells.get(column, "")
        if not text or is_currency(text):
            return text
        self.refuse(
            column,
            "unknown_currency",
            _("“%(value)s” is no currency, such as EUR.") % {"value": text[:40]},
        )
        return ""

    def time_zone(self, column: str) -> str:
        """Return the cell if it is a time zone of the IANA database."""
        text = self.cells.get(column, "")
        if not text or text in time_zones():
            return text
        self.refuse(
            column,
            "unknown_time_zone",
            _("“%(value)s” is no time zone, such as Europe/Berlin.") % {"value": text[:40]},
        )
        return ""

    def email(self, column: str) -> str:
        """Return the cell if it looks like an e-mail address."""
        text = self.cells.get(column, "")
        if not text or (len(text) <= 254 and _EMAIL.fullmatch(text)):
            return text
        self.refuse(
            column,
            "not_an_email",
            _("“%(value)s” is no e-mail address, such as rechnung@firma.example.")
            % {"value": text[:60]},
        )
        return ""


class CellRefused(ValueError):
    """A cell can't be read as what it should be."""

    def __init__(self, code: str, detail: str) -> None:
        """Keep code and message."""
        super().__init__(code)
        self.code, self.detail = code, detail


def cleaned(text: str) -> str:
    """Return a text as it is stored: without white space around it, composed.

    Raises:
        CellRefused: it holds a character that nobody sees.
    """
    inside = text.strip(_EDGES)
    if found := _CONTROL.search(text) or _INVISIBLE.search(inside):
        raise CellRefused(
            "control_character" if _CONTROL.search(text) else "invisible_character",
            _("“%(value)s” holds an invisible character (%(name)s). Type the cell anew.")
            % {"value": readable(text), "name": f"U+{ord(found[0]):04X}"},
        )
    return unicodedata.normalize("NFC", inside)


def readable(text: str) -> str:
    """Return the start of a text without the characters that nobody sees."""
    return without_marks(_CONTROL.sub(" ", text)).strip()[:40]


def without_marks(text: str) -> str:
    """Return a text without invisible characters and white space around it."""
    return _INVISIBLE.sub("", text).strip(_EDGES)


def plain_decimal(
    text: str, digits: int, decimals: int, *, typed: str = "", example: str = PLAIN.number
) -> Decimal:
    """Return ``text`` as a decimal of 0 or more.

    Args:
        text: written with a decimal point.
        digits: so many before it at most.
        decimals: so many behind it at most.
        typed: how it stands in the file, for messages.
        example: an accepted form, for messages.

    Raises:
        CellRefused: it is no plain finite number, negative, too large or too fine.
    """
    values = {"value": (typed or text)[:40], "example": example}
    if len(text) > 60:
        raise _no_number(values)
    try:
        number = Decimal(text)
    except InvalidOperation:
        raise _no_number(values) from None
    if not number.is_finite():
        raise CellRefused("not_finite", _("“%(value)s”: a number has to be finite.") % values)
    if not _PLAIN_DECIMAL.fullmatch(text):
        raise _no_number(values)
    if number < 0:
        raise CellRefused(
            "negative", _("“%(value)s”: a negative number is not allowed here.") % values
        )
    whole, _point, fraction = text.partition(".")
    if len(fraction.rstrip("0")) > decimals:
        raise CellRefused(
            "too_many_decimals",
            _("“%(value)s” has more than %(limit)s decimals.") % {**values, "limit": decimals},
        )
    if len(whole.lstrip("0")) > digits:
        raise CellRefused(
            "out_of_range",
            _("“%(value)s” has more than %(limit)s digits.") % {**values, "limit": digits},
        )
    return number


def _no_number(values: Mapping[str, str]) -> CellRefused:
    """Return the refusal of what has no form of a number; said when it is needed only."""
    said = _("“%(value)s” is not a number. Write it like %(example)s.") % values
    return CellRefused("not_a_number", said)
