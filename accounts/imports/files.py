"""Reading import files: every error with its row and column, and nothing but errors or rows.

Row 1 is the header; records are counted, not lines.
"""

import csv
import io
import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.utils.translation import gettext as _

from accounts.imports.cells import Problems, Row

MAX_ROWS = 250_000
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")


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


def note_duplicates(rows: Iterable[Row], column: str = "external_id") -> None:
    """Note every row whose key an earlier row has."""
    seen: set[str] = set()
    for row in rows:
        key = row.cells.get(column, "")
        if key and key in seen:
            row.refuse(column, "duplicate", _("An earlier row has the same value."))
        seen.add(key)
