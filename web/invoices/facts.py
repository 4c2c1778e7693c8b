"""The facts beside an invoice, from what was frozen with it."""

from collections.abc import Iterable, Mapping
from typing import Any, Final
from uuid import UUID

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from invoicing.documents import parties
from invoicing.documents.formats import Formats
from invoicing.models import DocumentKind, Invoice
from tenancy.formats import period_text
from web.accounts import account_url
from web.invoices.table import frozen_name, present_name
from web.page_heads import Fact
from web.templatetags.figures import day

_LANGUAGES: Final[Mapping[str, Promise]] = {
    "de": gettext_lazy("German"),
    "en": gettext_lazy("English"),
}
_COLLECTION: Final[Mapping[str, Promise]] = {
    "send": gettext_lazy("Bank transfer"),
    "invoice": gettext_lazy("Bank transfer"),
    "transfer": gettext_lazy("Bank transfer"),
    "debit": gettext_lazy("Direct debit"),
    "automatic": gettext_lazy("Collected automatically"),
}


def address_of(invoice: Invoice, language: str) -> tuple[str, ...]:
    """Return the lines of the recipient's address as they stand on the document."""
    formats = Formats.of(language, invoice.currency)
    return parties.recipient_lines(_party(invoice, "bill_to"), _party(invoice, "seller"), formats)


def names_of(invoice: Invoice) -> tuple[str, ...]:
    """Return what the recipient is called in its address: the lines that lead to its account."""
    bill_to = _party(invoice, "bill_to")
    return tuple(filter(None, (bill_to.get("name"), bill_to.get("legal_name"))))


def facts_of(invoice: Invoice, language: str, *, opens_accounts: bool = False) -> list[Fact]:
    """Return what the right rail says, the recipient's address aside.

    Args:
        invoice: the document.
        language: the language of the page.
        opens_accounts: whether the reader has pages of accounts to be led to.
    """
    found = _facts(invoice, language, opens_accounts=opens_accounts)
    return [fact for fact in found if fact.value]


def _facts(invoice: Invoice, language: str, *, opens_accounts: bool) -> Iterable[Fact]:
    bill_to, seller = _party(invoice, "bill_to"), _party(invoice, "seller")
    yield Fact(_("Called now"), present_name(invoice), _url(invoice.bill_to_id, opens_accounts))
    yield Fact(_("Recipient's VAT ID"), str(bill_to.get("vat_id") or ""))
    yield Fact(_("Payer"), frozen_name(invoice, "payer"), _url(invoice.payer_id, opens_accounts))
    yield Fact(_("Seller"), str(seller.get("name") or invoice.seller.name))
    yield Fact(_("Service period"), period_text(invoice.period_start, invoice.period_end))
    yield Fact(_("Issued"), day(invoice.issue_date))
    yield Fact(_("Due"), day(invoice.due_date))
    if invoice.kind == DocumentKind.INVOICE:
        yield Fact(_("Payment terms"), _terms(invoice.payment_terms_days))
        yield Fact(_("Payment"), str(_COLLECTION.get(invoice.collection, "")))
    yield Fact(_("Purchase order"), invoice.po_number)
    yield Fact(_("Document language"), str(_LANGUAGES.get(invoice.language[:2], "")))


def _url(account_id: UUID | None, opens_accounts: bool) -> str:
    return account_url(account_id) if account_id and opens_accounts else ""


def _party(invoice: Invoice, part: str) -> Mapping[str, Any]:
    found = invoice.snapshot.get(part)
    return found if isinstance(found, dict) else {}


def _terms(days: int | None) -> str:
    if days is None:
        return ""
    if not days:
        return _("Due at once")
    return ngettext("%(days)s day net", "%(days)s days net", days) % {"days": days}
