"""The sentences of an invoice, and when each is said."""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal

from django.utils.translation import npgettext, pgettext

from billing_rules.tax import Category
from invoicing.documents.calculation import CONTEXT
from invoicing.documents.directions import isolated
from invoicing.documents.formats import Formats
from invoicing.models import DocumentKind, Invoice, InvoiceSection, InvoiceTax


def is_draft(invoice: Invoice) -> bool:
    """Return whether it has no number yet."""
    return invoice.status in Invoice.UNISSUED


def watermark(invoice: Invoice, *, for_payer: bool = False) -> str:
    """Return the word across every page of what is no real invoice, empty for a real one."""
    words = (
        pgettext(CONTEXT, "COPY") if for_payer else "",
        pgettext(CONTEXT, "DRAFT") if is_draft(invoice) else "",
        pgettext(CONTEXT, "TEST") if invoice.snapshot.get("is_test") else "",
    )
    return " · ".join(filter(None, words))


def is_credit_note(invoice: Invoice) -> bool:
    """Return whether it takes back of an invoice."""
    return invoice.kind == DocumentKind.CREDIT_NOTE


def title(invoice: Invoice) -> str:
    """Return the name of the document with its number."""
    if is_credit_note(invoice):
        return pgettext(CONTEXT, "Correction %(number)s") % {"number": invoice.number}
    if is_draft(invoice):
        return pgettext(CONTEXT, "Draft invoice")
    return pgettext(CONTEXT, "Invoice %(number)s") % {"number": invoice.number}


def subtitle(invoice: Invoice, sections: Sequence[InvoiceSection], formats: Formats) -> str:
    """Return what it corrects, or of how many accounts it is, empty for a single account.

    Source: § 31 (5) UStDV: a correction refers to its invoice and says so unmistakably.
    """
    if is_credit_note(invoice):
        return pgettext(CONTEXT, "of invoice %(number)s of %(date)s") % _corrected(invoice, formats)
    count = len(sections)
    if count == 1:
        return ""
    return pgettext(CONTEXT, "Consolidated invoice for %(count)s accounts") % {"count": count}


def _corrected(invoice: Invoice, formats: Formats) -> dict[str, str]:
    said = invoice.snapshot["corrects"]
    return {"number": said["number"], "date": formats.day(date.fromisoformat(said["issue_date"]))}


def _correcting(invoice: Invoice, formats: Formats) -> str:
    said = pgettext(
        CONTEXT,
        "we take back of invoice %(number)s of %(date)s what follows. Reason: %(reason)s",
    )
    return said % {**_corrected(invoice, formats), "reason": isolated(invoice.reason)}


def intro(
    invoice: Invoice, *, section_count: int, annexed: int, period: str, formats: Formats
) -> str:
    """Return the one sentence that says what is charged and how to read on.

    ``period`` is empty where the lines are for different times: each says its own.
    """
    if is_credit_note(invoice):
        return _correcting(invoice, formats)
    if not period:
        return _intro_without_period(section_count, annexed=annexed)
    values = {"period": period, "count": section_count}
    if section_count == 1:
        return (
            pgettext(CONTEXT, "for the period %(period)s we charge the following services.")
            % values
        )
    if annexed:
        return (
            pgettext(
                CONTEXT,
                "for the period %(period)s we charge the services for %(count)s accounts."
                " The summary follows.",
            )
            % values
        )
    return (
        pgettext(
            CONTEXT,
            "for the period %(period)s we charge the services for %(count)s accounts."
            " The summary comes first, then the line items.",
        )
        % values
    )


def _intro_without_period(section_count: int, *, annexed: int) -> str:
    values = {"count": section_count}
    if section_count == 1:
        return pgettext(CONTEXT, "we charge the following services.")
    if annexed:
        said = pgettext(
            CONTEXT, "we charge the services for %(count)s accounts. The summary follows."
        )
        return said % values
    said = pgettext(
        CONTEXT,
        "we charge the services for %(count)s accounts."
        " The summary comes first, then the line items.",
    )
    return said % values


