"""The PDFs of an invoice: made once when issued and kept, made anew each time for a draft.

An invoice that another account pays has two: its own, and the copy of the payer with bank account
and code.
"""

import hashlib
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import QuerySet

from invoicing.documents.content import PrintedDocument, Rows, document, shows_detail
from invoicing.documents.paying import is_paid_by_another
from invoicing.documents.sheet import pdf_bytes
from invoicing.models import (
    DocumentToMake,
    Invoice,
    InvoiceLine,
    InvoiceSection,
    InvoiceTax,
    StoredDocument,
)
from invoicing.queries.invoices import get_invoice
from invoicing.queries.visibility import reaches, sees_whole
from tenancy.actor import Actor
from tenancy.database import current_tenant_id, scope
from tenancy.errors import Forbidden, NotFound

KIND = "pdf"
PAYER_KIND = "payer"


class LayoutInTransaction(RuntimeError):
    """A document was to be laid out inside a transaction, which would hold locks: a bug."""


@dataclass(frozen=True, slots=True)
class PdfFile:
    """A file to hand out: its name, its bytes and their SHA-256 in hexadecimal."""

    file_name: str
    content: bytes
    sha256: str


def whole_invoice(actor: Actor, invoice_id: UUID) -> Invoice:
    """Return an invoice that the actor sees whole.

    Raises:
        NotFound: the invoice is out of sight.
        Forbidden: only a part of it is in sight (R23).
    """
    invoice = get_invoice(actor, invoice_id)
    if not sees_whole(actor, invoice):
        raise Forbidden
    return invoice


def kinds_of(invoice: Invoice) -> tuple[str, ...]:
    """Return which files an invoice has once it is issued."""
    return (KIND, PAYER_KIND) if is_paid_by_another(invoice) else (KIND,)


def kind_for(actor: Actor, invoice: Invoice, wanted: str = "") -> str:
    """Return which file somebody gets: the payer's people their copy, everybody else the invoice.

    Raises:
        NotFound: the copy is wanted, and there is none.
        Forbidden: the copy is wanted by somebody who reaches the recipient alone.
    """
    has_copy = bool(invoice.number) and PAYER_KIND in kinds_of(invoice)
    if wanted == PAYER_KIND and not has_copy:
        raise NotFound
    if not has_copy or wanted == KIND:
        return KIND
    pays = reaches(actor, invoice.payer_id)
    if wanted == PAYER_KIND and not pays:
        raise Forbidden
    return PAYER_KIND if wanted or (pays and not reaches(actor, invoice.bill_to_id)) else KIND


def render_pdf(actor: Actor, invoice_id: UUID, *, now: datetime, kind: str = KIND) -> bytes:
    """Return a PDF made from the rows as they are stored, without storing it.

    Raises:
        NotFound: the invoice is out of sight.
        Forbidden: only a part of it is in sight (R23).
    """
    with scope(actor.tenant_id):
        invoice = whole_invoice(actor, invoice_id)
    return lay_out(actor, invoice, kind, now=now).content


def pending_documents(actor: Actor) -> QuerySet[Invoice]:
    """Return the issued invoices that lack a file, those that wait longest first: a queue."""
    waiting = DocumentToMake.objects.filter(tenant_id=actor.tenant_id).values("invoice")
    found = Invoice.objects.filter(tenant_id=actor.tenant_id, pk__in=waiting)
    return found.order_by("issued_at", "pk")


def load_document(
    actor: Actor, invoice: Invoice, *, now: datetime, for_payer: bool = False
) -> PrintedDocument:
    """Return what stands on an invoice that the actor sees whole. Four statements."""
    return document(_rows(actor, invoice), today=now.date(), for_payer=for_payer)


def lay_out(actor: Actor, invoice: Invoice, kind: str, *, now: datetime) -> PdfFile:
    """Read what stands on an invoice and lay it out, which may take a while.

    Raises:
        LayoutInTransaction: a transaction of the tenant is open.
    """
    if current_tenant_id() is not None:
        raise LayoutInTransaction(f"invoice {invoice.pk}")
    with scope(actor.tenant_id):
        content = load_document(actor, invoice, now=now, for_payer=kind == PAYER_KIND)
    made = pdf_bytes(content)
    return PdfFile(content.file_name, made, hashlib.sha256(made).hexdigest())


def stored_file(invoice: Invoice, kind: str) -> PdfFile | None:
    """Return the kept file of an invoice, if it is made. One statement."""
    stored = StoredDocument.objects.filter(
        tenant_id=invoice.tenant_id, invoice=invoice, kind=kind
    ).first()
    if stored is None:
        return None
    return PdfFile(stored.file_name, bytes(stored.content), stored.sha256)


def keep_file(invoice: Invoice, kind: str, made: PdfFile, *, now: datetime) -> None:
    """Store a file unless somebody was faster.

    The unique constraint decides: a second insert waits for the first to commit and does nothing.
    """
    StoredDocument.objects.bulk_create(
        [
            StoredDocument(
                tenant_id=invoice.tenant_id,
                invoice=invoice,
                kind=kind,
                file_name=made.file_name,
                content=made.content,
                sha256=made.sha256,
                created_at=now,
            )
        ],
        ignore_conflicts=True,
    )


def _rows(actor: Actor, invoice: Invoice) -> Rows:
    parts = {"tenant_id": actor.tenant_id, "invoice": invoice}
    period = {"period_start": invoice.period_start, "period_end": invoice.period_end}
    lines = (
        InvoiceLine.objects.filter(**parts)
        .select_related("charge", "corrects")
        .order_by("position", "pk")
    )
    return Rows(
        invoice=invoice,
        sections=list(InvoiceSection.objects.filter(**parts).order_by("position", "pk")),
        lines=list(lines) if shows_detail(invoice) else [],
        taxes=list(InvoiceTax.objects.filter(**parts).order_by("category", "-rate", "pk")),
        has_one_period=not lines.order_by().exclude(**period).exists(),
    )
