"""One invoice: its sections and lines, tax, facts, what happened, and its PDF."""

from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any, Final

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.cache import patch_vary_headers
from django.utils.safestring import SafeString
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from accounts import access
from accounts.access import Action
from accounts.middleware import ActorRequest
from invoicing.documents import parties
from invoicing.documents.making import reason_of, rendering_of
from invoicing.documents.naming import Names
from invoicing.documents.paying import is_paid_by_another
from invoicing.documents.wording import tax_reason
from invoicing.models import BillingRun, Invoice, InvoiceTax
from invoicing.queries import invoice_parts as parts
from invoicing.queries.invoices import get_invoice, invoices, is_correctable
from invoicing.queries.visibility import reaches
from invoicing.words.charges import name_of
from tenancy.actor import Actor
from tenancy.errors import NotFound
from tenancy.ids import key_of
from web.accounts import account_url
from web.frame import is_staff
from web.invoices import facts as invoice_facts
from web.invoices.explaining import steps_of
from web.invoices.head import head_of, path_of
from web.invoices.sections import (
    LINES_AT_ONCE,
    by_section,
    line_row,
    section_page,
    section_row,
)
from web.naming import Marks, linked
from web.page_heads import Fact
from web.requests import namespace_of, wants_fragment, whole_number
from web.session_checks import in_own_frame
from web.templatetags.figures import money
from web.timeline import timeline_of

_MOST: Final = 100
"""Credit notes of one invoice that its page names."""


@dataclass(frozen=True, slots=True)
class TaxRow:
    """One tax group: rate, base, tax and why."""

    rate: Decimal
    base_minor: int
    tax_minor: int
    reason: str


@require_safe
@in_own_frame
def invoice_page(request: ActorRequest, invoice_id: str) -> HttpResponse:
    """Show an invoice. At most six statements beside those of the frame."""
    actor = request.actor
    invoice: Any = get_invoice(actor, key_of("inv", invoice_id))
    found = parts.sections_of(actor, invoice)
    lines = parts.few_lines_of(actor, invoice, most=LINES_AT_ONCE)
    is_long = lines is None
    with_lines = not is_long and request.GET.get("view") != "subtotals"
    shown, pages = (
        section_page(found, request.GET.get("sections", "")) if is_long else (found, None)
    )
    lines_by_section = by_section(lines or ())
    names = Names(invoice, found) if invoice.whole else None
    taxes = parts.taxes_of(actor, invoice) if invoice.whole else ()
    # A draft is decided about in its run: one statement more, for drafts alone.
    run = invoice.run if not invoice.number and is_staff(actor) else None
    context = {
        **head_of(invoice, actor),
        "steps": path_of(request, invoice),
        "sections": [
            section_row(
                one,
                lines_by_section[one.pk] if with_lines else None,
                names=names,
                opens_accounts=is_staff(actor),
            )
            for one in shown
        ],
        "section_pages": pages,
        "with_lines": with_lines,
        "with_totals": True,
        "is_foldable": not with_lines,
        "is_long": is_long,
        "taxes": [_tax(tax, invoice) for tax in taxes],
        "facts": invoice_facts.facts_of(
            invoice, get_language() or "en", opens_accounts=is_staff(actor)
        ),
        "recipient_url": account_url(invoice.bill_to_id),
        "recipient_names": invoice_facts.names_of(invoice) if is_staff(actor) else (),
        "address": invoice_facts.address_of(invoice, get_language() or "en"),
        "timeline": timeline_of(actor, invoice.pk) if invoice.whole else [],
        "time_zone": request.tenant.time_zone,
        "run": run,
        "may_approve": run is not None
        and run.status == BillingRun.Status.TO_APPROVE
        and access.allows_everywhere(actor, Action.ISSUE_INVOICE),
        "pdf_failure": _pdf_failure(invoice) if is_staff(actor) else "",
        "may_retry": access.allows_everywhere(actor, Action.ISSUE_INVOICE),
        "payer_copy": _payer_copy(invoice, actor),
        "may_correct": _may_correct(request, invoice),
        "corrections": _corrections(request, invoice),
        "settled": _settled(invoice, opens_accounts=is_staff(actor)),
        "paid_by": _paid_by(invoice, actor),
    }
    return render(request, "invoices/page.html", context)


@require_safe
@in_own_frame
def invoice_section(request: ActorRequest, invoice_id: str, position: int) -> HttpResponse:
    """Show the lines of one section: a fragment of the invoice's table, or a page of its own."""
    actor = request.actor
    invoice: Any = get_invoice(actor, key_of("inv", invoice_id))
    sections = parts.sections_of(actor, invoice)
    section = next((one for one in sections if one.position == position), None)
    if section is None:
        raise NotFound
    start = whole_number(request.GET.get("from", ""))
    is_closed = request.GET.get("view") == "subtotals"
    # One more than is shown tells whether there are more.
    lines = (
        None
        if is_closed
        else parts.lines_of_section(actor, invoice, section, start=start, count=LINES_AT_ONCE + 1)
    )
    names = Names(invoice, sections) if invoice.whole else None
    row = section_row(section, lines, start=start, names=names, opens_accounts=is_staff(actor))
    is_fragment = wants_fragment(request)
    template = "invoices/_section.html" if is_fragment else "invoices/section.html"
    if is_fragment and start:
        template = "invoices/_line_rows.html"
    context = {
        **head_of(invoice, actor),
        "steps": path_of(request, invoice, row.name),
        "section": row,
        "sections": [row],
        "is_foldable": is_fragment,
    }
    response = render(request, template, context)
    patch_vary_headers(response, ["HX-Request"])
    return response


