"""The tables of an invoice that may grow: the overview of accounts, and the lines."""

from collections.abc import Mapping
from dataclasses import replace

from django.utils.translation import pgettext

from invoicing.documents.calculation import CONTEXT
from invoicing.documents.content import Document, Line, Section
from invoicing.documents.naming import Closing
from invoicing.documents.typesetting.tables import Cell, Row, RowLook, Table
from invoicing.documents.typesetting.text import MILLIMETRE, POINT, Colour, Face, Span

INK: Colour = (0.090, 0.125, 0.173)
GREY: Colour = (0.275, 0.322, 0.392)
ACCENT: Colour = (0.043, 0.400, 0.439)
PALE_ACCENT: Colour = (0.890, 0.945, 0.949)

WIDTH = 165 * MILLIMETRE
"""A4 less the margins of DIN 5008."""

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


def summary_table(document: Document, pages: Mapping[str, int]) -> Table:
    """Return the overview of accounts; ``pages`` tell where the lines of each begin."""
    rows: list[Row] = []
    for section in document.sections:
        rows.append(_summary_row(document, section, pages))
        if section.closing:
            rows.append(_closing_row(document, section.closing))
    widths = [9 * MILLIMETRE, 0, 24 * MILLIMETRE]
    heads = [
        _head(pgettext(CONTEXT, "No."), is_right=True),
        _head(pgettext(CONTEXT, "Account")),
        _net_head(document),
    ]
    if document.has_references:
        widths.insert(-1, 41 * MILLIMETRE)
        heads.insert(-1, _head(pgettext(CONTEXT, "Cost centre · PO")))
    if document.has_detail:
        widths.insert(-1, 12 * MILLIMETRE)
        heads.insert(-1, _head(pgettext(CONTEXT, "Page"), is_right=True))
    widths[1] = WIDTH - sum(widths)
    return Table(tuple(widths), Row(tuple(heads), HEAD_LOOK), tuple(rows), _keeps(document))


def _keeps(document: Document) -> tuple[int, ...]:
    """Keep a branch's sum with its last account."""
    return tuple(2 if section.closing else 1 for section in document.sections)


def _summary_row(document: Document, section: Section, pages: Mapping[str, int]) -> Row:
    cells = [
        _amount(str(section.position)),
        _cell((Span(section.above, ABOVE), Span(section.name, TEXT))),
    ]
    if document.has_references:
        cells.append(_cell((Span(section.reference, TEXT),)))
    if document.has_detail:
        name = section_name(section)
        cells.append(replace(_amount(str(pages.get(name, ""))), link=name))
    return Row((*cells, _amount(section.net)), BODY_LOOK)


def _closing_row(document: Document, closing: Closing) -> Row:
    columns = 1 + document.has_references + document.has_detail
    label = _cell((Span(closing.label, STRONG),), STRONG)
    net = _amount(closing.net, STRONG_AMOUNT)
    return Row((_amount(""), replace(label, columns=columns), net), SUM_LOOK)


def line_tables(document: Document) -> list[Table]:
    """Return the lines: a table for each account, or one for a document of one account."""
    if document.is_consolidated:
        return [_account_table(document, section) for section in document.sections]
    (section,) = document.sections
    heads = [_head(pgettext(CONTEXT, "Service"))]
    if document.has_periods:
        heads.append(_head(pgettext(CONTEXT, "Period")))
    rows = tuple(_line_row(document, line) for line in section.lines)
    head = Row((*heads, *_amount_heads(document)), HEAD_LOOK)
    return [Table(_line_widths(document), head, rows, (1,) * len(rows), gap=4 * MILLIMETRE)]


def _account_table(document: Document, section: Section) -> Table:
    rows = [_line_row(document, line) for line in section.lines]
    label = pgettext(CONTEXT, "Subtotal %(name)s") % {"name": section.name}
    rows.append(
        Row(
            (
                replace(
                    _cell((Span(label, STRONG),), STRONG), columns=5 if document.has_periods else 4
                ),
                _amount(section.net, STRONG_AMOUNT),
            ),
            SUM_LOOK,
        )
    )
    head = Row((_account_cell(document, section), *_amount_heads(document)), ACCOUNT_LOOK)
    # The sum stays with the last line; a few lines stay together.
    keeps = (len(rows),) if section.is_short else (*(1,) * (len(rows) - 2), 2)
    return Table(
        _line_widths(document),
        head,
        tuple(rows),
        keeps,
        section_name(section),
        section.title,
        4 * MILLIMETRE,
    )


def _account_cell(document: Document, section: Section) -> Cell:
    caption = (
        Span(f"{section.position}. ", STRONG),
        Span(section.above, ABOVE),
        Span(section.name, STRONG),
    )
    references = (
        (pgettext(CONTEXT, "Cost centre"), section.cost_centre),
        (pgettext(CONTEXT, "Your purchase order"), section.po_number),
    )
    reference = " · ".join(f"{label} {text}" for label, text in references if text)
    columns = 2 if document.has_periods else 1
    return Cell(
        (caption, (Span(reference, REFERENCE),)) if reference else (caption,),
        STRONG,
        columns=columns,
        role="TH",
        room=CONTINUED_ROOM,
        aside=Span(pgettext(CONTEXT, "(continued)"), CONTINUED),
        # Beside a reference stand the heads of the amounts; above them the name has their room.
        over=sum(_line_widths(document)[columns:]) if reference else 0,
    )


def _line_row(document: Document, line: Line) -> Row:
    service = [(Span(line.description, TEXT),)]
    if line.calculation:
        service.append((Span(line.calculation, SMALL),))
    cells = [Cell(tuple(service), TEXT)]
    if document.has_periods:
        period = (Span(line.period, PERIOD),)
        cells.append(Cell((period,), PERIOD, top=0.25 * MILLIMETRE))
    amounts = (line.quantity, line.price, line.tax, line.net)
    return Row((*cells, *map(_amount, amounts)), BODY_LOOK)


def _line_widths(document: Document) -> tuple[float, ...]:
    fixed = [*([38] if document.has_periods else []), 15, 20, 13, 24]
    return tuple(width * MILLIMETRE for width in (165 - sum(fixed), *fixed))


def _amount_heads(document: Document) -> tuple[Cell, ...]:
    labels = (
        pgettext(CONTEXT, "Qty"),
        pgettext(CONTEXT, "Unit price"),
        pgettext(CONTEXT, "VAT"),
        f"{pgettext(CONTEXT, 'Net')} {document.currency}",
    )
    return tuple(_head(label, is_right=True) for label in labels)


def _head(label: str, *, is_right: bool = False) -> Cell:
    return Cell(((Span(label, HEAD),),), HEAD, is_right=is_right, role="TH")


def _net_head(document: Document) -> Cell:
    return _head(f"{pgettext(CONTEXT, 'Net')} {document.currency}", is_right=True)


def _cell(spans: tuple[Span, ...], face: Face = TEXT) -> Cell:
    return Cell((spans,), face)


def _amount(text: str, face: Face = AMOUNT) -> Cell:
    return Cell(((Span(text, face),),), face, is_right=True)
