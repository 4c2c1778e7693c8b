"""One invoice: its sections and lines, tax, facts, what happened, and its PDF."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.cache import patch_vary_headers
from django.utils.translation import get_language, ngettext
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from accounts import clock
from accounts.actor import Actor
from accounts.errors import NotFound
from accounts.ids import parse_public_id
from accounts.middleware import ActorRequest
from dashboard.frame import is_staff
from dashboard.pages import badges, invoice_facts
from dashboard.pages.badges import Badge
from dashboard.pages.doors import in_own_frame
from dashboard.pages.explaining import steps_of
from dashboard.pages.timeline import timeline_of
from dashboard.templatetags.figures import quantity
from invoicing.documents.pdf import get_pdf
from invoicing.documents.wording import tax_reason
from invoicing.models import Invoice, InvoiceLine, InvoiceSection, InvoiceTax
from invoicing.queries import invoices as queries

LINES_AT_ONCE: Final = 200
SECTIONS_PER_PAGE: Final = 50
COLUMNS: Final = 6


@dataclass(frozen=True, slots=True)
class LineRow:
    """One line as the table shows it."""

    id: str
    description: str
    period_start: date
    period_end: date
    quantity: Decimal
    unit_amount: Decimal | None
    tax_rate: Decimal
    net_minor: int


@dataclass(frozen=True, slots=True)
class SectionRow:
    """The part of one account; ``lines`` is None while only its subtotal is shown."""

    position: int
    name: str
    above: str
    cost_centre: str
    po_number: str
    net_minor: int
    lines: Sequence[LineRow] | None = None
    next_line: int | None = None


@dataclass(frozen=True, slots=True)
class PathStep:
    """One step of the breadcrumb; the last one has no address."""

    label: str
    url: str = ""


@dataclass(frozen=True, slots=True)
class TaxRow:
    """One tax group: rate, base, tax and why."""

    rate: Decimal
    base_minor: int
    tax_minor: int
    reason: str


@dataclass(frozen=True, slots=True)
class SectionPage:
    """Which sections are on the page; ``last`` counts from 1, 0 where there are none."""

    first: int
    last: int
    total: int
    previous: int | None
    next: int | None


@require_safe
@in_own_frame
def invoice_page(request: ActorRequest, invoice_id: str) -> HttpResponse:
    """Show an invoice. At most six statements beside those of the frame."""
    actor = request.actor
    invoice: Any = queries.get_invoice(actor, key_of("inv", invoice_id))
    found = queries.sections_of(actor, invoice)
    lines = _lines_at_once(actor, invoice, found)
    is_long = lines is None
    with_lines = not is_long and request.GET.get("view") != "subtotals"
    shown, pages = _paged(found, request.GET.get("sections", "")) if is_long else (found, None)
    by_section = _by_section(lines or ())
    taxes = queries.taxes_of(actor, invoice) if invoice.whole else ()
    context = {
        **head_of(invoice, actor),
        "steps": path_of(request, invoice),
        "sections": [_section(one, by_section[one.pk] if with_lines else None) for one in shown],
        "section_pages": pages,
        "with_lines": with_lines,
        "with_totals": True,
        "is_foldable": not with_lines,
        "is_long": is_long,
        "taxes": [_tax(tax, invoice) for tax in taxes],
        "facts": invoice_facts.facts_of(invoice, get_language() or "en"),
        "address": invoice_facts.address_of(invoice, get_language() or "en"),
        "timeline": timeline_of(actor, invoice.pk),
        "time_zone": request.tenant.time_zone,
        # A draft is decided about in its run: one statement more, for drafts alone.
        "run": invoice.run if not invoice.number and is_staff(actor) else None,
    }
    return render(request, "invoices/page.html", context)


@require_safe
@in_own_frame
def invoice_section(request: ActorRequest, invoice_id: str, position: int) -> HttpResponse:
    """Show the lines of one section: a fragment of the invoice's table, or a page of its own."""
    actor = request.actor
    invoice: Any = queries.get_invoice(actor, key_of("inv", invoice_id))
    sections = queries.sections_of(actor, invoice)
    section = next((one for one in sections if one.position == position), None)
    if section is None:
        raise NotFound
    start = _whole_number(request.GET.get("from", "")) or 0
    is_closed = request.GET.get("view") == "subtotals"
    lines = None if is_closed else _lines_of(section, start)
    row = _section(section, lines, start=start)
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
    line = queries.get_line(actor, key)
    if line.invoice_id != key_of("inv", invoice_id):
        raise NotFound
    invoice: Any = queries.get_invoice(actor, line.invoice_id)
    explanation = queries.explanation(actor, key)
    context = {
        **head_of(invoice, actor),
        "steps": path_of(request, invoice, _("Why this amount?")),
        "line": _line(line),
        "account": line.section.path[-1] if line.section.path else line.section.account.name,
        "explanation": steps_of(explanation.steps, invoice.currency),
        "sentence": explanation.sentence,
    }
    template = "invoices/_why_row.html" if wants_fragment(request) else "invoices/why.html"
    response = render(request, template, context)
    patch_vary_headers(response, ["HX-Request"])
    return response


@require_safe
@in_own_frame
def invoice_pdf(request: ActorRequest, invoice_id: str) -> HttpResponse:
    """Hand out the PDF."""
    found = get_pdf(request.actor, key_of("inv", invoice_id), now=clock.now_of(request.tenant))
    response = HttpResponse(found.content, content_type="application/pdf")
    response.headers["Content-Disposition"] = f'attachment; filename="{found.file_name}"'
    response.headers["Cache-Control"] = "private, no-store"
    return response


