"""What is on the screen as a file: same filter, same order, same columns, all pages.

Rows come in batches and go into a file that leaves the memory once it grows, so that a long table
takes no more room than a short one. A file is finished before it is sent: reading goes on inside
the transaction of the tenant alone.
"""

import csv
import io
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import IO, Any, Final

import xlsxwriter
from django.http import FileResponse
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.exports import harmless
from billing_rules.money import to_major
from tenancy.formats import SheetFormats, reader_sheets
from web.tables.columns import Amounts, Column, Kind, Label, Link
from web.tables.file_names import attachment, file_name
from web.tables.table import Totals

MOST_ROWS: Final = 10_000
FORMATS: Final = ("csv", "xlsx")
_IN_MEMORY: Final = 1_000_000
_WIDTHS: Final = {Kind.LINK: 40, Kind.TEXT: 24, Kind.LABEL: 28}
CONTENT_TYPES: Final = {
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}


@dataclass(frozen=True, slots=True)
class About:
    """What a file says of itself: the facts of its second sheet, as label and value.

    ``owner`` and ``title`` and ``day`` make its name: whose, what, and as of when.
    """

    owner: str
    title: str
    day: date
    facts: Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class _Field:
    """One column of a file: money has one for each currency."""

    title: str
    column: Column[Any]
    currency: str = ""

    def value(self, row: Any) -> Any:
        """Return the plain value of a cell: text, a number, a date or None."""
        return plain(self.column.value(row), self.currency)


def export(
    wanted: str,
    columns: Sequence[Column[Any]],
    batches: Iterable[Sequence[Any]],
    totals: Totals,
    about: About,
) -> FileResponse:
    """Return a table as a file to save.

    Args:
        wanted: ``csv`` or ``xlsx``.
        columns: those that are shown.
        batches: the rows of the whole filter in their order, some at a time.
        totals: the sums of the whole filter; they name the currencies.
        about: what its name says, and what stands on the second sheet.
    """
    fields = list(_fields(columns, totals))
    file: IO[bytes] = tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY)  # noqa: SIM115
    write = _write_csv if wanted == "csv" else _write_xlsx
    write(file, fields, batches, about)
    file.seek(0)
    name = file_name(about.owner, about.title, day=about.day, ending=wanted)
    return FileResponse(
        file, content_type=CONTENT_TYPES[wanted], headers={"Content-Disposition": attachment(name)}
    )


def plain(value: Any, currency: str = "") -> Any:
    """Return the value of a cell without its looks."""
    if isinstance(value, Amounts):
        amount = value.minor.get(currency)
        return None if amount is None else to_major(amount, currency)
    if isinstance(value, Link) and value.plain is not None:
        return value.plain
    if isinstance(value, Link | Label):
        return value.text
    if isinstance(value, datetime):  # spreadsheets know no time zones: the tenant's is meant
        return timezone.make_naive(value).replace(microsecond=0)
    return value


def _fields(columns: Sequence[Column[Any]], totals: Totals) -> Iterator[_Field]:
    for column in columns:
        title = str(column.title)
        if column.kind != Kind.MONEY:
            yield _Field(title, column)
            continue
        amounts = totals[column.key]
        codes = sorted(
            {*amounts.minor, amounts.main}, key=lambda code: (code != amounts.main, code)
        )
        for code in codes:
            yield _Field(f"{title}, {code}", column, code)


def _write_csv(
    file: IO[bytes], fields: Sequence[_Field], batches: Iterable[Sequence[Any]], about: About
) -> None:
    """Write UTF-8 with a mark, separated the way the reader's spreadsheet expects it."""
    sheets = reader_sheets()
    text = io.TextIOWrapper(file, encoding="utf-8-sig", newline="", write_through=True)
    writer = csv.writer(text, delimiter=sheets.separator)
    writer.writerow([harmless(field.title) for field in fields])
    for batch in batches:
        for row in batch:
            writer.writerow([_csv_cell(field.value(row), sheets) for field in fields])
    text.detach()


def _csv_cell(value: Any, sheets: SheetFormats) -> str:
    if value is None:
        return ""
    if isinstance(value, Decimal | date):
        return sheets.cell(value)
    if isinstance(value, int):
        return str(value)
    return harmless(str(value))


def _write_xlsx(
    file: IO[bytes], fields: Sequence[_Field], batches: Iterable[Sequence[Any]], about: About
) -> None:
    """Write typed cells below a head that stays, and on a second sheet what was asked for."""
    options = {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    with xlsxwriter.Workbook(file, options) as book:
        head = book.add_format({"bold": True, "bg_color": "#EEF1F5", "text_wrap": True})
        sheet = book.add_worksheet(about.title[:31])
        sheet.freeze_panes(1, 1)
        looks = [_look(book, field) for field in fields]
        for place, field in enumerate(fields):
            sheet.set_column(place, place, _WIDTHS.get(field.column.kind, 16))
            sheet.write_string(0, place, field.title, head)
        number = 0
        for batch in batches:
            for row in batch:
                number += 1
                for place, field in enumerate(fields):
                    _write_cell(sheet, number, place, field.value(row), looks[place])
        _write_facts(book, about, head)


def _look(book: Any, field: _Field) -> Any:
    sheets = reader_sheets()
    if field.currency:
        return book.add_format({"num_format": sheets.amount_pattern(field.currency)})
    day = sheets.day_pattern
    formats = {Kind.DATE: day, Kind.LINK: day, Kind.INSTANT: f"{day} hh:mm"}
    pattern = formats.get(field.column.kind)
    return book.add_format({"num_format": pattern}) if pattern else None


def _write_cell(sheet: Any, row: int, place: int, value: Any, look: Any) -> None:
    if value is None:
        return
    if isinstance(value, date):
        sheet.write_datetime(row, place, value, look)
    elif isinstance(value, int | Decimal):
        sheet.write_number(row, place, value, look)
    else:
        sheet.write_string(row, place, str(value))


def _write_facts(book: Any, about: About, head: Any) -> None:
    sheet = book.add_worksheet(_("About this export")[:31])
    sheet.set_column(0, 0, 24, head)
    sheet.set_column(1, 1, 60)
    for number, (label, value) in enumerate(about.facts):
        sheet.write_string(number, 0, label, head)
        sheet.write_string(number, 1, value)
