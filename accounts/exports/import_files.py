"""What is stored as a file that its import reads back unchanged."""

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from typing import IO, Final

import xlsxwriter
from django.utils.translation import gettext_lazy as _

from accounts.exports import harmless
from tenancy.errors import Conflict, Invalid
from tenancy.files import MAX_ROWS
from tenancy.files.columns import NUMBER, Columns
from tenancy.files.kinds import FileCells

ENDINGS: Final = ("csv", "xlsx")
_EXACT_DIGITS: Final = 15
"""So many digits of a number come back from a workbook as they went in."""


class TakenForFormula(Conflict):
    """Made harmless, a cell would come back as another; left alone, it would be computed."""

    code = "taken_for_formula"
    message = _("“%(cell)s” would be taken for a formula in a CSV file. Take the workbook.")


class TooManyRows(Invalid):
    """More rows than one file holds."""

    code = "too_many_rows"
    message = _("A file has at most %(most)s rows. Export a smaller tree.")


def write_import_file(
    file: IO[bytes],
    ending: str,
    columns: Columns,
    batches: Iterable[Sequence[FileCells]],
    *,
    sheet: str,
    most: int = MAX_ROWS,
) -> int:
    """Write rows in plain forms as a file of a kind, and return how many there are.

    CSV has commas and is UTF-8, which is the one form that no language changes (R30). In a
    workbook texts are texts: nothing is computed, zeros before digits stay.

    Args:
        file: where to.
        ending: ``csv`` or ``xlsx``.
        columns: of the kind.
        batches: the rows, some at a time.
        sheet: what the sheet of a workbook is called.
        most: refuse more rows than so many.

    Raises:
        TakenForFormula, TooManyRows: see their texts; what is written by then is of no use.
    """
    count = 0

    def rows() -> Iterator[FileCells]:
        nonlocal count
        for row in chain.from_iterable(batches):
            count += 1
            if count > most:
                raise TooManyRows(most=most)
            yield row

    if ending == "csv":
        _write_csv(file, columns, rows())
    else:
        _write_xlsx(file, columns, rows(), sheet)
    return count


def _write_csv(file: IO[bytes], columns: Columns, rows: Iterable[FileCells]) -> None:
    text = io.TextIOWrapper(file, encoding="utf-8-sig", newline="", write_through=True)
    names = [column.name for column in columns.in_order]
    try:
        writer = csv.DictWriter(text, names, restval="", lineterminator="\r\n")
        writer.writeheader()
        for row in rows:
            if cell := next((cell for cell in row.values() if harmless(cell) != cell), ""):
                raise TakenForFormula(cell=cell[:60])
            writer.writerow(row)
    finally:
        # The file is the caller's to close.
        text.detach()


def _write_xlsx(file: IO[bytes], columns: Columns, rows: Iterable[FileCells], name: str) -> None:
    options = {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    with xlsxwriter.Workbook(file, options) as book:
        sheet = book.add_worksheet(name[:31])
        sheet.freeze_panes(1, 1)
        for place, column in enumerate(columns.in_order):
            sheet.write_string(0, place, column.name)
        for number, row in enumerate(rows, start=1):
            for place, column in enumerate(columns.in_order):
                cell = row.get(column.name, "")
                if cell and column.shape == NUMBER:
                    _write_number(sheet, number, place, cell)
                elif cell:
                    sheet.write_string(number, place, cell)


def _write_number(sheet: xlsxwriter.worksheet.Worksheet, row: int, place: int, cell: str) -> None:
    """Write a number as one, where a workbook keeps it as it is; else as a text.

    That has commas: a workbook's text with a point before three digits could be thousands (R30).
    """
    digits = cell.replace(".", "")
    if digits.isdecimal() and len(digits) <= _EXACT_DIGITS:
        sheet.write_number(row, place, float(cell))
    else:
        sheet.write_string(row, place, cell.replace(".", ","))
