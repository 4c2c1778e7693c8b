"""Making the files of issued invoices: claim and commit, lay out, store.

No transaction is open while a document is laid out, however long that takes. A claim is a row that
others see, with an end: what a dead worker leaves behind is taken over. After some tries it is
given up, with the reason, until somebody asks for another.
"""

import logging
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from django.db import connection
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from invoicing.documents.pdf import (
    PdfFile,
    keep_file,
    kind_for,
    kinds_of,
    lay_out,
    pending_documents,
    stored_file,
    whole_invoice,
)
from invoicing.models import DocumentToMake, Invoice, Rendering
from tenancy.actor import Actor
from tenancy.database import scope
from tenancy.errors import Conflict
from tenancy.events import Happening, record_event
from tenancy.ids import uuid7

logger = logging.getLogger(__name__)

MOST_ATTEMPTS: Final = 3
LEASE: Final = timedelta(minutes=15)
"""Longer than any layout takes: only what a dead worker left behind is taken over."""
PAUSE: Final = timedelta(seconds=30)
"""Between tries, times the number of those that failed."""
AT_ONCE: Final = 200
"""Lines of an invoice that whoever asks waits for; longer ones are made by workers."""


class DocumentBeingMade(Conflict):
    """A worker has it, or will soon."""

    code = "document_being_made"
    message = _("The PDF is still being made. Please try again in a moment.")


class DocumentFailed(Conflict):
    """It was given up; ``reason`` says why."""

    code = "document_failed"
    message = _("The PDF could not be made: %(reason)s")


REASONS: Final = {
    "failed": _("each time its layout stopped unexpectedly (%(detail)s)."),
    "lost": _("each time the worker that made it disappeared."),
}


@dataclass(frozen=True, slots=True)
class Claim:
    """The right to make the files of an invoice: nobody else does until it ends."""

    invoice: Invoice
    token: UUID
    attempts: int


def get_pdf(actor: Actor, invoice_id: UUID, *, now: datetime, wanted: str = "") -> PdfFile:
    """Return a PDF of an invoice, the stored bytes if it is issued.

    A short one that is still missing is made now, in no transaction. Two may ask at once: one
    makes it.

    Args:
        actor: who asks.
        invoice_id: which one.
        now: the time a file is stored with.
        wanted: the invoice or the payer's copy; empty for what the actor needs.

    Raises:
        NotFound: the invoice is out of sight.
        Forbidden: only a part of it is in sight (R23).
        DocumentBeingMade: workers have not come so far.
        DocumentFailed: it was given up.
    """
    with scope(actor.tenant_id):
        invoice = whole_invoice(actor, invoice_id)
        kind = kind_for(actor, invoice, wanted)
        if stored := stored_file(invoice, kind):
            return stored
        is_draft = invoice.status in Invoice.UNISSUED
        if not is_draft:
            require_makable(invoice)
    if is_draft:
        return lay_out(actor, invoice, kind, now=now)
    make_files(actor, invoice_id, now=now)
    with scope(actor.tenant_id):
        if stored := stored_file(invoice, kind):
            return stored
        require_makable(invoice)
    raise DocumentBeingMade


def require_makable(invoice: Invoice) -> None:
    """Return if the files of an issued invoice can be made while somebody waits. One statement.

    Raises:
        DocumentBeingMade: it is long, or another has it.
        DocumentFailed: it was given up.
    """
    found = rendering_of(invoice)
    if found is not None and found.given_up_at is not None:
        raise DocumentFailed(reason=reason_of(found))
    if found is not None or invoice.line_count > AT_ONCE:
        raise DocumentBeingMade


def rendering_of(invoice: Invoice) -> Rendering | None:
    """Return the tries to make the files of an invoice, None if there is none. One statement."""
    return Rendering.objects.filter(tenant_id=invoice.tenant_id, invoice=invoice).first()


def reason_of(rendering: Rendering) -> str:
    """Return why it was given up, in the active language."""
    return str(REASONS[rendering.reason]) % {"detail": rendering.detail}


def waiting_documents(actor: Actor) -> QuerySet[Invoice]:
    """Return the invoices whose files a worker may begin to make now, the oldest first."""
    taken = Rendering.objects.filter(
        Q(blocked_until__gt=Now()) | Q(given_up_at__isnull=False),
        tenant_id=actor.tenant_id,
        invoice=OuterRef("pk"),
    )
    return pending_documents(actor).filter(~Exists(taken))


