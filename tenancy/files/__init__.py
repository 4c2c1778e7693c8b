"""Files that customers bring, read into rows; nothing here knows what a row is about."""

from tenancy.files.cells import EARLIEST, LATEST, CellRefused, Problems, Row, plain_decimal
from tenancy.files.columns import Columns
from tenancy.files.files import MAX_ROWS, RowsRead, note_duplicates, read_rows

__all__ = [
    "EARLIEST",
    "LATEST",
    "MAX_ROWS",
    "CellRefused",
    "Columns",
    "Problems",
    "Row",
    "RowsRead",
    "note_duplicates",
    "plain_decimal",
    "read_rows",
]
