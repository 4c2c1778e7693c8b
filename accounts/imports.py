"""Reading import files: every error with its row and column, and nothing but errors or rows.

Row 1 is the header; records are counted, not lines.
"""

import csv
import io
import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal, InvalidOperation
from functools import cache
from typing import TypeVar
from zoneinfo import available_timezones

from django.utils.translation import gettext as _

from accounts.errors import FieldError
from billing_rules.countries import is_country
from billing_rules.money import is_currency

EARLIEST = date(1970, 1, 1)
LATEST = date(2200, 1, 1)
MAX_ROWS = 250_000
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_PLAIN_DECIMAL = re.compile(r"-?[0-9]{1,30}(\.[0-9]{1,30})?")

_EMAIL = re.compile(r"[^\s@]+@[^\s@]+")

T = TypeVar("T")


@cache
def _time_zones() -> frozenset[str]:
    """Return the names of all time zones; the library reads the whole disk for them."""
    return frozenset(available_timezones())


@dataclass(slots=True)
class Problems:
    """The errors found so far, told apart by row and column."""

    errors: list[FieldError] = field(default_factory=list)

    def add(self, row: int, column: str | None, code: str, detail: str) -> None:
        """Note one error."""
        self.errors.append(FieldError(code=code, detail=detail, row=row, column=column))

    def in_order(self) -> list[FieldError]:
        """Return the errors from the top of the file to its end."""
        return sorted(self.errors, key=lambda error: error.row or 0)


@dataclass(slots=True)
class Row:
    """One record: its number and its cells, read one by one; a bad cell is noted and is None."""

    number: int
    cells: Mapping[str, str]
    problems: Problems

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
            if not re.fullmatch(r"-?[0-9]{1,18}", text):
                raise CellRefused("not_an_integer", _("This is not a whole number."))
            number = int(text)
            if not lowest <= number <= highest:
                raise CellRefused(
                    "out_of_range",
                    _("Between %(lowest)s and %(highest)s.")
                    % {"lowest": lowest, "highest": highest},
                )
            return number

        return self._read(column, convert)

    def decimal(self, column: str, *, digits: int, decimals: int) -> Decimal | None:
        """Return the cell as a decimal of 0 or more, with so many digits and decimals."""
        return self._read(column, lambda text: plain_decimal(text, digits, decimals))

    def day(self, column: str) -> date | None:
        """Return the cell as a date, written YYYY-MM-DD."""

        def convert(text: str) -> date:
            if not re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text):
                raise CellRefused("not_a_date", _("A date is written YYYY-MM-DD."))
            try:
                day = date.fromisoformat(text)
            except ValueError:
                raise CellRefused("not_a_date", _("There is no such day.")) from None
            if not EARLIEST <= day < LATEST:
                raise CellRefused(
                    "date_out_of_range",
                    _("A date lies between %(earliest)s and %(latest)s.")
                    % {"earliest": EARLIEST.isoformat(), "latest": LATEST.isoformat()},
                )
            return day

        return self._read(column, convert)

    def boolean(self, column: str) -> bool | None:
        """Return the cell as true or false."""
        word = self.choice(column, ("true", "false", "1", "0", "yes", "no"))
        return None if not word else word in {"true", "1", "yes"}

    def country(self, column: str) -> str:
        """Return the cell if it is a country's code of ISO 3166-1."""
        text = self.cells.get(column, "")
        if not text or is_country(text):
            return text
        self.refuse(column, "unknown_country", _("This is no country's code."))
        return ""

    def currency(self, column: str) -> str:
        """Return the cell if it is a currency of ISO 4217."""
        text = self.cells.get(column, "")
        if not text or is_currency(text):
            return text
        self.refuse(column, "unknown_currency", _("This is no currency."))
        return ""

    def time_zone(self, column: str) -> str:
        """Return the cell if it is a time zone of the IANA database."""
        text = self.cells.get(column, "")
        if not text or text in _time_zones():
            return text
        self.refuse(column, "unknown_time_zone", _("This is no time zone, such as Europe/Berlin."))
        return ""

    def email(self, column: str) -> str:
        """Return the cell if it looks like an e-mail address."""
        text = self.cells.get(column, "")
        if not text or (len(text) <= 254 and _EMAIL.fullmatch(text)):
            return text
        self.refuse(column, "not_an_email", _("This is no e-mail address."))
        return ""


class CellRefused(ValueError):
    """A cell can't be read as what it should be."""

    def __init__(self, code: str, detail: str) -> None:
        """Keep code and message."""
        super().__init__(code)
        self.code, self.detail = code, detail


