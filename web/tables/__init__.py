"""Tables that are declared once: on the page, in the address, in CSV and in XLSX."""

from web.tables.columns import Amounts, Column, Kind, Label, Link
from web.tables.state import State, state_of
from web.tables.table import Mark, Table, Totals

__all__ = [
    "Amounts",
    "Column",
    "Kind",
    "Label",
    "Link",
    "Mark",
    "State",
    "Table",
    "Totals",
    "state_of",
]
