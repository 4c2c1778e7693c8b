"""The names of the files, safe on every system."""

import re
import unicodedata
from datetime import date

from django.utils.translation import pgettext

from billing_rules.money import to_major
from invoicing.documents.calculation import CONTEXT
from invoicing.models import DocumentKind, Invoice

_SELLER_LENGTH = 60
_SPELLED_OUT = str.maketrans(
    {"ä": "ae", "ö": "oe", "ü": "ue", "Ä": "Ae", "Ö": "Oe", "Ü": "Ue", "ß": "ss"}
)


def pdf_name(invoice: Invoice, day: date, *, for_payer: bool = False) -> str:
    """Return seller, kind, date, number and total, in the active language."""
    copy = f"-{_plain(pgettext(CONTEXT, 'payer'))}" if for_payer else ""
    return f"{_stem(invoice, day)}{copy}.pdf"


def annex_name(invoice: Invoice, day: date) -> str:
    """Return the name of the annex: that of the document, with another ending."""
    return f"{_stem(invoice, day)}.csv"


def _stem(invoice: Invoice, day: date) -> str:
    draft, test = pgettext(CONTEXT, "draft"), pgettext(CONTEXT, "TEST")
    parts = (
        _plain(invoice.snapshot["seller"]["name"])[:_SELLER_LENGTH],
        pgettext(CONTEXT, "correction")
        if invoice.kind == DocumentKind.CREDIT_NOTE
        else pgettext(CONTEXT, "invoice"),
        day.isoformat(),
        _plain(invoice.number or draft),
        f"{to_major(invoice.gross_minor, invoice.currency)}",
        test if invoice.snapshot.get("is_test") else "",
    )
    return "-".join(part.strip("-.") for part in parts if part)


def _plain(text: str) -> str:
    """Return letters, digits and dots, with single hyphens for all between."""
    spelled = unicodedata.normalize("NFC", text).translate(_SPELLED_OUT)
    ascii_only = unicodedata.normalize("NFKD", spelled).encode("ascii", "ignore").decode()
    return re.sub(r"[^A-Za-z0-9]*[^A-Za-z0-9.][^A-Za-z0-9]*|[.]{2,}", "-", ascii_only).strip("-.")
