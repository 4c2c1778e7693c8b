"""What a table on paper is: cells of text in rows, and what must stay together."""

from dataclasses import dataclass

from invoicing.documents.typesetting.text import (
    MILLIMETRE,
    POINT,
    Colour,
    Face,
    Letters,
    Line,
    Span,
)

PADDING = 1.5 * MILLIMETRE
"""Left and right of the text of a cell."""


@dataclass(frozen=True, slots=True)
class Cell:
    """Text in a table: paragraphs below each other.

    ``role`` is ``TH`` or ``TD``. ``room`` is kept free at the right of the text, ``aside`` stands
    there where the table is continued. ``link`` names a table to jump to. All but the last
    paragraph may reach ``over`` the cells to the right, whose text stands at the bottom. A
    paragraph of more than ``most`` lines is cut.
    """

    paragraphs: tuple[tuple[Span, ...], ...]
    face: Face
    is_right: bool = False
    columns: int = 1
    role: str = "TD"
    top: float = 0
    room: float = 0
    aside: Span | None = None
    link: str = ""
    over: float = 0
    most: int = 0


@dataclass(frozen=True, slots=True)
class RowLook:
    """The looks of a row: padding above and below, the rule below it, what is behind it."""

    above: float = 0.85 * MILLIMETRE
    below: float = 0.85 * MILLIMETRE
    rule: float = 0.3 * POINT
    rule_colour: Colour = (0.863, 0.882, 0.910)
    fill: Colour | None = None
    at_bottom: bool = False


@dataclass(frozen=True, slots=True)
class TableRow:
    """Cells beside each other."""

    cells: tuple[Cell, ...]
    look: RowLook


@dataclass(frozen=True, slots=True)
class Table:
    """Rows below a head that each page repeats.

    ``keeps`` says how the rows stay together: numbers of rows that no page parts, which add up
    to all rows. ``name`` is where links lead to and ``title`` what the outline calls it, if any.
    """

    widths: tuple[float, ...]
    head: TableRow
    rows: tuple[TableRow, ...]
    keeps: tuple[int, ...]
    name: str = ""
    title: str = ""
    gap: float = 0


@dataclass(frozen=True, slots=True)
class SetCell:
    """A cell whose text is broken into lines, ``x`` from the left of the table."""

    cell: Cell
    lines: tuple[Line, ...]
    x: float
    width: float

    @property
    def height(self) -> float:
        """What its text takes."""
        return self.cell.top + sum(line.height for line in self.lines)


@dataclass(frozen=True, slots=True)
class SetRow:
    """A row of known height."""

    cells: tuple[SetCell, ...]
    look: RowLook
    height: float


@dataclass(frozen=True, slots=True)
class SetTable:
    """A table of known heights; no page parts the rows of a group."""

    head: SetRow
    groups: tuple[tuple[SetRow, ...], ...]
    gap: float = 0


def set_table(table: Table, letters: Letters) -> SetTable:
    """Return a table with all its text broken into lines."""
    rows = iter(table.rows)
    groups = tuple(
        tuple(_set_row(next(rows), table.widths, letters) for _ in range(count))
        for count in table.keeps
    )
    return SetTable(_set_row(table.head, table.widths, letters), groups, table.gap)


def _set_row(row: TableRow, widths: tuple[float, ...], letters: Letters) -> SetRow:
    cells, column = [], 0
    for cell in row.cells:
        x = sum(widths[:column])
        width = sum(widths[column : column + cell.columns])
        room = width - 2 * PADDING - cell.room
        rooms = [room + cell.over] * (len(cell.paragraphs) - 1) + [room]
        lines = tuple(
            line
            for paragraph, room in zip(cell.paragraphs, rooms, strict=True)
            for line in letters.lines(paragraph, cell.face, room, most=cell.most)
        )
        cells.append(SetCell(cell, lines, x, width))
        column += cell.columns
    look = row.look
    height = look.above + max(cell.height for cell in cells) + look.below + look.rule
    return SetRow(tuple(cells), look, height)
