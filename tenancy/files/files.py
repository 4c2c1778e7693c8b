"""Reading import files: every error with its row and column, and nothing but errors or rows."""

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.utils.translation import gettext as _

from tenancy.files.cells import Problems, Row
from tenancy.files.columns import Columns
from tenancy.files.sheets import FileRefused, RecordsEnd, Sheet, open_sheet

MAX_ROWS = 250_000
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
# Nobody sees them, and a key with one is another key. Joiners stay: some scripts need them.
_INVISIBLE = re.compile("[\u200b\u200e\u200f\u202a-\u202e\u2060\u2066-\u2069\ufeff]")
_EDGES = " \t\r\n\x0b\x0c\u00a0\u202f\u3000"


@dataclass(frozen=True, slots=True)
class RowsRead:
    """The rows of a file, and what it was read as."""

    rows: list[Row]
    encoding: str = ""


def read_rows(content: bytes, columns: Columns, problems: Problems) -> RowsRead:
    """Read a file into rows; what can't be a row is noted in ``problems``.

    CSV in UTF-8, a byte-order mark allowed; with semicolons or tabs also what German Excel saves;
    XLSX. The header line alone decides what parts the cells.

    Source: docs/data-formats.md; docs/billing-rules.md, R30.
    """
    try:
        sheet = open_sheet(content)
    except (FileRefused, RecordsEnd) as refused:
        problems.add(1, None, refused.code, refused.detail)
        return RowsRead([])
    if not _header_fits(sheet.header, columns, problems):
        return RowsRead([], sheet.encoding)
    rows: list[Row] = []
    try:
        for number, record in enumerate(sheet.records, start=2):
            if number > MAX_ROWS:
                problems.add(number, None, "too_many_rows", _("The file has too many rows."))
                break
            if any(map(str.strip, record)):
                row = _row(number, record, sheet, problems)
                if row is not None:
                    rows.append(row)
    except RecordsEnd as end:
        # Rows are counted from below the header there.
        problems.add(end.row, None, end.code, end.detail)
    return RowsRead(rows, sheet.encoding)


def _why_unknown(name: str, known: Iterable[str]) -> tuple[str, str]:
    """Return code and message for the name of a column that there is not."""
    if not name:
        return "unnamed_column", _("This column has no name, and others follow it.")
    plain = _INVISIBLE.sub("", name).strip(_EDGES)
    if plain != name and plain in known:
        return "invisible_character", _("Before or after “%(value)s” stands an invisible character."
                                        " Type the name anew.") % {"value": plain}  # fmt: skip
    if plain.lower() in known:
        return "unknown_column", _("There is no such column. Did you mean “%(value)s”?") % {
            "value": plain.lower()
        }
    return "unknown_column", _("There is no such column.")


def _header_fits(header: Sequence[str], columns: Columns, problems: Problems) -> bool:
    known = {*columns.required, *columns.optional}
    before = len(problems.errors)
    for place, name in enumerate(header):
        if name not in known:
            problems.add(1, name[:60], *_why_unknown(name, known))
        elif name in header[:place]:
            problems.add(1, name, "duplicate_column", _("This column is there twice."))
    for name in columns.required:
        if name not in header:
            problems.add(1, name, "missing_column", _("This column is missing."))
    return len(problems.errors) == before


def _row(number: int, record: Sequence[str], sheet: Sheet, problems: Problems) -> Row | None:
    header = sheet.header
    if len(record) > len(header) and any(map(str.strip, record[len(header) :])):
        problems.add(number, None, "too_many_fields", _("This row has more cells than columns."))
        return None
    if len(record) < len(header):
        problems.add(number, None, "too_few_fields", _("This row has fewer cells than columns."))
        return None
    text = "".join(record)
    # Asked once for the whole row, because nearly all rows are.
    if text.isascii() and text.isprintable():
        cells = dict(zip(header, map(str.strip, record), strict=False))
        return Row(number, cells, problems, sheet.forms)
    cells = {}
    for name, cell in zip(header, record, strict=False):
        if found := _CONTROL.search(cell) or _INVISIBLE.search(cell.strip(_EDGES)):
            is_control = bool(_CONTROL.search(cell))
            problems.add(
                number,
                name,
                "control_character" if is_control else "invisible_character",
                _("“%(value)s” holds an invisible character (%(name)s). Type the cell anew.")
                % {"value": _readable(cell), "name": f"U+{ord(found[0]):04X}"},
            )
            # The cell counts as filled, so that one fault is not told twice.
            cells[name] = _readable(cell) or "?"
        else:
            cells[name] = unicodedata.normalize("NFC", cell.strip(_EDGES))
    return Row(number, cells, problems, sheet.forms)


def _readable(cell: str) -> str:
    return _INVISIBLE.sub("", _CONTROL.sub(" ", cell)).strip()[:40]


def note_duplicates(rows: Iterable[Row], column: str = "external_id") -> None:
    """Note every row whose key an earlier row has."""
    seen: set[str] = set()
    for row in rows:
        key = row.cells.get(column, "")
        if key and key in seen:
            row.refuse(column, "duplicate", _("An earlier row has the same value."))
        seen.add(key)
