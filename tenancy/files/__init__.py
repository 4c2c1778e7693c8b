"""Files that customers bring, read into rows; nothing here knows what a row is about."""

from tenancy.files.cells import EARLIEST, LATEST, CellRefused, FileRow, Problems, plain_decimal
from tenancy.files.columns import Columns
from tenancy.files.files import MAX_ROWS, RowFile
from tenancy.files.pieces import Piece
from tenancy.files.sources import Source, spooled

__all__ = [
    "EARLIEST",
    "LATEST",
    "MAX_ROWS",
    "CellRefused",
    "Columns",
    "FileRow",
    "Piece",
    "Problems",
    "RowFile",
    "Source",
    "plain_decimal",
    "spooled",
]
