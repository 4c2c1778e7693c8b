"""Which part of an invoice stands on which page: how high the rooms for its tables are."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain

from invoicing.documents.typesetting.paging import Room, fill_rooms
from invoicing.documents.typesetting.tables import SetTable, Table
from invoicing.documents.typesetting.text import MILLIMETRE

TOP = 22 * MILLIMETRE
BOTTOM = 265 * MILLIMETRE - 0.5
"""Less half a pixel, so that rounding never pushes what fits to the next page."""

HEADING_GAP = 7 * MILLIMETRE
"""Above a heading, unless it begins a page."""

GAP = 4 * MILLIMETRE
"""Above tables without a heading, unless they begin a page."""


@dataclass(frozen=True, slots=True)
class Measures:
    """How high what the stylesheet lays out is: until where the front goes, and two blocks."""

    front_end: float
    heading: float
    taxes: float


@dataclass(frozen=True, slots=True)
class Slot:
    """A room as the template makes it: its name and its height."""

    name: str
    height: str
    is_first: bool


@dataclass
class Part:
    """The rooms of tables that follow each other, and where the template makes them."""

    rooms: list[Room]
    slots: list[Slot]
    begins_page: bool

    def furniture(self, tables: Sequence[Table]) -> dict[str, tuple[Room, Sequence[Table]]]:
        """Return by the name of each slot what stands in it, and the tables that it is of."""
        return {
            slot.name: (room, tables) for slot, room in zip(self.slots, self.rooms, strict=True)
        }

    def first_pages(self, tables: Sequence[Table], pages: Mapping[str, int]) -> dict[str, int]:
        """Return where each table begins; ``pages`` tell it of the slots."""
        found: dict[str, int] = {}
        for slot, room in zip(self.slots, self.rooms, strict=True):
            for placed in room.rows:
                found.setdefault(tables[placed.table].name, pages[slot.name])
        return found

    def refill(self, table: SetTable) -> None:
        """Put other rows of the same heights in the places of those of the one table."""
        rows = chain.from_iterable(table.groups)
        for room in self.rooms:
            room.rows = [
                placed if placed.is_head else replace(placed, row=next(rows))
                for placed in room.rows
            ]


class Plan:
    """Places the parts of an invoice one below the other."""

    def __init__(self, measures: Measures) -> None:
        """Begin below the front."""
        self._measures = measures
        self._y = measures.front_end
        self._slots = 0

    def place_tables(self, tables: Sequence[SetTable], *, has_heading: bool) -> Part:
        """Return the rooms for tables, which have a heading or a gap above them."""
        gap = HEADING_GAP if has_heading else GAP
        above = self._measures.heading if has_heading else GAP
        rooms = fill_rooms(tables, first=BOTTOM - self._y - above, other=BOTTOM - TOP)
        begins_page = not rooms[0].rows and len(rooms) > 1
        if begins_page:
            self._y, above = TOP, above - gap
            rooms = fill_rooms(tables, first=BOTTOM - TOP - above, other=BOTTOM - TOP)
        start = self._y + above if len(rooms) == 1 else TOP
        self._y = start + rooms[-1].height
        slots = [self._slot(room, is_first=place == 0) for place, room in enumerate(rooms)]
        return Part(rooms, slots, begins_page)

    def place_taxes(self) -> bool:
        """Place the taxes, and return whether they begin a page."""
        begins_page = self._y + self._measures.taxes > BOTTOM
        self._y = (TOP - HEADING_GAP if begins_page else self._y) + self._measures.taxes
        return begins_page

    def _slot(self, room: Room, *, is_first: bool) -> Slot:
        self._slots += 1
        return Slot(f"room-{self._slots}", f"{room.height:.3f}px", is_first)