def plain_decimal(text: str, digits: int, decimals: int) -> Decimal:
    """Return ``text`` as a decimal of 0 or more.

    Raises:
        CellRefused: it is no plain finite number, negative, too large or too fine.
    """
    if len(text) > 60:
        raise CellRefused("not_a_number", _("This is not a number."))
    try:
        number = Decimal(text)
    except InvalidOperation:
        raise CellRefused("not_a_number", _("This is not a number.")) from None
    if not number.is_finite():
        raise CellRefused("not_finite", _("A number has to be finite."))
    if not _PLAIN_DECIMAL.fullmatch(text):
        raise CellRefused("not_a_number", _("A number is written like 1234.50."))
    if number < 0:
        raise CellRefused("negative", _("A negative number is not allowed here."))
    whole, _point, fraction = text.partition(".")
    if len(fraction.rstrip("0")) > decimals:
        raise CellRefused(
            "too_many_decimals", _("At most %(limit)s decimals.") % {"limit": decimals}
        )
    if len(whole.lstrip("0")) > digits:
        raise CellRefused("out_of_range", _("At most %(limit)s digits.") % {"limit": digits})
    return number


@dataclass(frozen=True, slots=True)
class Columns:
    """The columns of a kind of file."""

    required: Sequence[str]
    optional: Sequence[str]


def read_rows(content: bytes, columns: Columns, problems: Problems) -> list[Row]:
    """Read a file into rows; what can't be a row is noted in ``problems``.

    UTF-8, a byte-order mark allowed; the header line alone decides between comma and semicolon.
    """
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        problems.add(1, None, "not_utf8", _("The file is not written in UTF-8."))
        return []
    head = re.split(r"\r\n|\r|\n", text, maxsplit=1)[0]
    if not head.strip():
        problems.add(1, None, "empty_file", _("The file has no header line."))
        return []
    delimiter = ";" if head.count(";") > head.count(",") else ","
    # Asked once for the whole file, because nearly all files are.
    is_plain = not _CONTROL.search(text) and unicodedata.is_normalized("NFC", text)
    records = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    rows: list[Row] = []
    header: list[str] = []
    number = 0
    try:
        for number, record in enumerate(records, start=1):
            if number == 1:
                header = [name.strip() for name in record]
                if not _header_fits(header, columns, problems):
                    return []
            elif number > MAX_ROWS:
                problems.add(number, None, "too_many_rows", _("The file has too many rows."))
                break
            elif any(map(str.strip, record)):
                row = _row(number, record, header, problems, is_plain=is_plain)
                if row is not None:
                    rows.append(row)
    except csv.Error:
        problems.add(
            number + 1, None, "malformed", _("The quotation marks of this row do not match up.")
        )
    return rows


def _header_fits(header: Sequence[str], columns: Columns, problems: Problems) -> bool:
    known = {*columns.required, *columns.optional}
    before = len(problems.errors)
    for place, name in enumerate(header):
        if name not in known:
            problems.add(1, name[:60], "unknown_column", _("There is no such column."))
        elif name in header[:place]:
            problems.add(1, name, "duplicate_column", _("This column is there twice."))
    for name in columns.required:
        if name not in header:
            problems.add(1, name, "missing_column", _("This column is missing."))
    return len(problems.errors) == before


def _row(
    number: int,
    record: Sequence[str],
    header: Sequence[str],
    problems: Problems,
    *,
    is_plain: bool,
) -> Row | None:
    if len(record) > len(header):
        problems.add(number, None, "too_many_fields", _("This row has more cells than columns."))
        return None
    if len(record) < len(header):
        problems.add(number, None, "too_few_fields", _("This row has fewer cells than columns."))
        return None
    if is_plain:
        return Row(number, dict(zip(header, map(str.strip, record), strict=True)), problems)
    cells = {}
    for name, cell in zip(header, record, strict=True):
        if _CONTROL.search(cell):
            problems.add(
                number, name, "control_character", _("This cell holds a control character.")
            )
            # The cell counts as filled, so that one fault is not told twice.
            cells[name] = _CONTROL.sub(" ", cell).strip() or "?"
        else:
            cells[name] = unicodedata.normalize("NFC", cell.strip())
    return Row(number, cells, problems)


def sort_key(name: str) -> str:
    """Return what orders names: case and accents folded, numbers by value, no collation (R26).

    ``Terminal 2`` comes before ``Terminal 10`` and ``Österreich`` before ``Schweiz``.
    """
    folded = unicodedata.normalize("NFKD", name.casefold())
    plain = "".join(letter for letter in folded if not unicodedata.combining(letter))
    return re.sub(r"[0-9]+", lambda digits: digits[0].lstrip("0").zfill(12), plain)[:400]


def note_duplicates(rows: Iterable[Row], column: str = "external_id") -> None:
    """Note every row whose key an earlier row has."""
    seen: set[str] = set()
    for row in rows:
        key = row.cells.get(column, "")
        if key and key in seen:
            row.refuse(column, "duplicate", _("An earlier row has the same value."))
        seen.add(key)
