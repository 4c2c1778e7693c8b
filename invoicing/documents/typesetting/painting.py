"""A page of the library's with tables drawn into its rooms."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import pydyf
from weasyprint.document import Page

from invoicing.documents.typesetting.paging import Placed, Room
from invoicing.documents.typesetting.tables import PADDING, SetCell, Table
from invoicing.documents.typesetting.text import Pen, Piece

OUTLINE_LEVEL = 2


@dataclass
class Mark:
    """Something drawn that the structure names: its number within the page."""

    role: str
    number: int = -1
    columns: int = 1
    kids: list["Mark"] = field(default_factory=list)
    link: "LinkBox | None" = None


class LinkBox:
    """Where the library leaves the annotation of a link."""

    link_annotation: Any = None


@dataclass(frozen=True, slots=True)
class Furnished:
    """A room at its place on a page, and the tables it shows parts of."""

    room: Room
    tables: Sequence[Table]
    x: float
    y: float


class FurnishedPage(Page):
    """A page whose rooms are filled with tables."""

    def __init__(self, page: Page, rooms: Sequence[Furnished], pen: Pen) -> None:
        """Take over a page; what links to tables and lists them is known from now on."""
        super().__init__(page._page_box)
        self._rooms, self._pen = rooms, pen
        self._links: dict[int, LinkBox] = {}
        self.marks: list[list[Mark]] = []
        self.first_mark = 0
        # The names in the template served to find the rooms.
        self.anchors.clear()
        for furnished in rooms:
            self._list(furnished)

    def paint(self, stream: Any, scale: float = 1) -> None:
        """Paint the page, then the tables."""
        super().paint(stream, scale)
        self.first_mark = self._next_mark = len(stream._tags)
        with stream.stacked():
            stream.transform(a=scale, d=scale)
            stream.set_alpha(1)
            for furnished in self._rooms:
                self.marks.append(self._draw_room(stream, furnished))

    def _list(self, furnished: Furnished) -> None:
        for placed in furnished.room.rows:
            table = furnished.tables[placed.table]
            y = furnished.y + placed.y
            if placed.is_head and not placed.continues and table.name:
                self.anchors[table.name] = (furnished.x, y, furnished.x, y)
                if table.title:
                    place = (furnished.x, y)
                    self.bookmarks.append((OUTLINE_LEVEL, table.title, place, "open"))
            for cell in placed.row.cells:
                if cell.cell.link:
                    box = self._links[id(cell)] = LinkBox()
                    x = furnished.x + cell.x
                    area = (x, y, x + cell.width, y + placed.row.height)
                    self.links.append(("internal", cell.cell.link, area, box))

    def _draw_room(self, stream: Any, furnished: Furnished) -> list[Mark]:
        with stream.artifact():
            for placed in furnished.room.rows:
                _draw_ground(stream, placed, furnished)
        marks: list[Mark] = []
        table = -1
        for placed in furnished.room.rows:
            if placed.table != table:
                table = placed.table
                marks.append(Mark("Table"))
            row = Mark("TR")
            marks[-1].kids.append(row)
            for cell in placed.row.cells:
                row.kids.append(self._draw_cell(stream, cell, placed, furnished))
        return marks

    def _draw_cell(self, stream: Any, cell: SetCell, placed: Placed, furnished: Furnished) -> Mark:
        mark = Mark(
            cell.cell.role, self._next_mark, cell.cell.columns, [], self._links.get(id(cell))
        )
        self._next_mark += 1
        left, look = furnished.x + cell.x, placed.row.look
        room = placed.row.height - look.above - look.below - look.rule
        y = furnished.y + placed.y + look.above + cell.cell.top
        y += room - cell.height if look.at_bottom else 0
        stream.begin_marked_content(mark.role, pydyf.Dictionary({"MCID": mark.number}))
        for place, line in enumerate(cell.lines):
            shift = cell.width - PADDING - line.width if cell.cell.is_right else PADDING
            for piece in line.pieces:
                self._pen.draw(stream, piece, left + shift + piece.x, y + line.baseline)
            if place == 0 and placed.continues and (aside := cell.cell.aside):
                width = self._pen.letters.width(aside)
                piece = Piece(aside.text, aside.face, 0, width)
                right = left + cell.width + cell.cell.over - PADDING
                self._pen.draw(stream, piece, right - width, y + line.baseline)
            y += line.height
        stream.end_marked_content()
        return mark


def _draw_ground(stream: Any, placed: Placed, furnished: Furnished) -> None:
    """Draw what is behind a row and the rule below it."""
    look, last = placed.row.look, placed.row.cells[-1]
    x, y = furnished.x, furnished.y + placed.y
    width, height = last.x + last.width, placed.row.height
    if look.fill:
        stream.set_color_rgb(*look.fill)
        stream.rectangle(x, y, width, height)
        stream.fill()
    if look.rule:
        stream.set_color_rgb(*look.rule_colour)
        stream.rectangle(x, y + height - look.rule, width, look.rule)
        stream.fill()
