"""Files as customers save them, opened: CSV of several programs and encodings, and XLSX.

What comes out is the same for all: a header and records of text, and in which forms numbers and
dates may be written. Row 1 is the header; records are counted, not lines.
"""

import codecs
import csv
import io
import re
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any, Final

import python_calamine
from django.utils.translation import gettext as _

from tenancy.files.forms import GERMAN, PLAIN, Forms

_XLSX: Final = b"PK\x03\x04"
_OLD_EXCEL: Final = b"\xd0\xcf\x11\xe0"
MAX_UNPACKED: Final = 400 * 1024 * 1024
"""What the parts of an XLSX file may come to, in bytes; more is a bomb or a mistake."""
LONGEST_CELL: Final = csv.field_size_limit()


class FileRefused(ValueError):
    """A file that can't be opened at all; ``code`` is stable, ``detail`` fit for people."""

    def __init__(self, code: str, detail: str) -> None:
        """Keep code and message."""
        super().__init__(code)
        self.code, self.detail = code, detail


class RecordsEnd(ValueError):
    """The records can't be told apart from some row on."""

    def __init__(self, row: int, code: str, detail: str) -> None:
        """Keep where it is, code and message."""
        super().__init__(code)
        self.row, self.code, self.detail = row, code, detail


@dataclass(frozen=True, slots=True)
class Sheet:
    """A file that was opened.

    Attributes:
        header: the names of the columns, without empty ones at the end.
        records: the cells of each row below it, as text; may raise ``RecordsEnd``.
        forms: how numbers and dates may be written in it.
        encoding: what it was read as: ``utf-8``, ``utf-16``, ``windows-1252`` or ``xlsx``.
    """

    header: Sequence[str]
    records: Iterable[Sequence[str]]
    forms: Forms
    encoding: str


def open_sheet(content: bytes) -> Sheet:
    """Open a file, whatever program has written it.

    Raises:
        FileRefused: it is empty, of a kind that is not read, or not in a known encoding.

    Source: docs/data-formats.md; docs/billing-rules.md, R30.
    """
    if content.startswith(_XLSX):
        return _workbook(content)
    if content.startswith(_OLD_EXCEL):
        raise FileRefused(
            "old_excel_file",
            _("This is a file of an old Excel (.xls). Save it as .xlsx or as CSV."),
        )
    text, encoding = _decoded(content)
    return _table(text, encoding)


def _decoded(content: bytes) -> tuple[str, str]:
    """Return the text of a CSV file, and the encoding it was written in."""
    for mark in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE):
        if content.startswith(mark):
            try:
                return content.decode("utf-16"), "utf-16"
            except UnicodeDecodeError:
                raise FileRefused(
                    "not_utf16", _("The file begins like UTF-16 and goes on otherwise.")
                ) from None
    try:
        return content.decode("utf-8-sig"), "utf-8"
    except UnicodeDecodeError as error:
        try:
            text = content.decode("cp1252")
        except UnicodeDecodeError:
            text = ""
        # German Excel writes Windows-1252, always with semicolons or tabs. With commas it would
        # be a guess.
        if text and _delimiter(_first_line(text)) != ",":
            return text, "windows-1252"
        line = content.count(b"\n", 0, error.start) + 1
        raise FileRefused(
            "not_utf8",
            _("The file is not written in UTF-8 (line %(line)s). Save it as “CSV UTF-8”.")
            % {"line": line},
        ) from None


def _first_line(text: str) -> str:
    return re.split(r"\r\n|\r|\n", text, maxsplit=1)[0]


def _delimiter(line: str) -> str:
    """Return what parts the cells of a header line: comma, semicolon or tab."""
    counts = {sign: line.count(sign) for sign in (",", ";", "\t")}
    return max(counts, key=lambda sign: counts[sign])


def _table(text: str, encoding: str) -> Sheet:
    head = _first_line(text)
    declared = re.fullmatch(r"\"?sep=(.)\"?[;,\t]*", head.strip("\ufeff \u00a0"), re.IGNORECASE)
    if declared:
        # Excel's own line about the file; not a record of it.
        text = text[len(head) :].removeprefix("\r\n").removeprefix("\n").removeprefix("\r")
        head = _first_line(text)
    if not text.strip():
        raise FileRefused("empty_file", _("The file is empty: it has no header line."))
    if not head.strip(" \t,;\u00a0"):
        raise FileRefused(
            "empty_first_line",
            _("The first line is blank. The names of the columns have to stand in it."),
        )
    delimiter = declared[1] if declared else _delimiter(head)
    forms = PLAIN if delimiter == "," else GERMAN
    records = _records(text, delimiter)
    return Sheet(_without_end(next(records)), records, forms, encoding)


def _records(text: str, delimiter: str) -> Iterator[Sequence[str]]:
    found = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    row = 0
    while True:
        row += 1
        try:
            record = next(found)
        except StopIteration:
            return
        except csv.Error as error:
            if "field larger" in str(error):
                raise RecordsEnd(
                    row,
                    "cell_too_large",
                    _("A cell of this row has more than %(limit)s characters.")
                    % {"limit": LONGEST_CELL},
                ) from None
            raise RecordsEnd(
                row, "malformed", _("The quotation marks of this row do not match up.")
            ) from None
        yield record


def _without_end(header: Sequence[str]) -> list[str]:
    """Return the names of columns without the empty ones that Excel leaves at the end."""
    names = [name.strip() for name in header]
    while names and not names[-1]:
        names.pop()
    return names


def _workbook(content: bytes) -> Sheet:
    """Open the first sheet of a workbook that has anything in it."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as parts:
            unpacked = sum(part.file_size for part in parts.infolist())
        if unpacked > MAX_UNPACKED:
            raise FileRefused("file_too_large", _("Unpacked, this file is too large."))
        book = python_calamine.CalamineWorkbook.from_filelike(io.BytesIO(content))
        sheets = [book.get_sheet_by_name(name) for name in book.sheet_names]
    except (zipfile.BadZipFile, python_calamine.CalamineError, OSError, ValueError) as error:
        if isinstance(error, FileRefused):
            raise
        raise FileRefused("not_a_workbook", _("This workbook cannot be opened.")) from None
    filled = [sheet for sheet in sheets if sheet.height]
    if not filled:
        raise FileRefused("empty_file", _("The file is empty: it has no header line."))
    rows = ([_cell(value) for value in row] for row in filled[0].iter_rows())
    header = _without_end(next(rows))
    if not header:
        raise FileRefused(
            "empty_first_line",
            _("The first line is blank. The names of the columns have to stand in it."),
        )
    forms = replace(GERMAN, name="xlsx")
    return Sheet(header, (_fitted(row, len(header)) for row in rows), forms, "xlsx")


def _fitted(row: list[str], width: int) -> list[str]:
    """Return a row as wide as the header: a workbook has no rows of different lengths."""
    return row + [""] * (width - len(row))


def _cell(value: Any) -> str:
    """Return the value of a cell as somebody would have typed it."""
    match value:
        case bool():
            return "true" if value else "false"
        case int():
            return str(value)
        case float():
            # With a comma, so that no number of a workbook looks like thousands.
            plain = f"{Decimal(repr(value)):f}"
            whole, _point, fraction = plain.partition(".")
            fraction = fraction.rstrip("0")
            return f"{whole},{fraction}" if fraction else whole
        case datetime() if value.time() == time():
            return value.date().isoformat()
        case datetime() | date():
            return value.isoformat()
        case _:
            return str(value)
