"""Reading import files: every error with its row and column, and nothing but errors or rows."""

from collections.abc import Container, Iterable, Iterator, Sequence
from itertools import islice

from django.utils.translation import gettext as _

from tenancy.files.cells import CellRefused, FileRow, Problems, cleaned, readable, without_marks
from tenancy.files.columns import Columns
from tenancy.files.pieces import Piece, columns_of
from tenancy.files.sheets import FileRefused, RecordsEnd, Sheet, open_sheet
from tenancy.files.sources import Source

MAX_ROWS = 250_000
SLICE = 5_000
"""So many rows of a file are in memory at a time."""


class RowFile:
    """A file whose rows come a slice at a time; what can't be a row is noted in its problems.

    CSV in UTF-8, a byte-order mark allowed; with semicolons or tabs also what German Excel saves;
    XLSX. The header line alone decides what parts the cells.

    Attributes:
        problems: the errors of the file, those of its rows among them.
        encoding: what it was read as; empty if it could not be opened.
        count: how many rows have come so far.

    Source: docs/data-formats.md; docs/billing-rules.md, R30.
    """

    def __init__(
        self, source: Source, columns: Columns, *, repeated: Container[str] | None = None
    ) -> None:
        """Open the file, and note what is wrong with its header.

        Args:
            source: the bytes, or where they are.
            columns: what the file may have.
            repeated: the external ids that several rows have, where that is known already.
        """
        self._repeated = repeated
        self.problems, self.encoding, self.count = Problems(), "", 0
        self._sheet: Sheet | None = None
        self._seen: set[str] = set()
        try:
            sheet = open_sheet(source)
        except (FileRefused, RecordsEnd) as refused:
            self.problems.add(1, None, refused.code, refused.detail)
            return
        self.encoding = sheet.encoding
        if _header_fits(sheet.header, columns, self.problems):
            self._sheet = sheet

    def slices(self, size: int = SLICE) -> Iterator[list[FileRow]]:
        """Return the rows, so many at a time; to be asked for once."""
        rows = self._rows()
        while piece := list(islice(rows, size)):
            yield piece

    def pieces(self, size: int) -> Iterator[Piece]:
        """Return the rows by column as far as they are plain, so many at a time; asked for once.

        For files whose rows have no ``external_id``: nobody looks for one that is there twice.
        """
        sheet = self._sheet
        records = iter(self._records())
        while sheet is not None and (some := list(islice(records, size))):
            yield self._piece(sheet, some)

    def _piece(self, sheet: Sheet, numbered: Sequence[tuple[int, Sequence[str]]]) -> Piece:
        first, records = numbered[0][0], [record for _number, record in numbered]
        columns = columns_of(sheet.header, records)

        def read() -> Iterator[FileRow]:
            for number, record in numbered:
                row = self._as_row(number, record, sheet)
                if row is not None:
                    yield row

        piece = Piece(first, columns, self.problems, sheet.forms, read)
        self.count += len(records if columns is not None else piece.rows)
        return piece

    def _rows(self) -> Iterator[FileRow]:
        sheet = self._sheet
        if sheet is None:
            return
        for number, record in self._records():
            row = self._as_row(number, record, sheet)
            if row is not None:
                self._note_duplicate(row)
                self.count += 1
                yield row

    def _as_row(self, number: int, record: Sequence[str], sheet: Sheet) -> FileRow | None:
        """Return a record as a row, None for one that is blank or can't be one."""
        is_blank = not any(map(str.strip, record))
        return None if is_blank else _row(number, record, sheet, self.problems)

    def _records(self) -> Iterator[tuple[int, Sequence[str]]]:
        """Yield the records with their numbers, as many as there may be."""
        sheet, problems = self._sheet, self.problems
        if sheet is None:
            return
        try:
            for number, record in enumerate(sheet.records, start=2):
                if number > MAX_ROWS + 1:
                    problems.add(number, None, "too_many_rows", _("The file has too many rows."))
                    return
                yield number, record
        except RecordsEnd as end:
            # Rows are counted from below the header there.
            problems.add(end.row, None, end.code, end.detail)

    def _note_duplicate(self, row: FileRow) -> None:
        """Note a row whose key an earlier row has."""
        key = row.cells.get("external_id", "")
        if not key or (self._repeated is not None and key not in self._repeated):
            return
        if key in self._seen:
            row.refuse("external_id", "duplicate", _("An earlier row has the same value."))
            row.is_again = True
        self._seen.add(key)


def _why_unknown(name: str, known: Iterable[str]) -> tuple[str, str]:
    """Return code and message for the name of a column that there is not."""
    if not name:
        return "unnamed_column", _("This column has no name, and others follow it.")
    plain = without_marks(name)
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


def _row(number: int, record: Sequence[str], sheet: Sheet, problems: Problems) -> FileRow | None:
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
        return FileRow(number, cells, problems, sheet.forms)
    cells = {}
    for name, cell in zip(header, record, strict=False):
        try:
            cells[name] = cleaned(cell)
        except CellRefused as refused:
            problems.add(number, name, refused.code, refused.detail)
            # The cell counts as filled, so that one fault is not told twice.
            cells[name] = readable(cell) or "?"
    return FileRow(number, cells, problems, sheet.forms)
