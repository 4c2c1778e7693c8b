"""The files of an invoice: its PDF, made after the request's transaction, and its lines."""

from datetime import datetime
from functools import partial
from http import HTTPStatus
from typing import Any, Final
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from accounts.middleware import ActorRequest, Later
from invoicing.documents.annex import get_annex
from invoicing.documents.making import (
    DocumentBeingMade,
    DocumentFailed,
    get_pdf,
    require_makable,
)
from invoicing.documents.pdf import PdfFile, kind_for, stored_file, whole_invoice
from invoicing.models import Invoice
from invoicing.operations.rendering import DocumentNotFailed, retry_document
from invoicing.queries.invoices import get_invoice
from invoicing.tasks import render_soon
from tenancy import clock
from tenancy.actor import Actor
from tenancy.errors import BillingError
from tenancy.ids import key_of
from web.invoices.head import head_of, path_of
from web.requests import namespace_of
from web.session_checks import in_own_frame

REFRESH_AFTER: Final = 3
"""Seconds after which the page of a file that is being made looks again."""


@require_safe
@in_own_frame
def invoice_pdf(request: ActorRequest, invoice_id: str) -> HttpResponseBase:
    """Hand out the PDF, or say that it is being made or was given up."""
    actor, key = request.actor, key_of("inv", invoice_id)
    invoice, wanted = whole_invoice(actor, key), request.GET.get("copy", "")
    if stored := stored_file(invoice, kind_for(actor, invoice, wanted)):
        return _file(stored)
    if invoice.status not in Invoice.UNISSUED:
        try:
            require_makable(invoice)
        except DocumentBeingMade:
            render_soon(actor, key)
            return _being_made(request, key)
        except DocumentFailed as refusal:
            messages.error(request, refusal.detail)
            return redirect("invoices:page", invoice.public_id)
    again = request.get_full_path()
    now = clock.now_of(request.tenant)
    return Later(partial(_made, actor, key, wanted, now=now, again=again))


def _made(
    actor: Actor, invoice_id: UUID, wanted: str, *, now: datetime, again: str
) -> HttpResponseBase:
    """Return a file made just now; whoever was not lucky comes back and is told why."""
    try:
        return _file(get_pdf(actor, invoice_id, now=now, wanted=wanted))
    except BillingError:
        return redirect(again)


def _file(found: PdfFile) -> HttpResponse:
    response = HttpResponse(found.content, content_type="application/pdf")
    response.headers["Content-Disposition"] = f'attachment; filename="{found.file_name}"'
    response.headers["Cache-Control"] = "private, no-store"
    return response


def _being_made(request: ActorRequest, invoice_id: UUID) -> HttpResponse:
    """Return a page that looks again by itself until the file is there."""
    invoice: Any = get_invoice(request.actor, invoice_id)
    context = {
        **head_of(invoice, request.actor),
        "steps": path_of(request, invoice, _("PDF")),
    }
    response = render(request, "invoices/being_made.html", context, status=HTTPStatus.ACCEPTED)
    response.headers["Refresh"] = str(REFRESH_AFTER)
    response.headers["Retry-After"] = str(REFRESH_AFTER)
    return response


@require_POST
@in_own_frame
def retry_pdf(request: ActorRequest, invoice_id: str) -> HttpResponse:
    """Have a PDF tried again that was given up."""
    actor, key = request.actor, key_of("inv", invoice_id)
    try:
        retry_document(actor, key, now=clock.now_of(request.tenant))
    except DocumentNotFailed as refusal:
        messages.warning(request, refusal.detail)
    else:
        render_soon(actor, key)
        messages.success(request, _("The PDF is tried again."))
    url = reverse("invoices:page", args=[invoice_id], current_app=namespace_of(request))
    return redirect(url)


@require_safe
@in_own_frame
def invoice_annex(request: ActorRequest, invoice_id: str) -> StreamingHttpResponse:
    """Hand out all lines as CSV."""
    actor = request.actor
    found = get_annex(actor, key_of("inv", invoice_id), today=actor.today)
    response = StreamingHttpResponse(found.pieces, content_type="text/csv; charset=utf-8")
    response.headers["Content-Disposition"] = f'attachment; filename="{found.file_name}"'
    response.headers["Cache-Control"] = "private, no-store"
    return response
