"""What stands on an invoice, as plain text: only what was stored when it was drafted."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from django.utils import translation
from django.utils.translation import pgettext

from invoicing.documents import parties, wording
from invoicing.documents.calculation import CONTEXT
from invoicing.documents.directions import isolated
from invoicing.documents.file_names import pdf_name
from invoicing.documents.formats import Formats
from invoicing.documents.naming import PATH, Names, is_of_bill_to
from invoicing.documents.paying import Payment, is_paid_by_another, payment
from invoicing.documents.sections import Section, sections_of
from invoicing.models import Invoice, InvoiceLine, InvoiceSection, InvoiceTax
from tenancy.formats import language_of

DETAIL_LIMIT = 2_000
"""Lines beyond which the document keeps to its overview, and the detail to the annex.

Nobody reads 150 pages.
"""


@dataclass(frozen=True, slots=True)
class Rows:
    """An invoice and its parts as stored; ``lines`` carry their charges, or what they correct.

    Of an invoice with more than ``DETAIL_LIMIT`` lines none need be given: none are shown.
    ``has_one_period`` says whether all of its lines are for the same time.
    """

    invoice: Invoice
    sections: Sequence[InvoiceSection]
    lines: Sequence[InvoiceLine]
    taxes: Sequence[InvoiceTax]
    has_one_period: bool = True


@dataclass(frozen=True, slots=True)
class Tax:
    """One tax group: base and tax, and why there is none."""

    rate: str
    base: str
    tax: str
    reason: str


@dataclass(frozen=True, slots=True)
class PrintedDocument:
    """An invoice ready to be laid out: all text, nothing left to compute or to look up.

    The last four are its long values as lines, once these are known to fit their places.
    """

    id: UUID
    language: str
    currency: str
    created: date
    file_name: str
    seller: str
    sender: str
    recipient: tuple[str, ...]
    has_trade_name: bool
    foot: tuple[tuple[str, ...], ...]
    title: str
    subtitle: str
    intro: str
    facts: tuple[tuple[str, str], ...]
    payment: Payment
    totals: tuple[tuple[str, str], ...]
    due: tuple[str, str]
    sections: tuple[Section, ...]
    taxes: tuple[Tax, ...]
    notes: tuple[str, ...]
    watermark: str
    has_detail: bool
    seller_lines: tuple[str, ...] = ()
    sender_lines: tuple[str, ...] = ()
    foot_columns: tuple[tuple[str, tuple[str, ...]], ...] = ()
    fact_rows: tuple[tuple[str, tuple[str, ...]], ...] = ()

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


def document(rows: Rows, *, today: date, for_payer: bool = False) -> PrintedDocument:
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


def _document(rows: Rows, formats: Formats, day: date, *, for_payer: bool) -> PrintedDocument:
    invoice, seller = rows.invoice, rows.invoice.snapshot["seller"]
    bill_to, reason = invoice.snapshot["bill_to"], invoice.snapshot.get("tax_reason", "")
    has_detail = shows_detail(invoice)
    annexed = 0 if has_detail else invoice.line_count
    period = formats.period(invoice.period_start, invoice.period_end) if rows.has_one_period else ""
    is_for_others = is_paid_by_another(invoice) and not for_payer
    return PrintedDocument(
        id=invoice.id,
        language=language_of(invoice.language),
        currency=invoice.currency,
        created=day,
        file_name=pdf_name(invoice, day, for_payer=for_payer),
        seller=isolated(seller["name"]),
        sender=parties.sender_line(
            seller, country=parties.country_abroad(seller, bill_to, formats)
        ),
        recipient=parties.recipient_lines(bill_to, seller, formats),
        has_trade_name=parties.has_trade_name(bill_to),
        foot=parties.legal_block(
            seller,
            country=parties.country_abroad(seller, bill_to, formats),
            with_bank=not is_for_others,
        ),
        title=wording.title(invoice),
        subtitle=wording.subtitle(invoice, rows.sections, formats),
        intro=wording.intro(
            invoice,
            section_count=len(rows.sections),
            annexed=annexed,
            period=period,
            formats=formats,
        ),
        facts=wording.facts(invoice, formats, period=period or _varying(annexed))
        + _single_account(rows),
        payment=payment(invoice, formats, for_payer=for_payer),
        totals=_totals(rows, formats),
        due=(_due_label(invoice), formats.money(invoice.gross_minor)),
        sections=sections_of(
            invoice,
            rows.sections,
            rows.lines if has_detail else (),
            formats,
            with_periods=not rows.has_one_period,
        ),
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


def _varying(annexed: int) -> str:
    """Return where to read the periods of lines that are not all for the same time."""
    if annexed:
        return pgettext(CONTEXT, "as per annex")
    return pgettext(CONTEXT, "as per lines")


def _due_label(invoice: Invoice) -> str:
    if invoice.status in Invoice.UNISSUED:
        return pgettext(CONTEXT, "Total")
    if wording.is_credit_note(invoice):
        return pgettext(CONTEXT, "Amount taken back")
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
        reason=wording.tax_table_reason(tax.category, reason),
    )


def _single_account(rows: Rows) -> tuple[tuple[str, str], ...]:
    """Return the facts of the one account of a document without an overview."""
    if len(rows.sections) != 1:
        return ()
    (section,) = rows.sections
    named = Names(rows.invoice, rows.sections).of(section, 1)
    path = "" if is_of_bill_to(rows.invoice, section) else PATH.join((*named.above, named.name))
    facts = (
        (pgettext(CONTEXT, "Account"), path),
        (pgettext(CONTEXT, "Cost centre"), isolated(section.cost_centre)),
    )
    return tuple(fact for fact in facts if fact[1])
