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
from itertools import chain
from typing import Any, Final

import python_calamine
from django.utils.translation import gettext as _

from tenancy.files.forms import GERMAN, PLAIN, Forms
from tenancy.files.sources import Source, line_of_fault, opened

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


def open_sheet(source: Source) -> Sheet:
    """Open a file, whatever program has written it; of CSV a line at a time is in memory.

    Raises:
        FileRefused: it is empty, of a kind that is not read, or not in a known encoding.

    Source: docs/data-formats.md; docs/billing-rules.md, R30.
    """
    with opened(source) as file:
        start = file.read(4)
    if start == _XLSX:
        return _workbook(source)
    if start == _OLD_EXCEL:
        raise FileRefused(
            "old_excel_file",
            _("This is a file of an old Excel (.xls). Save it as .xlsx or as CSV."),
        )
    return _table(source, _encoding(source, start))


def _encoding(source: Source, start: bytes) -> str:
    """Return what a CSV file was written in."""
    if start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        if line_of_fault(source, "utf-16") is None:
            return "utf-16"
        raise FileRefused("not_utf16", _("The file begins like UTF-16 and goes on otherwise."))
    line = line_of_fault(source, "utf-8")
    if line is None:
        return "utf-8"
    # German Excel writes Windows-1252, always with semicolons or tabs. With commas it would be a
    # guess.
    if line_of_fault(source, "cp1252") is None:
        with _text(source, "windows-1252") as text:
            if _delimiter(text.readline()) != ",":
                return "windows-1252"
    raise FileRefused(
        "not_utf8",
        _("The file is not written in UTF-8 (line %(line)s). Save it as “CSV UTF-8”.")
        % {"line": line},
    )


_CODECS: Final = {"utf-8": "utf-8-sig", "utf-16": "utf-16", "windows-1252": "cp1252"}


def _text(source: Source, encoding: str) -> io.TextIOWrapper:
    return io.TextIOWrapper(opened(source), encoding=_CODECS[encoding], newline="")


def _delimiter(line: str) -> str:
    """Return what parts the cells of a header line: comma, semicolon or tab."""
    counts = {sign: line.count(sign) for sign in (",", ";", "\t")}
    return max(counts, key=lambda sign: counts[sign])


def _table(source: Source, encoding: str) -> Sheet:
    text = _text(source, encoding)
    try:
        first, declared = _header_line(text)
    except FileRefused:
        text.close()
        raise
    delimiter = declared or _delimiter(first)
    forms = PLAIN if delimiter == "," else GERMAN
    records = _records(text, first, delimiter)
    return Sheet(_without_end(next(records)), records, forms, encoding)


def _header_line(text: io.TextIOWrapper) -> tuple[str, str]:
    """Return the line with the header, and the delimiter that a line before it declares."""
    head = text.readline()
    declared = re.fullmatch(r"\"?sep=(.)\"?[;,\t]*", head.strip(_BLANK), re.IGNORECASE)
    if declared:
        # Excel's own line about the file; not a record of it.
        head = text.readline()
    if not head.strip() and not any(line.strip() for line in text):
        raise FileRefused("empty_file", _("The file is empty: it has no header line."))
    if not head.strip(" \t,;\u00a0\r\n"):
        raise FileRefused(
            "empty_first_line",
            _("The first line is blank. The names of the columns have to stand in it."),
        )
    return head, declared[1] if declared else ""


_BLANK: Final = "\ufeff \u00a0\r\n"


def _records(text: io.TextIOWrapper, first: str, delimiter: str) -> Iterator[Sequence[str]]:
    with text:
        yield from _told_apart(chain([first], text), delimiter)


def _told_apart(lines: Iterable[str], delimiter: str) -> Iterator[Sequence[str]]:
    found = csv.reader(lines, delimiter=delimiter, strict=True)
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


def _workbook(source: Source) -> Sheet:
    """Open the first sheet of a workbook that has anything in it."""
    try:
        with opened(source) as file:
            with zipfile.ZipFile(file) as parts:
                unpacked = sum(part.file_size for part in parts.infolist())
            if unpacked > MAX_UNPACKED:
                text = _(
                    "Unpacked, this workbook has more than %(most)s MiB. Save it as CSV, or in"
                    " parts."
                )
                raise FileRefused("file_too_large", text % {"most": MAX_UNPACKED // 2**20})
            file.seek(0)
            book = python_calamine.CalamineWorkbook.from_filelike(file)
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