@require_safe
@in_own_frame
def why(request: ActorRequest, invoice_id: str, line_id: str) -> HttpResponse:
    """Explain one amount: a row below its line, or a page of its own."""
    actor, key = request.actor, key_of("lin", line_id)
    line = parts.get_line(actor, key)
    if line.invoice_id != key_of("inv", invoice_id):
        raise NotFound
    invoice: Any = get_invoice(actor, line.invoice_id)
    marks = Marks()
    # Customers have no pages of accounts to be led to.
    written = marks.of if is_staff(actor) else name_of
    explanation = parts.explanation(actor, key, written=written)
    context = {
        **head_of(invoice, actor),
        "steps": path_of(request, invoice, _("Why this amount?")),
        "line": line_row(line),
        "account": line.section.path[-1] if line.section.path else line.section.account.name,
        "account_url": account_url(line.section.account_id) if is_staff(actor) else "",
        "explanation": [
            replace(step, text=marks.linked(step.text))
            for step in steps_of(explanation.steps, invoice.currency, written=written)
        ],
        "sentence": marks.linked(explanation.sentence),
    }
    template = "invoices/_why_row.html" if wants_fragment(request) else "invoices/why.html"
    response = render(request, template, context)
    patch_vary_headers(response, ["HX-Request"])
    return response


def _pdf_failure(invoice: Any) -> str:
    """Return why the PDF was given up, empty if it was not. One statement for issued ones.

    Customers are told when they ask for it.
    """
    if not invoice.number:
        return ""
    found = rendering_of(invoice)
    return reason_of(found) if found is not None and found.given_up_at is not None else ""


def _payer_copy(invoice: Any, actor: Actor) -> bool:
    """Return whether the payer's copy is offered beside the invoice."""
    if not (invoice.number and invoice.whole and is_paid_by_another(invoice)):
        return False
    return reaches(actor, invoice.payer_id)


def _may_correct(request: ActorRequest, invoice: Any) -> bool:
    """Return whether the page leads to where an invoice is corrected: the dashboard's alone."""
    return (
        namespace_of(request) == "invoices"
        and is_correctable(invoice)
        and access.allows_everywhere(request.actor, Action.ISSUE_INVOICE)
    )


def _corrections(request: ActorRequest, invoice: Any) -> list[Fact]:
    """Return the credit notes of an invoice, or the invoice of a credit note, with their pages.

    One statement, where there are any.
    """
    actor = request.actor
    if invoice.corrects_id is None and not invoice.corrected_minor:
        return []
    found: Any = (
        invoices(actor, corrects=invoice.pk, today=actor.today).order_by("series_number")[:_MOST]
        if invoice.corrects_id is None
        else invoices(actor, today=actor.today).filter(pk=invoice.corrects_id)
    )
    return [
        Fact(
            one.number or "",
            money(one.shown_gross_minor, one.currency),
            reverse("invoices:page", args=[one.public_id], current_app=namespace_of(request)),
        )
        for one in found
    ]


def _settled(invoice: Any, *, opens_accounts: bool) -> list[str | SafeString]:
    """Return where what a credit note takes back goes (R17), to who sees all of it."""
    said = invoice.snapshot.get("corrects") if invoice.whole else None
    if not said:
        return []
    credited, balance = said["credited_minor"], said["balance_minor"]
    payer = (invoice.snapshot.get("payer") or {}).get("name", "")
    url = account_url(invoice.payer_id) if opens_accounts else ""
    sentences: list[str | SafeString] = []
    if credited:
        text = _("%(amount)s lowers what is open.")
        sentences.append(text % {"amount": money(credited, invoice.currency)})
    if balance:
        text = _("%(amount)s is credit of %(payer)s.")
        said = text % {"amount": money(balance, invoice.currency), "payer": payer}
        sentences.append(linked(said, {payer: url} if url else {}))
    return sentences


def _paid_by(invoice: Any, actor: Actor) -> str:
    """Return who pays instead of a customer whose people read this, empty if they pay."""
    if is_staff(actor) or not (invoice.whole and invoice.number and is_paid_by_another(invoice)):
        return ""
    if reaches(actor, invoice.payer_id):
        return ""
    return parties.legal_name(invoice.snapshot["payer"])


def _tax(tax: InvoiceTax, invoice: Invoice) -> TaxRow:
    reason = tax_reason(tax.category, invoice.snapshot.get("tax_reason", ""))
    return TaxRow(tax.rate, tax.base_minor, tax.tax_minor, reason)