def key_of(prefix: str, text: str) -> UUID:
    """Return the key that an address names; what is no id is not found."""
    key = parse_public_id(prefix, text)
    if key is None:
        raise Http404
    return key


def _whole_number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 8 else None


def head_of(invoice: Any, actor: Actor) -> dict[str, Any]:
    """Return what every page about an invoice says first."""
    return {
        "invoice": {
            "id": invoice.public_id,
            "currency": invoice.currency,
            "net_minor": invoice.shown_net_minor,
            "gross_minor": invoice.shown_gross_minor,
            "open_minor": invoice.open_minor,
            "due_date": invoice.due_date,
            "is_issued": invoice.number is not None,
            "whole": invoice.whole,
            "line_count": invoice.line_count,
        },
        "title": _title(invoice),
        "badges": list(_badges(invoice, actor)),
        "columns": COLUMNS,
    }


def wants_fragment(request: ActorRequest) -> bool:
    """Return whether a part of the page is asked for; going back in history wants all of it."""
    htmx = request.htmx  # type: ignore[attr-defined]
    return bool(htmx) and not htmx.history_restore_request


def path_of(request: ActorRequest, invoice: Invoice, below: str = "") -> list[PathStep]:
    """Return the breadcrumb: the list, this invoice, and what is shown of it."""
    namespace = request.resolver_match.namespace if request.resolver_match else ""
    every = PathStep(_("Invoices"), reverse("invoices:list", current_app=namespace))
    number = invoice.number or _("Draft")
    if not below:
        return [every, PathStep(number)]
    own = reverse("invoices:page", args=[invoice.public_id], current_app=namespace)
    return [every, PathStep(number, own), PathStep(below)]


def _title(invoice: Invoice) -> str:
    if invoice.number is None:
        return _("Draft for %(account)s") % {"account": invoice.bill_to.name}
    return _("Invoice %(number)s") % {"number": invoice.number}


def _badges(invoice: Any, actor: Actor) -> Iterable[Badge]:
    yield badges.invoice_badge_with_date(invoice, actor.today)
    if not invoice.whole:
        yield Badge(_("Extract, not an invoice for VAT purposes"), "warn", is_plain=True)
    elif invoice.section_count > 1:
        text = ngettext(
            "Consolidated, %(count)s account",
            "Consolidated, %(count)s accounts",
            invoice.section_count,
        )
        yield Badge(text % {"count": quantity(invoice.section_count)}, is_plain=True)
    if invoice.snapshot.get("is_test") and is_staff(actor):
        yield Badge(_("Test"), "plum", is_plain=True)


def _by_section(lines: Iterable[InvoiceLine]) -> dict[UUID, list[InvoiceLine]]:
    sections: dict[UUID, list[InvoiceLine]] = defaultdict(list)
    for line in lines:
        sections[line.section_id].append(line)
    return sections


def _lines_at_once(
    actor: Actor, invoice: Any, sections: Sequence[InvoiceSection]
) -> list[InvoiceLine] | None:
    """Return the lines in sight, None where they are too many for one page.

    One statement; none for an invoice in sight as a whole that has too many.
    """
    if invoice.whole:
        return None if invoice.line_count > LINES_AT_ONCE else queries.lines_of(actor, invoice)
    lines = InvoiceLine.objects.filter(tenant_id=actor.tenant_id, section__in=sections)
    found = list(lines.order_by("position", "id")[: LINES_AT_ONCE + 1])
    return None if len(found) > LINES_AT_ONCE else found


def _lines_of(section: InvoiceSection, start: int) -> list[InvoiceLine]:
    """Return some lines of a section that was found to be in sight, one more than are shown."""
    return list(
        InvoiceLine.objects.filter(tenant_id=section.tenant_id, section=section).order_by(
            "position", "id"
        )[start : start + LINES_AT_ONCE + 1]
    )


def _section(
    section: InvoiceSection, lines: Sequence[InvoiceLine] | None, *, start: int = 0
) -> SectionRow:
    has_more = lines is not None and len(lines) > LINES_AT_ONCE
    return SectionRow(
        position=section.position,
        name=section.path[-1] if section.path else section.account.name,
        above=" › ".join(section.path[:-1]),
        cost_centre=section.cost_centre,
        po_number=section.po_number,
        net_minor=section.net_minor,
        lines=None if lines is None else [_line(one) for one in lines[:LINES_AT_ONCE]],
        next_line=start + LINES_AT_ONCE if has_more else None,
    )


def _line(line: InvoiceLine) -> LineRow:
    return LineRow(
        id=line.public_id,
        description=line.description,
        period_start=line.period_start,
        period_end=line.period_end,
        quantity=line.quantity,
        unit_amount=line.unit_amount,
        tax_rate=line.tax_rate,
        net_minor=line.net_minor,
    )


def _tax(tax: InvoiceTax, invoice: Invoice) -> TaxRow:
    reason = tax_reason(tax.category, invoice.snapshot.get("tax_reason", ""))
    return TaxRow(tax.rate, tax.base_minor, tax.tax_minor, reason)


def _paged(
    sections: Sequence[InvoiceSection], wanted: str
) -> tuple[Sequence[InvoiceSection], SectionPage]:
    total = len(sections)
    last_page = max(1, -(-total // SECTIONS_PER_PAGE))
    page = min(max(_whole_number(wanted) or 1, 1), last_page)
    first = (page - 1) * SECTIONS_PER_PAGE
    shown = sections[first : first + SECTIONS_PER_PAGE]
    return shown, SectionPage(
        first=first + 1 if shown else 0,
        last=first + len(shown),
        total=total,
        previous=page - 1 if page > 1 else None,
        next=page + 1 if page < last_page else None,
    )
