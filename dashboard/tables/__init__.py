"""Tables that are declared once: on the page, in the address, in CSV and in XLSX."""

from dashboard.tables import keyset
from dashboard.tables.columns import Amounts, Column, Kind, Label, Link
from dashboard.tables.state import State, state_of
from dashboard.tables.table import Mark, Table, Totals

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
    "keyset",
    "state_of",
]
