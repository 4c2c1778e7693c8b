"""How a document is paid, said to who pays it and to who does not."""

from dataclasses import dataclass

from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import pgettext

from invoicing.documents import parties
from invoicing.documents.calculation import CONTEXT
from invoicing.documents.directions import isolated
from invoicing.documents.formats import Formats
from invoicing.documents.payment_code import payment_code, payment_payload
from invoicing.documents.wording import is_credit_note, is_draft
from invoicing.models import Invoice

_TRANSFER = "send"


@dataclass(frozen=True, slots=True)
class Payment:
    """How the invoice is paid: a head, sentences, labelled values, and a code to scan."""

    head: str
    sentences: tuple[str, ...]
    facts: tuple[tuple[str, str], ...] = ()
    code: SafeString | None = None


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
    if is_credit_note(invoice):
        return Payment(pgettext(CONTEXT, "Settlement"), _settled(invoice, formats))
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


def _settled(invoice: Invoice, formats: Formats) -> tuple[str, ...]:
    """Return where what is taken back goes (R17)."""
    said = invoice.snapshot["corrects"]
    credited, balance = said["credited_minor"], said["balance_minor"]
    sentences = []
    if credited:
        text = pgettext(CONTEXT, "%(amount)s lowers what is open of invoice %(number)s.")
        values = {"amount": formats.money(credited), "number": said["number"]}
        sentences.append(text % values)
    if balance:
        text = pgettext(CONTEXT, "%(amount)s is kept as a credit of %(payer)s.")
        payer = isolated(parties.legal_name(invoice.snapshot["payer"]))
        sentences.append(text % {"amount": formats.money(balance), "payer": payer})
    return tuple(sentences)


def _delegation(invoice: Invoice) -> str:
    said = pgettext(CONTEXT, "%(payer)s pays this invoice. There is nothing for you to do.")
    return said % {"payer": isolated(parties.legal_name(invoice.snapshot["payer"]))}


def _copy(invoice: Invoice) -> str:
    said = pgettext(
        CONTEXT, "Copy for the payer %(payer)s. The invoice itself goes to %(recipient)s."
    )
    return said % {
        "payer": isolated(parties.legal_name(invoice.snapshot["payer"])),
        "recipient": isolated(parties.legal_name(invoice.snapshot["bill_to"])),
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
        (pgettext(CONTEXT, "Account holder"), isolated(seller["name"])),
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
