"""The sentences of an invoice, and when each is said."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import npgettext, pgettext

from billing_rules.tax import Category
from invoicing.documents import parties
from invoicing.documents.calculation import CONTEXT
from invoicing.documents.formats import Formats
from invoicing.documents.payment_code import payment_code, payment_payload
from invoicing.models import Invoice, InvoiceSection, InvoiceTax

_TRANSFER = "send"


@dataclass(frozen=True, slots=True)
class Payment:
    """How the invoice is paid: a head, sentences, labelled values, and a code to scan."""

    head: str
    sentences: tuple[str, ...]
    facts: tuple[tuple[str, str], ...] = ()
    code: SafeString | None = None


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


def title(invoice: Invoice) -> str:
    """Return the name of the document with its number."""
    if is_draft(invoice):
        return pgettext(CONTEXT, "Draft invoice")
    return pgettext(CONTEXT, "Invoice %(number)s") % {"number": invoice.number}


def subtitle(sections: Sequence[InvoiceSection]) -> str:
    """Return that it is consolidated, and of how much, empty for a single account."""
    count = len(sections)
    if count == 1:
        return ""
    return pgettext(CONTEXT, "Consolidated invoice for %(count)s accounts") % {"count": count}


def intro(invoice: Invoice, *, section_count: int, annexed: int, formats: Formats) -> str:
    """Return the one sentence that says what is charged and how to read on."""
    values = {
        "period": formats.period(invoice.period_start, invoice.period_end),
        "count": section_count,
    }
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


def facts(invoice: Invoice, formats: Formats) -> tuple[tuple[str, str], ...]:
    """Return the labelled values beside the address; what is unknown is left out.

    Source: § 14 (4) no. 3, 4 and 6 UStG; § 14a (1) UStG for the recipient's VAT id.
    """
    bill_to = invoice.snapshot["bill_to"]
    days = invoice.payment_terms_days
    rows = (
        (pgettext(CONTEXT, "Invoice number"), invoice.number),
        (
            pgettext(CONTEXT, "Invoice date"),
            invoice.issue_date and formats.day(invoice.issue_date),
        ),
        (
            pgettext(CONTEXT, "Service period"),
            formats.period(invoice.period_start, invoice.period_end),
        ),
        (pgettext(CONTEXT, "Customer number"), bill_to.get("external_id")),
        (pgettext(CONTEXT, "Your purchase order"), invoice.po_number),
        (pgettext(CONTEXT, "Your VAT ID"), bill_to.get("vat_id")),
        (
            pgettext(CONTEXT, "Payable by"),
            invoice.due_date and formats.day(invoice.due_date),
        ),
        (
            pgettext(CONTEXT, "Payment terms"),
            None if invoice.due_date else _days(days),
        ),
    )
    return tuple((label, value) for label, value in rows if value)


def is_paid_by_another(invoice: Invoice) -> bool:
    """Return whether another account than the recipient is to pay, and something is to be paid."""
    payer, bill_to = invoice.snapshot["payer"], invoice.snapshot["bill_to"]
    return bool(payer["id"] != bill_to["id"] and invoice.gross_minor > 0)


def payment(invoice: Invoice, formats: Formats, *, for_payer: bool = False) -> Payment:
    """Return how the invoice is paid.

    The code to scan is for transfers in euro alone, and never on a draft: what it pays must be
    what the books expect. Where another account pays, the recipient is told so and gets neither
    code nor bank account, which stand on the payer's copy.
    """
    head = pgettext(CONTEXT, "Payment")
    if is_draft(invoice):
        said = pgettext(CONTEXT, "This is a draft and not an invoice. Please do not pay it yet.")
        return Payment(head, (said,))
    if invoice.gross_minor == 0:
        return Payment(head, (pgettext(CONTEXT, "There is nothing to pay."),))
    if is_paid_by_another(invoice) and not for_payer:
        return Payment(head, (_delegation(invoice),))
    sentences: tuple[str, ...] = (_request(invoice, formats),)
    if for_payer:
        sentences = (_copy(invoice), *sentences)
    if invoice.collection != _TRANSFER:
        return Payment(head, sentences)
    code = _code(invoice)
    return Payment(
        pgettext(CONTEXT, "Scan with your banking app") if code else head,
        sentences,
        _bank(invoice),
        code,
    )


def _delegation(invoice: Invoice) -> str:
    said = pgettext(CONTEXT, "%(payer)s pays this invoice. There is nothing for you to do.")
    return said % {"payer": parties.legal_name(invoice.snapshot["payer"])}


def _copy(invoice: Invoice) -> str:
    said = pgettext(
        CONTEXT, "Copy for the payer %(payer)s. The invoice itself goes to %(recipient)s."
    )
    return said % {
        "payer": parties.legal_name(invoice.snapshot["payer"]),
        "recipient": parties.legal_name(invoice.snapshot["bill_to"]),
    }


def _request(invoice: Invoice, formats: Formats) -> str:
    values = {
        "amount": formats.money(invoice.gross_minor),
        "date": invoice.due_date and formats.day(invoice.due_date),
        "number": invoice.number,
    }
    if invoice.collection != _TRANSFER:
        said = pgettext(
            CONTEXT, "We will collect %(amount)s on %(date)s by the agreed payment method."
        )
    elif invoice.snapshot["seller"].get("iban"):
        said = pgettext(
            CONTEXT,
            "Please transfer %(amount)s by %(date)s to the account below, quoting %(number)s.",
        )
    else:
        said = pgettext(CONTEXT, "Please transfer %(amount)s by %(date)s, quoting %(number)s.")
    return said % values


def _bank(invoice: Invoice) -> tuple[tuple[str, str], ...]:
    seller = invoice.snapshot["seller"]
    if not seller.get("iban"):
        return ()
    rows = (
        (pgettext(CONTEXT, "Account holder"), seller["name"]),
        ("IBAN", parties.iban_groups(seller)),
        ("BIC", seller.get("bic")),
    )
    return tuple((label, value) for label, value in rows if value)


def _code(invoice: Invoice) -> SafeString | None:
    seller = invoice.snapshot["seller"]
    if invoice.currency != "EUR":
        return None
    payload = payment_payload(
        name=seller["name"],
        iban=seller.get("iban") or "",
        amount_minor=invoice.gross_minor,
        text=invoice.number or "",
    )
    # The drawing is made here from numbers alone; no text of the payload gets into it.
    return mark_safe(payment_code(payload)) if payload else None  # noqa: S308


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
