"""The parts of a document: a section for each account with its lines, as plain text."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.utils.translation import pgettext

from invoicing.documents.calculation import CONTEXT, calculation_text
from invoicing.documents.directions import isolated
from invoicing.documents.formats import Formats
from invoicing.documents.naming import PATH, Closing, Names
from invoicing.models import Invoice, InvoiceLine, InvoiceSection

SHORT = 4
"""Lines of an account that are kept on one page."""


@dataclass(frozen=True, slots=True)
class Line:
    """One charge; ``calculation`` says in words how its amount came about, if need be."""

    description: str
    calculation: str
    period: str
    quantity: str
    unit: str
    price: str
    tax: str
    net: str


@dataclass(frozen=True, slots=True)
class Section:
    """The part of one account: ``levels`` are the accounts between it and the bill-to.

    ``closing`` is the sum of a branch of which it is the last account.
    """

    position: int
    name: str
    levels: tuple[str, ...]
    cost_centre: str
    po_number: str
    net: str
    lines: tuple[Line, ...]
    closing: Closing | None = None

    @property
    def above(self) -> str:
        """The accounts above it, up to where its own name begins."""
        return "".join(f"{name}{PATH}" for name in self.levels)

    @property
    def title(self) -> str:
        """Number and path, as in the bookmarks."""
        return f"{self.position}. {self.above}{self.name}"

    @property
    def is_short(self) -> bool:
        """Whether it can stay on one page without leaving much of the page before empty."""
        return len(self.lines) <= SHORT

    @property
    def reference(self) -> str:
        """What the customer's bookkeeping sorts by."""
        return " · ".join(filter(None, (self.cost_centre, self.po_number)))


def sections_of(
    invoice: Invoice,
    sections: Sequence[InvoiceSection],
    lines: Sequence[InvoiceLine],
    formats: Formats,
    *,
    with_periods: bool,
) -> tuple[Section, ...]:
    """Return the sections of an invoice.

    Args:
        invoice: as stored.
        sections: as stored, in their order.
        lines: those that are printed.
        formats: of the document.
        with_periods: each line says its own period, because they differ.
    """
    by_section: dict[UUID, list[Line]] = defaultdict(list)
    for line in lines:
        by_section[line.section_id].append(_line(line, formats, with_period=with_periods))
    names = Names(invoice, sections)
    closing = names.closings(formats)
    named = [names.of(section, place) for place, section in enumerate(sections, 1)]
    return tuple(
        Section(
            position=place,
            name=named[place - 1].name,
            levels=named[place - 1].above,
            cost_centre=isolated(section.cost_centre),
            po_number=isolated(section.po_number),
            net=formats.amount(section.net_minor),
            lines=tuple(by_section[section.id]),
            closing=closing.get(place - 1),
        )
        for place, section in enumerate(sections, 1)
    )


def _line(line: InvoiceLine, formats: Formats, *, with_period: bool) -> Line:
    calculation: Mapping[str, Any] = {} if line.charge is None else line.charge.calculation
    return Line(
        description=isolated(line.description),
        calculation=_taken_of(line, formats) or calculation_text(calculation, formats),
        period=formats.period(line.period_start, line.period_end) if with_period else "",
        quantity=formats.quantity(line.quantity),
        unit="" if line.charge is None else _unit(calculation),
        price="" if line.unit_amount is None else formats.price(line.unit_amount),
        tax=formats.percent(line.tax_rate),
        net=formats.amount(line.net_minor),
    )


def _taken_of(line: InvoiceLine, formats: Formats) -> str:
    """Return of what a part is taken back, empty where a line is taken back whole."""
    had = line.corrects
    if had is None or line.net_minor == -had.net_minor:
        return ""
    said = pgettext(CONTEXT, "part of %(amount)s")
    return said % {"amount": formats.money(had.net_minor)}


def _unit(calculation: Mapping[str, Any]) -> str:
    """Return what the quantity counts: the price's own word, the meter's, or what is counted."""
    price, usage = calculation.get("price") or {}, calculation.get("usage") or {}
    measured = (usage.get("meter") or {}).get("unit")
    if own := price.get("unit") or measured:
        return isolated(str(own))
    match price.get("model"):
        case "flat":
            return pgettext(CONTEXT, "flat rate")
        case "package":
            return pgettext(CONTEXT, "package")
        case "percentage":
            return pgettext(CONTEXT, "amount")
        case _:
            return pgettext(CONTEXT, "piece")
