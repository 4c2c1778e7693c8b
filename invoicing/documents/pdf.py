"""The PDF of an invoice: made once when issued and kept, made anew each time for a draft."""

import hashlib
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import Exists, OuterRef, QuerySet

from accounts.actor import Actor
from accounts.errors import Forbidden
from accounts.tenancy import scope
from invoicing.documents.content import Document, Rows, document, shows_detail
from invoicing.documents.sheet import pdf_bytes
from invoicing.models import Invoice, InvoiceLine, InvoiceSection, InvoiceTax, StoredDocument
from invoicing.queries.invoices import get_invoice
from invoicing.queries.visibility import sees_whole

KIND = "pdf"


@dataclass(frozen=True, slots=True)
class PdfFile:
    """A file to hand out: its name, its bytes and their SHA-256 in hexadecimal."""

    file_name: str
    content: bytes
    sha256: str


def get_pdf(actor: Actor, invoice_id: UUID, *, now: datetime) -> PdfFile:
    """Return the PDF of an invoice, the stored bytes if it is issued.

    An issued invoice whose file is still missing gets it now. Two may do so at once: one file is
    stored, and both return that one. The layout runs outside of any transaction begun here.

    Raises:
        NotFound: the invoice is out of sight.
        Forbidden: only a part of it is in sight (R23).
    """
    with scope(actor.tenant_id):
        invoice = _whole_invoice(actor, invoice_id)
        if stored := _stored(invoice):
            return _as_file(stored)
    made = _made(actor, invoice, now=now)
    if invoice.status in Invoice.UNISSUED:
        return made
    with scope(actor.tenant_id):
        return _keep(invoice, made, now=now)


def render_pdf(actor: Actor, invoice_id: UUID, *, now: datetime) -> bytes:
    """Return a PDF made from the rows as they are stored, without storing it.

    Raises:
        NotFound: the invoice is out of sight.
        Forbidden: only a part of it is in sight (R23).
    """
    with scope(actor.tenant_id):
        invoice = _whole_invoice(actor, invoice_id)
    return _made(actor, invoice, now=now).content


def pending_documents(actor: Actor) -> QuerySet[Invoice]:
    """Return the issued invoices without a stored PDF, those that wait longest first.

    A queue: a worker locks a row with ``SKIP LOCKED`` while it makes the file.
    """
    files = StoredDocument.objects.filter(
        tenant_id=actor.tenant_id, invoice=OuterRef("pk"), kind=KIND
    )
    return (
        Invoice.objects.filter(~Exists(files), tenant_id=actor.tenant_id)
        .exclude(status__in=Invoice.UNISSUED)
        .order_by("issued_at", "pk")
    )


def load_document(actor: Actor, invoice: Invoice, *, now: datetime) -> Document:
    """Return what stands on an invoice that the actor sees whole. Four statements."""
    return document(_rows(actor, invoice), today=now.date())


def _whole_invoice(actor: Actor, invoice_id: UUID) -> Invoice:
    invoice = get_invoice(actor, invoice_id)
    if not sees_whole(actor, invoice):
        raise Forbidden
    return invoice


def _rows(actor: Actor, invoice: Invoice) -> Rows:
    parts = {"tenant_id": actor.tenant_id, "invoice": invoice}
    period = {"period_start": invoice.period_start, "period_end": invoice.period_end}
    lines = InvoiceLine.objects.filter(**parts).select_related("charge").order_by("position", "pk")
    return Rows(
        invoice=invoice,
        sections=list(InvoiceSection.objects.filter(**parts).order_by("position", "pk")),
        lines=list(lines) if shows_detail(invoice) else [],
        taxes=list(InvoiceTax.objects.filter(**parts).order_by("category", "-rate", "pk")),
        has_one_period=not lines.order_by().exclude(**period).exists(),
    )


def _made(actor: Actor, invoice: Invoice, *, now: datetime) -> PdfFile:
    with scope(actor.tenant_id):
        content = load_document(actor, invoice, now=now)
    made = pdf_bytes(content)
    return PdfFile(content.file_name, made, hashlib.sha256(made).hexdigest())


def _stored(invoice: Invoice) -> StoredDocument | None:
    return StoredDocument.objects.filter(
        tenant_id=invoice.tenant_id, invoice=invoice, kind=KIND
    ).first()


def _keep(invoice: Invoice, made: PdfFile, *, now: datetime) -> PdfFile:
    """Store a file unless somebody was faster, and return the one that is stored.

    The unique constraint decides: a second insert waits for the first to commit, does nothing,
    and the statement after it sees the first.
    """
    StoredDocument.objects.bulk_create(
        [
            StoredDocument(
                tenant_id=invoice.tenant_id,
                invoice=invoice,
                kind=KIND,
                file_name=made.file_name,
                content=made.content,
                sha256=made.sha256,
                created_at=now,
            )
        ],
        ignore_conflicts=True,
    )
    return _as_file(
        StoredDocument.objects.get(tenant_id=invoice.tenant_id, invoice=invoice, kind=KIND)
    )


def _as_file(stored: StoredDocument) -> PdfFile:
    return PdfFile(stored.file_name, bytes(stored.content), stored.sha256)
