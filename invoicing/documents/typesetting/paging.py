"""Which rows stand on which page: pure arithmetic over heights."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from invoicing.documents.typesetting.tables import SetRow, SetTable


@dataclass(frozen=True, slots=True)
class Placed:
    """A row on a page, ``y`` from the top of the room; ``table`` counts the tables."""

    row: SetRow
    y: float
    table: int
    is_head: bool = False
    continues: bool = False


@dataclass
class Room:
    """The part of a page that tables fill: what is in it, and how high they are."""

    rows: list[Placed] = field(default_factory=list)
    height: float = 0

    def put(self, row: SetRow, table: int, *, is_head: bool, continues: bool = False) -> None:
        """Add a row below the others."""
        self.rows.append(Placed(row, self.height, table, is_head=is_head, continues=continues))
        self.height += row.height


def fill_rooms(tables: Iterable[SetTable], *, first: float, other: float) -> list[Room]:
    """Return the rooms that tables fill, one for each page, the first perhaps empty.

    Args:
        tables: in their order, with known heights.
        first: the height that the first page has left.
        other: the height of each other page.

    Each page that a table is continued on repeats its head. A group higher than a page stands on
    a page of its own and beyond it: nothing is left out.
    """
    rooms = [Room()]
    for number, table in enumerate(tables):
        for place, group in enumerate(table.groups):
            begins = place == 0
            # The space above a table is needless at the top of a page.
            gap = table.gap if begins and rooms[-1].rows else 0
            above = gap + table.head.height if begins else 0
            limit = first if len(rooms) == 1 else other
            if not _fits(rooms, above + _height(group), limit):
                rooms.append(Room())
                rooms[-1].put(table.head, number, is_head=True, continues=not begins)
            elif begins:
                rooms[-1].height += gap
                rooms[-1].put(table.head, number, is_head=True)
            for row in group:
                rooms[-1].put(row, number, is_head=False)
    return rooms


def _fits(rooms: Sequence[Room], height: float, limit: float) -> bool:
    is_fresh_page = len(rooms) > 1 and not rooms[-1].rows
    return is_fresh_page or rooms[-1].height + height <= limit


def _height(rows: Iterable[SetRow]) -> float:
    return sum(row.height for row in rows)