def make_files(actor: Actor, invoice_id: UUID, *, now: datetime) -> bool:
    """Make and store the files of one issued invoice.

    Returns:
        Whether this call made them: not if it has them, another is at it, or this try failed.
    """
    claimed = claim(actor, invoice_id, now=now)
    if claimed is None:
        return False
    try:
        made = {
            kind: lay_out(actor, claimed.invoice, kind, now=now)
            for kind in kinds_of(claimed.invoice)
        }
    except Exception as error:
        logger.exception("document.failed", extra={"invoice": str(invoice_id)})
        _note_failure(actor, claimed, "failed", type(error).__name__, now=now)
        return False
    with scope(actor.tenant_id):
        for kind, file in made.items():
            keep_file(claimed.invoice, kind, file, now=now)
        _claimed_rows(actor, claimed).delete()
        DocumentToMake.objects.filter(tenant_id=actor.tenant_id, invoice=claimed.invoice).delete()
    return True


# The row that was there is taken over when its time is up; a new one is nobody else's yet.
_CLAIM = """
    INSERT INTO invoicing_rendering
        (id, tenant_id, invoice_id, attempts, blocked_until, token, reason, detail)
    VALUES (%(id)s, %(tenant)s, %(invoice)s, 1, now() + make_interval(secs => %(lease)s),
        %(token)s, '', '')
    ON CONFLICT (tenant_id, invoice_id) DO UPDATE
    SET attempts = invoicing_rendering.attempts + 1, blocked_until = EXCLUDED.blocked_until,
        token = EXCLUDED.token
    WHERE invoicing_rendering.given_up_at IS NULL
        AND invoicing_rendering.blocked_until <= now()
    RETURNING attempts
"""


def claim(actor: Actor, invoice_id: UUID, *, now: datetime) -> Claim | None:
    """Claim an invoice without files, None if it has them or another has it.

    A claim that ended without result once too often is given up here: whoever had it died.
    """
    token = uuid7()
    with scope(actor.tenant_id):
        if not pending_documents(actor).filter(pk=invoice_id).exists():
            return None
        with connection.cursor() as cursor:
            cursor.execute(
                _CLAIM,
                {
                    "id": uuid7(),
                    "tenant": actor.tenant_id,
                    "invoice": invoice_id,
                    "lease": LEASE.total_seconds(),
                    "token": token,
                },
            )
            row = cursor.fetchone()
        if row is None:
            return None
        # Another may have stored them while this waited for its row.
        invoice = pending_documents(actor).filter(pk=invoice_id).first()
        if invoice is None:
            Rendering.objects.filter(tenant_id=actor.tenant_id, token=token).delete()
            return None
        claimed = Claim(invoice, token, row[0])
        if claimed.attempts <= MOST_ATTEMPTS:
            return claimed
        _give_up(actor, claimed, "lost", "", now=now)
        return None


def _note_failure(actor: Actor, claimed: Claim, reason: str, detail: str, *, now: datetime) -> None:
    with scope(actor.tenant_id):
        if claimed.attempts >= MOST_ATTEMPTS:
            _give_up(actor, claimed, reason, detail, now=now)
            return
        _claimed_rows(actor, claimed).update(
            blocked_until=Now() + PAUSE * claimed.attempts, reason=reason, detail=detail
        )


def _give_up(actor: Actor, claimed: Claim, reason: str, detail: str, *, now: datetime) -> None:
    if _claimed_rows(actor, claimed).update(given_up_at=now, reason=reason, detail=detail):
        happening = Happening(
            "invoice.pdf_failed",
            claimed.invoice.pk,
            claimed.invoice.bill_to_id,
            after={"reason": reason, "detail": detail, "attempts": MOST_ATTEMPTS},
            data={
                "number": claimed.invoice.number,
                "reason": reason,
                "attempts": MOST_ATTEMPTS,
            },
        )
        record_event(actor, happening, now=now)


def _claimed_rows(actor: Actor, claimed: Claim) -> QuerySet[Rendering]:
    return Rendering.objects.filter(
        tenant_id=actor.tenant_id, invoice=claimed.invoice, token=claimed.token
    )