def facts(invoice: Invoice, formats: Formats, *, period: str) -> tuple[tuple[str, str], ...]:
    """Return the labelled values beside the address; what is unknown is left out.

    ``period`` is the time of the services, or where to read it. Where nothing is owed, no day is
    named to pay it by.

    Source: § 14 (4) no. 3, 4 and 6 UStG; § 14a (1) UStG for the recipient's VAT id.
    """
    bill_to = invoice.snapshot["bill_to"]
    days = invoice.payment_terms_days
    is_owed = invoice.gross_minor > 0
    rows = (
        *_named_and_dated(invoice, formats),
        (pgettext(CONTEXT, "Service period"), period),
        (
            pgettext(CONTEXT, "Payable by"),
            formats.day(invoice.due_date) if invoice.due_date and is_owed else None,
        ),
        (
            pgettext(CONTEXT, "Payment terms"),
            None if invoice.due_date or not is_owed else _days(days),
        ),
        (pgettext(CONTEXT, "Customer number"), bill_to.get("external_id")),
        (pgettext(CONTEXT, "Your VAT ID"), bill_to.get("vat_id")),
        (pgettext(CONTEXT, "Your purchase order"), isolated(invoice.po_number)),
    )
    return tuple((label, value) for label, value in rows if value)


def _named_and_dated(invoice: Invoice, formats: Formats) -> tuple[tuple[str, str | None], ...]:
    dated = formats.day(invoice.issue_date) if invoice.issue_date else None
    if not is_credit_note(invoice):
        return (
            (pgettext(CONTEXT, "Invoice number"), invoice.number),
            (pgettext(CONTEXT, "Invoice date"), dated),
        )
    corrected = _corrected(invoice, formats)
    return (
        (pgettext(CONTEXT, "Number"), invoice.number),
        (pgettext(CONTEXT, "Date"), dated),
        (pgettext(CONTEXT, "Corrects invoice"), corrected["number"]),
        (pgettext(CONTEXT, "of"), corrected["date"]),
    )


def tax_label(tax: InvoiceTax, formats: Formats, *, with_base: bool) -> str:
    """Return the label of a tax group among the totals."""
    values = {"rate": formats.percent(tax.rate), "base": formats.money(tax.base_minor)}
    if with_base:
        return pgettext(CONTEXT, "VAT %(rate)s on %(base)s") % values
    return pgettext(CONTEXT, "VAT %(rate)s") % values


def tax_reason(category: str, reason: str) -> str:
    """Return why a tax group bears no tax, empty where it does or needs no reason.

    Source: § 14 (4) no. 8, § 14a (5), § 19 UStG; EN 16931, BT-120.
    """
    if category == Category.AE:
        return pgettext(CONTEXT, "Reverse charge")
    if category == Category.O:
        return pgettext(CONTEXT, "Outside the scope of VAT")
    if category == Category.E:
        if reason == "small_business":
            return pgettext(CONTEXT, "Small business scheme")
        return pgettext(CONTEXT, "Exempt from VAT")
    if category == Category.K:
        return pgettext(CONTEXT, "Intra-Community supply")
    if category == Category.G:
        return pgettext(CONTEXT, "Export")
    return ""


def tax_table_reason(category: str, reason: str) -> str:
    """Return what the tax table says of a group without tax, empty where a note below says it."""
    if category in {Category.AE, Category.O} or reason == "small_business":
        return ""
    return tax_reason(category, reason)


def notes(
    invoice: Invoice, categories: Sequence[str], *, annexed: int, formats: Formats
) -> tuple[str, ...]:
    """Return the sentences below the tax table: law first, then terms, then the annex."""
    reason = invoice.snapshot.get("tax_reason")
    said: list[str] = []
    if Category.AE in categories:
        said.append(pgettext(CONTEXT, "Reverse charge: VAT to be accounted for by the recipient."))
    if Category.O in categories:
        said.append(
            pgettext(
                CONTEXT,
                "Not subject to VAT of the supplier's country: the place of supply is the"
                " recipient's place of business.",
            )
        )
    if reason == "small_business":
        said.append(
            pgettext(CONTEXT, "VAT exempt under the German small business scheme (§ 19 UStG).")
        )
    if reason == "eu_without_vat_id":
        said.append(pgettext(CONTEXT, "VAT is charged because we have no valid VAT ID of yours."))
    if invoice.gross_minor > 0 and not invoice.payment_terms_days:
        said.append(pgettext(CONTEXT, "Payable at once, no discount."))
    elif invoice.gross_minor > 0:
        said.append(
            pgettext(CONTEXT, "Payment terms: %(days)s from the invoice date, no discount.")
            % {"days": _days(invoice.payment_terms_days)}
        )
    if annexed:
        said.append(
            pgettext(
                CONTEXT,
                "The %(count)s line items are in the annex to this invoice (CSV file).",
            )
            % {"count": formats.quantity(Decimal(annexed))}
        )
    return tuple(said)


def _days(days: int) -> str:
    return npgettext(CONTEXT, "%(count)s day", "%(count)s days", days) % {"count": days}
