"""The facts beside an invoice, from what was frozen with it."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from dashboard.pages.heads import Fact
from dashboard.pages.invoice_table import frozen_name, present_name
from dashboard.templatetags.figures import day, period_text
from invoicing.documents import parties
from invoicing.documents.formats import Formats
from invoicing.models import Invoice

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


def facts_of(invoice: Invoice, language: str) -> list[Fact]:
    """Return what the right rail says, the recipient's address aside."""
    return [fact for fact in _facts(invoice, language) if fact.value]


def _facts(invoice: Invoice, language: str) -> Iterable[Fact]:
    bill_to, seller = _party(invoice, "bill_to"), _party(invoice, "seller")
    yield Fact(_("Called now"), present_name(invoice))
    yield Fact(_("Recipient's VAT ID"), str(bill_to.get("vat_id") or ""))
    yield Fact(_("Payer"), frozen_name(invoice, "payer"))
    yield Fact(_("Seller"), str(seller.get("name") or invoice.seller.name))
    yield Fact(_("Service period"), period_text(invoice.period_start, invoice.period_end))
    yield Fact(_("Issued"), day(invoice.issue_date))
    yield Fact(_("Due"), day(invoice.due_date))
    yield Fact(_("Payment terms"), _terms(invoice.payment_terms_days))
    yield Fact(_("Payment"), str(_COLLECTION.get(invoice.collection, "")))
    yield Fact(_("Purchase order"), invoice.po_number)
    yield Fact(_("Document language"), str(_LANGUAGES.get(invoice.language[:2], "")))


def _party(invoice: Invoice, part: str) -> Mapping[str, Any]:
    found = invoice.snapshot.get(part)
    return found if isinstance(found, dict) else {}


def _terms(days: int | None) -> str:
    if days is None:
        return ""
    if not days:
        return _("Due at once")
    return ngettext("%(days)s day net", "%(days)s days net", days) % {"days": days}
