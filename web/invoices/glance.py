"""A quick look at an invoice, for the drawer beside the list."""

from typing import Any, Final

from django.http import HttpResponse
from django.shortcuts import render
from django.utils.cache import patch_vary_headers
from django.views.decorators.http import require_safe

from accounts.middleware import ActorRequest
from invoicing.queries.invoice_parts import sections_of, taxes_of
from invoicing.queries.invoices import get_invoice
from tenancy.formats import period_text
from tenancy.ids import key_of
from web.accounts import account_url
from web.frame import is_staff
from web.invoices.head import head_of, path_of
from web.invoices.sections import section_row
from web.invoices.table import frozen_name, present_name
from web.requests import wants_fragment
from web.session_checks import in_own_frame

SECTIONS: Final = 8


@require_safe
@in_own_frame
def glance(request: ActorRequest, invoice_id: str) -> HttpResponse:
    """Show what an invoice is about: a fragment for the drawer, or a page of its own.

    At most four statements beside those of the frame.
    """
    actor = request.actor
    invoice: Any = get_invoice(actor, key_of("inv", invoice_id))
    opens = is_staff(actor)
    sections = sections_of(actor, invoice)
    taxes = taxes_of(actor, invoice) if invoice.whole else []
    context = {
        **head_of(invoice, actor),
        "steps": path_of(request, invoice),
        "recipient": frozen_name(invoice, "bill_to"),
        "recipient_now": present_name(invoice),
        "recipient_url": account_url(invoice.bill_to_id) if opens and invoice.whole else "",
        "payer_url": account_url(invoice.payer_id) if opens and invoice.payer_id else "",
        "payer": frozen_name(invoice, "payer") if invoice.payer_id != invoice.bill_to_id else "",
        "seller": frozen_name(invoice, "seller"),
        "service_period": period_text(invoice.period_start, invoice.period_end),
        "issue_date": invoice.issue_date,
        "sections": [section_row(one, None, opens_accounts=opens) for one in sections[:SECTIONS]],
        "more_sections": max(0, len(sections) - SECTIONS),
        "taxes": taxes,
    }
    template = "invoices/_glance.html" if wants_fragment(request) else "invoices/glance.html"
    response = render(request, template, context)
    patch_vary_headers(response, ["HX-Request"])
    return response
