"""The tables of an invoice that may grow: the overview of accounts, and the lines."""

from collections.abc import Mapping
from dataclasses import replace

from django.utils.translation import pgettext

from invoicing.documents.calculation import CONTEXT
from invoicing.documents.columns import WIDTH, Columns
from invoicing.documents.content import PrintedDocument
from invoicing.documents.naming import Closing
from invoicing.documents.sections import Line, Section
from invoicing.documents.typesetting.tables import Cell, RowLook, Table, TableRow
from invoicing.documents.typesetting.text import MILLIMETRE, POINT, Colour, Face, Span

INK: Colour = (0.090, 0.125, 0.173)
GREY: Colour = (0.275, 0.322, 0.392)
ACCENT: Colour = (0.043, 0.400, 0.439)
PALE_ACCENT: Colour = (0.890, 0.945, 0.949)

TEXT = Face(breaks=True)
ABOVE = replace(TEXT, colour=GREY)
SMALL = Face(7.6, colour=GREY, breaks=True)
REFERENCE = Face(7.4, colour=GREY, breaks=True)
PERIOD = Face(7.8)
AMOUNT = Face()
HEAD = Face(7.4, 600, GREY)
STRONG = Face(weight=600, breaks=True)
STRONG_AMOUNT = Face(weight=600)
CONTINUED = Face(7.4, colour=GREY)
UNIT = Face(breaks=True)

NUMBER_WIDTH = 9 * MILLIMETRE
REFERENCE_WIDTH = 41 * MILLIMETRE
PAGE_WIDTH = 12 * MILLIMETRE
LONG_REFERENCE = 50
"""Letters of a cost centre and an order number that do not stand on one line."""

MOST_LINES = 3
"""Lines of a name: what is longer is cut, so that no account takes a page."""

BODY_LOOK = RowLook()
SUM_LOOK = RowLook(rule=0.6 * POINT, rule_colour=INK)
HEAD_LOOK = RowLook(MILLIMETRE, MILLIMETRE, 0.6 * POINT, INK, at_bottom=True)
ACCOUNT_LOOK = RowLook(
    MILLIMETRE, MILLIMETRE, 0.4 * POINT, ACCENT, fill=PALE_ACCENT, at_bottom=True
)
CONTINUED_ROOM = 19.5 * MILLIMETRE


def section_name(section: Section) -> str:
    """Return the name by which the overview links to the lines of an account."""
    return f"section-{section.position}"


def summary_table(document: PrintedDocument, pages: Mapping[str, int], columns: Columns) -> Table:
    """Return the overview of accounts; ``pages`` tell where the lines of each begin."""
    rows: list[TableRow] = []
    for section in document.sections:
        rows.append(_summary_row(document, section, pages))
        if section.closing:
            rows.append(_closing_row(document, section.closing))
    widths = [NUMBER_WIDTH, 0, columns.net]
    heads = [
        _head(pgettext(CONTEXT, "No."), is_right=True),
        _head(pgettext(CONTEXT, "Account")),
        _net_head(document),
    ]
    if document.has_references:
        widths.insert(-1, REFERENCE_WIDTH)
        heads.insert(-1, _head(pgettext(CONTEXT, "Cost centre · PO")))
    if document.has_detail:
        widths.insert(-1, PAGE_WIDTH)
        heads.insert(-1, _head(pgettext(CONTEXT, "Page"), is_right=True))
    widths[1] = WIDTH - sum(widths)
    return Table(tuple(widths), TableRow(tuple(heads), HEAD_LOOK), tuple(rows), _keeps(document))


def _keeps(document: PrintedDocument) -> tuple[int, ...]:
    """Keep a branch's sum with its last account."""
    return tuple(2 if section.closing else 1 for section in document.sections)


def _summary_row(document: PrintedDocument, section: Section, pages: Mapping[str, int]) -> TableRow:
    cells = [
        _amount(str(section.position)),
        replace(_cell((Span(section.above, ABOVE), Span(section.name, TEXT))), most=MOST_LINES),
    ]
    if document.has_references:
        cells.append(_reference_cell(section))
    if document.has_detail:
        name = section_name(section)
        cells.append(replace(_amount(str(pages.get(name, ""))), link=name))
    return TableRow((*cells, _amount(section.net)), BODY_LOOK)


def _reference_cell(section: Section) -> Cell:
    """Return cost centre and order number, below each other where they are long."""
    if len(section.reference) <= LONG_REFERENCE:
        return _cell((Span(section.reference, TEXT),))
    parts = [(Span(text, TEXT),) for text in (section.cost_centre, section.po_number) if text]
    return Cell(tuple(parts), TEXT, most=2)


