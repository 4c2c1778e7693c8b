"""``/api/v1/invoices/{id}/pdf``: the file, made after the request's transaction if need be."""

from datetime import datetime
from functools import partial
from typing import Any, ClassVar
from uuid import UUID

from django.http import HttpResponse, JsonResponse
from django.http.response import HttpResponseBase
from django.utils.http import content_disposition_header
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.request import Request

from accounts.access import Action
from accounts.middleware import Later
from accounts.serializers.parts import NoParameters
from invoicing.api.invoices import require_seen
from invoicing.documents.making import DocumentBeingMade, get_pdf, require_makable
from invoicing.documents.pdf import PdfFile, kind_for, stored_file, whole_invoice
from invoicing.models import Invoice
from invoicing.operations.rendering import retry_document
from invoicing.serializers.invoices import BeingMadeOut, PdfParameters
from invoicing.tasks import render_soon
from tenancy import clock
from tenancy.actor import Actor
from tenancy.api.answering import ActorApiRequest, ActorView
from tenancy.errors import BillingError
from tenancy.ids import key_of

RETRY_AFTER = 5
"""Seconds after which a caller asks again for a file that is being made."""


class AnyAccept(BaseContentNegotiation):
    """A file comes as what it is, whatever the caller says to prefer."""

    def select_parser(self, request: Request, parsers: Any) -> Any:
        """Return the first."""
        return parsers[0]

    def select_renderer(
        self, request: Request, renderers: Any, format_suffix: str | None = None
    ) -> Any:
        """Return the first."""
        return renderers[0], renderers[0].media_type


class InvoicePdf(ActorView):
    """``GET`` and ``POST /api/v1/invoices/{id}/pdf``."""

    scopes: ClassVar = {"GET": Action.VIEW_INVOICE, "POST": Action.ISSUE_INVOICE}
    content_negotiation_class = AnyAccept

    @extend_schema(
        operation_id="get_invoice_pdf",
        parameters=[PdfParameters],
        responses={(200, "application/pdf"): OpenApiTypes.BINARY, 202: BeingMadeOut},
    )
    def get(self, request: ActorApiRequest, invoice: str) -> HttpResponseBase:
        """Return the document as PDF; of a partial view it is refused.

        202 with ``Retry-After`` says that it is still being made, 409 that it was given up.
        """
        values = self.parameters(request, PdfParameters)
        actor, key, wanted = request.actor, key_of("inv", invoice), values.get("copy", "")
        found = whole_invoice(actor, key)
        if stored := stored_file(found, kind_for(actor, found, wanted)):
            return _file(stored)
        if found.status not in Invoice.UNISSUED:
            try:
                require_makable(found)
            except DocumentBeingMade:
                render_soon(actor, key)
                return _being_made()
        return Later(partial(_made, actor, key, wanted, now=clock.now_of(request.tenant)))

    @extend_schema(
        operation_id="retry_invoice_pdf",
        request=None,
        responses={202: BeingMadeOut},
    )
    def post(self, request: ActorApiRequest, invoice: str) -> HttpResponseBase:
        """Have a PDF tried again that was given up."""
        self.parameters(request, NoParameters)
        actor, key = request.actor, key_of("inv", invoice)
        retry_document(
            actor,
            key,
            require_seen=lambda: require_seen(request, key),
            now=clock.now_of(request.tenant),
        )
        render_soon(actor, key)
        return _being_made()


def _made(actor: Actor, invoice_id: UUID, wanted: str, *, now: datetime) -> HttpResponseBase:
    """Return a file made just now; asking again tells whoever was not lucky why."""
    try:
        return _file(get_pdf(actor, invoice_id, now=now, wanted=wanted))
    except BillingError:
        return _being_made()


def _file(found: PdfFile) -> HttpResponse:
    response = HttpResponse(found.content, content_type="application/pdf")
    disposition = content_disposition_header(True, found.file_name)
    response.headers["Content-Disposition"] = disposition or "attachment"
    response.headers["Cache-Control"] = "private, no-store"
    return response


def _being_made() -> HttpResponseBase:
    headers = {"Retry-After": str(RETRY_AFTER), "Cache-Control": "private, no-store"}
    return JsonResponse({"status": "being_made"}, status=202, headers=headers)
