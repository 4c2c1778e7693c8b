"""What stands on an invoice, as plain text: only what was stored when it was drafted."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from django.utils import translation
from django.utils.translation import pgettext

from invoicing.documents import parties, wording
from invoicing.documents.calculation import CONTEXT, calculation_text
from invoicing.documents.file_names import pdf_name
from invoicing.documents.formats import Formats, language_of
from invoicing.documents.naming import Closing, Names, is_of_bill_to
from invoicing.models import Invoice, InvoiceLine, InvoiceSection, InvoiceTax

DETAIL_LIMIT = 2_000
"""Lines beyond which the document keeps to its overview, and the detail to the annex.

Nobody reads 150 pages.
"""

SHORT = 4
"""Lines of an account that are kept on one page."""

_PATH = " › "


@dataclass(frozen=True, slots=True)
class Rows:
    """An invoice and its parts as stored; ``lines`` carry their charges.

    Of an invoice with more than ``DETAIL_LIMIT`` lines none need be given: none are shown.
    """

    invoice: Invoice
    sections: Sequence[InvoiceSection]
    lines: Sequence[InvoiceLine]
    taxes: Sequence[InvoiceTax]


@dataclass(frozen=True, slots=True)
class Line:
    """One charge; ``calculation`` says in words how its amount came about, if need be."""

    description: str
    calculation: str
    period: str
    quantity: str
    price: str
    tax: str
    net: str


@dataclass(frozen=True, slots=True)
class Section:
    """The part of one account: ``above`` are the accounts between it and the bill-to.

    ``closing`` is the sum of a branch of which it is the last account.
    """

    position: int
    name: str
    above: str
    cost_centre: str
    po_number: str
    net: str
    lines: tuple[Line, ...]
    closing: Closing | None = None

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


@dataclass(frozen=True, slots=True)
class Tax:
    """One tax group: base and tax, and why there is none."""

    rate: str
    base: str
    tax: str
    reason: str


@dataclass(frozen=True, slots=True)
class Document:
    """An invoice ready to be laid out: all text, nothing left to compute or to look up."""

    id: UUID
    language: str
    currency: str
    created: date
    file_name: str
    seller: str
    sender: str
    recipient: tuple[str, ...]
    foot: tuple[tuple[str, ...], ...]
    title: str
    subtitle: str
    intro: str
    facts: tuple[tuple[str, str], ...]
    payment: wording.Payment
    totals: tuple[tuple[str, str], ...]
    due: tuple[str, str]
    sections: tuple[Section, ...]
    taxes: tuple[Tax, ...]
    notes: tuple[str, ...]
    watermark: str
    has_detail: bool

    @property
    def is_consolidated(self) -> bool:
        """Whether it has an overview of accounts before the lines."""
        return len(self.sections) > 1

    @property
    def has_periods(self) -> bool:
        """Whether a line is for another time than the whole document."""
        return any(line.period for section in self.sections for line in section.lines)

    @property
    def has_references(self) -> bool:
        """Whether an account has a cost centre or an order number."""
        return any(section.reference for section in self.sections)

    @property
    def has_reasons(self) -> bool:
        """Whether some of it bears no tax for a reason."""
        return any(tax.reason for tax in self.taxes)


def shows_detail(invoice: Invoice) -> bool:
    """Return whether every line is printed, or only their sums per account."""
    return invoice.line_count <= DETAIL_LIMIT


def document(rows: Rows, *, today: date, for_payer: bool = False) -> Document:
    """Return what stands on an invoice, in its own language.

    Args:
        rows: as stored.
        today: the date of a draft; an issued invoice has its own.
        for_payer: make the copy for an account that pays what is addressed to another.

    Pure: two calls with the same rows give the same document, whatever has happened to accounts,
    prices or the seller since.
    """
    language = language_of(rows.invoice.language)
    with translation.override(language):
        formats = Formats.of(rows.invoice.language, rows.invoice.currency)
        return _document(rows, formats, rows.invoice.issue_date or today, for_payer=for_payer)


def _document(rows: Rows, formats: Formats, day: date, *, for_payer: bool) -> Document:
    invoice, seller = rows.invoice, rows.invoice.snapshot["seller"]
    bill_to, reason = invoice.snapshot["bill_to"], invoice.snapshot.get("tax_reason", "")
    has_detail = shows_detail(invoice)
    annexed = 0 if has_detail else invoice.line_count
    is_for_others = wording.is_paid_by_another(invoice) and not for_payer
    return Document(
        id=invoice.id,
        language=language_of(invoice.language),
        currency=invoice.currency,
        created=day,
        file_name=pdf_name(invoice, day, for_payer=for_payer),
        seller=seller["name"],
        sender=parties.sender_line(seller),
        recipient=parties.recipient_lines(bill_to, seller, formats),
        foot=parties.legal_block(seller, with_bank=not is_for_others),
        title=wording.title(invoice),
        subtitle=wording.subtitle(rows.sections),
        intro=wording.intro(
            invoice, section_count=len(rows.sections), annexed=annexed, formats=formats
        ),
        facts=wording.facts(invoice, formats) + _single_account(rows),
        payment=wording.payment(invoice, formats, for_payer=for_payer),
        totals=_totals(rows, formats),
        due=(_due_label(invoice), formats.money(invoice.gross_minor)),
        sections=_sections(rows, formats, has_detail=has_detail),
        taxes=tuple(_tax(tax, reason, formats) for tax in rows.taxes),
        notes=wording.notes(
            invoice,
            [tax.category for tax in rows.taxes],
            annexed=annexed,
            formats=formats,
        ),
        watermark=wording.watermark(invoice, for_payer=for_payer),
        has_detail=has_detail,
    )


def _due_label(invoice: Invoice) -> str:
    if invoice.status in Invoice.UNISSUED:
        return pgettext(CONTEXT, "Total")
    return pgettext(CONTEXT, "Amount due")


def _totals(rows: Rows, formats: Formats) -> tuple[tuple[str, str], ...]:
    net = (pgettext(CONTEXT, "Total net"), formats.money(rows.invoice.net_minor))
    several = len(rows.taxes) > 1
    return (
        net,
        *(
            (
                wording.tax_label(tax, formats, with_base=several),
                formats.money(tax.tax_minor),
            )
            for tax in rows.taxes
        ),
    )


def _tax(tax: InvoiceTax, reason: str, formats: Formats) -> Tax:
    return Tax(
        rate=formats.percent(tax.rate),
        base=formats.amount(tax.base_minor),
        tax=formats.amount(tax.tax_minor),
        reason=wording.tax_reason(tax.category, reason),
    )


def _sections(rows: Rows, formats: Formats, *, has_detail: bool) -> tuple[Section, ...]:
    lines: dict[UUID, list[InvoiceLine]] = defaultdict(list)
    for line in rows.lines if has_detail else ():
        lines[line.section_id].append(line)
    names = Names(rows.invoice, rows.sections)
    closing = names.closings(formats)
    named = [names.of(section, place) for place, section in enumerate(rows.sections, 1)]
    return tuple(
        Section(
            position=place,
            name=named[place - 1].name,
            above="".join(f"{name}{_PATH}" for name in named[place - 1].above),
            cost_centre=section.cost_centre,
            po_number=section.po_number,
            net=formats.amount(section.net_minor),
            lines=tuple(_line(line, rows.invoice, formats) for line in lines[section.id]),
            closing=closing.get(place - 1),
        )
        for place, section in enumerate(rows.sections, 1)
    )


def _line(line: InvoiceLine, invoice: Invoice, formats: Formats) -> Line:
    period = (line.period_start, line.period_end)
    differs = period != (invoice.period_start, invoice.period_end)
    calculation: Mapping[str, Any] = line.charge.calculation
    return Line(
        description=line.description,
        calculation=calculation_text(calculation, formats),
        period=formats.period(*period) if differs else "",
        quantity=formats.quantity(line.quantity),
        price="" if line.unit_amount is None else formats.price(line.unit_amount),
        tax=formats.percent(line.tax_rate),
        net=formats.amount(line.net_minor),
    )


def _single_account(rows: Rows) -> tuple[tuple[str, str], ...]:
    """Return the facts of the one account of a document without an overview."""
    if len(rows.sections) != 1:
        return ()
    (section,) = rows.sections
    named = Names(rows.invoice, rows.sections).of(section, 1)
    path = "" if is_of_bill_to(rows.invoice, section) else _PATH.join((*named.above, named.name))
    facts = (
        (pgettext(CONTEXT, "Account"), path),
        (pgettext(CONTEXT, "Cost centre"), section.cost_centre),
    )
    return tuple(fact for fact in facts if fact[1])