def _closing_row(document: PrintedDocument, closing: Closing) -> TableRow:
    columns = 1 + document.has_references + document.has_detail
    label = replace(_cell((Span(closing.label, STRONG),), STRONG), most=2)
    net = _amount(closing.net, STRONG_AMOUNT)
    return TableRow((_amount(""), replace(label, columns=columns), net), SUM_LOOK)


def line_tables(document: PrintedDocument, columns: Columns) -> list[Table]:
    """Return the lines: a table for each account, or one for a document of one account."""
    if document.is_consolidated:
        return [_account_table(document, section, columns) for section in document.sections]
    (section,) = document.sections
    heads = [_head(pgettext(CONTEXT, "Service"))]
    if columns.has_periods:
        heads.append(_head(pgettext(CONTEXT, "Period")))
    rows = tuple(_line_row(line, columns) for line in section.lines)
    head = TableRow((*heads, *_amount_heads(document)), HEAD_LOOK)
    return [Table(columns.widths, head, rows, (1,) * len(rows), gap=4 * MILLIMETRE)]


def _account_table(document: PrintedDocument, section: Section, columns: Columns) -> Table:
    rows = [_line_row(line, columns) for line in section.lines]
    text = pgettext(CONTEXT, "Subtotal %(name)s") % {"name": section.name}
    label = _cell((Span(text, STRONG),), STRONG)
    strong = replace(columns.face, weight=600)
    rows.append(
        TableRow(
            (
                replace(label, columns=len(columns.widths) - 1, most=2),
                _amount(section.net, strong),
            ),
            SUM_LOOK,
        )
    )
    head = TableRow((_account_cell(section, columns), *_amount_heads(document)), ACCOUNT_LOOK)
    # The sum stays with the last line; a few lines stay together.
    keeps = (len(rows),) if section.is_short else (*(1,) * (len(rows) - 2), 2)
    return Table(
        columns.widths,
        head,
        tuple(rows),
        keeps,
        section_name(section),
        section.title,
        4 * MILLIMETRE,
    )


def _account_cell(section: Section, columns: Columns) -> Cell:
    caption = (
        Span(f"{section.position}. ", STRONG),
        Span(section.above, ABOVE),
        Span(section.name, STRONG),
    )
    references = (
        (pgettext(CONTEXT, "Cost centre"), section.cost_centre),
        (pgettext(CONTEXT, "Your purchase order"), section.po_number),
    )
    named = [f"{label} {text}" for label, text in references if text]
    below = [" · ".join(named)] if named else []
    if len(section.reference) > LONG_REFERENCE:
        # All but the last line may reach over the heads of the amounts.
        below = [*named, ""]
    return Cell(
        (caption, *((Span(text, REFERENCE),) for text in below)),
        STRONG,
        columns=columns.before_amounts,
        role="TH",
        room=CONTINUED_ROOM,
        aside=Span(pgettext(CONTEXT, "(continued)"), CONTINUED),
        # Beside a reference stand the heads of the amounts; above them the name has their room.
        over=sum(columns.amounts) if below else 0,
        most=MOST_LINES,
    )


def _line_row(line: Line, columns: Columns) -> TableRow:
    service = [(Span(line.description, TEXT),)]
    if line.calculation:
        service.append((Span(line.calculation, SMALL),))
    if line.period and not columns.has_periods:
        service.append((Span(line.period, SMALL),))
    cells = [Cell(tuple(service), TEXT)]
    if columns.has_periods:
        period = (Span(line.period, PERIOD),)
        cells.append(Cell((period,), PERIOD, top=0.25 * MILLIMETRE))
    unit = replace(_cell((Span(line.unit, UNIT),), UNIT), most=2)
    face = columns.face
    return TableRow(
        (
            *cells,
            _amount(line.quantity, face),
            unit,
            _amount(line.price, face),
            _amount(line.tax, face),
            _amount(line.net, face),
        ),
        BODY_LOOK,
    )


def _amount_heads(document: PrintedDocument) -> tuple[Cell, ...]:
    return (
        _head(pgettext(CONTEXT, "Qty"), is_right=True),
        _head(pgettext(CONTEXT, "Unit")),
        _head(pgettext(CONTEXT, "Unit price"), is_right=True),
        _head(pgettext(CONTEXT, "VAT"), is_right=True),
        _net_head(document),
    )


def _head(label: str, *, is_right: bool = False) -> Cell:
    return Cell(((Span(label, HEAD),),), HEAD, is_right=is_right, role="TH")


def _net_head(document: PrintedDocument) -> Cell:
    return _head(f"{pgettext(CONTEXT, 'Net')} {document.currency}", is_right=True)


def _cell(spans: tuple[Span, ...], face: Face = TEXT) -> Cell:
    return Cell((spans,), face)


def _amount(text: str, face: Face = AMOUNT) -> Cell:
    return Cell(((Span(text, face),),), face, is_right=True)
