"""What every page about an invoice says first: its name, its badges, the way to it."""

from collections.abc import Iterable
from typing import Any, Final

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.middleware import ActorRequest
from invoicing.documents.content import shows_detail
from invoicing.models import DocumentKind, Invoice
from tenancy.actor import Actor
from web import badges
from web.badges import Badge
from web.frame import is_staff
from web.page_heads import Crumb
from web.requests import namespace_of
from web.templatetags.figures import quantity

COLUMNS: Final = 6


def head_of(invoice: Any, actor: Actor) -> dict[str, Any]:
    """Return what every page about an invoice says first."""
    return {
        "invoice": {
            "id": invoice.public_id,
            "currency": invoice.currency,
            "net_minor": invoice.shown_net_minor,
            "tax_minor": invoice.shown_tax_minor,
            "gross_minor": invoice.shown_gross_minor,
            "open_minor": invoice.shown_open_minor,
            "due_date": invoice.due_date,
            "is_issued": invoice.number is not None,
            "is_credit_note": invoice.kind == DocumentKind.CREDIT_NOTE,
            "reason": invoice.reason,
            "corrected_minor": invoice.corrected_minor,
            "whole": invoice.whole,
            "has_annex": invoice.whole and not shows_detail(invoice),
            "line_count": invoice.line_count,
        },
        "title": _title(invoice),
        "badges": list(_badges(invoice, actor)),
        "columns": COLUMNS,
    }


def path_of(request: ActorRequest, invoice: Invoice, below: str = "") -> list[Crumb]:
    """Return the breadcrumb: the list, this invoice, and what is shown of it."""
    namespace = namespace_of(request)
    every = Crumb(_("Invoices"), reverse("invoices:list", current_app=namespace))
    number = invoice.number or _("Draft")
    if not below:
        return [every, Crumb(number)]
    own = reverse("invoices:page", args=[invoice.public_id], current_app=namespace)
    return [every, Crumb(number, own), Crumb(below)]


def _title(invoice: Invoice) -> str:
    if invoice.number is None:
        return _("Draft for %(account)s") % {"account": invoice.bill_to.name}
    if invoice.kind == DocumentKind.CREDIT_NOTE:
        return _("Credit note %(number)s") % {"number": invoice.number}
    return _("Invoice %(number)s") % {"number": invoice.number}


def _badges(invoice: Any, actor: Actor) -> Iterable[Badge]:
    if not invoice.whole:
        # Whether the whole is paid is a matter of those who see the whole.
        yield Badge(_("Extract, not an invoice for VAT purposes"), "info", is_plain=True)
        return
    yield badges.invoice_badge_with_date(invoice, actor.today)
    if invoice.section_count > 1 and invoice.kind == DocumentKind.INVOICE:
        text = ngettext(
            "Consolidated, %(count)s account",
            "Consolidated, %(count)s accounts",
            invoice.section_count,
        )
        yield Badge(text % {"count": quantity(invoice.section_count)}, is_plain=True)
    if invoice.snapshot.get("is_test") and is_staff(actor):
        yield Badge(_("Test"), "plum", is_plain=True)
