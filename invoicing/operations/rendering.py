"""Making the files of issued invoices: the queue is the invoices that have none."""

import logging
import math
import time
from datetime import datetime
from uuid import UUID

from accounts.actor import Actor
from accounts.tenancy import operation, scope
from invoicing.documents.pdf import get_pdf, pending_documents

logger = logging.getLogger(__name__)


def render_waiting(actor: Actor, *, limit: int, now: datetime, until: float = math.inf) -> int:
    """Make the missing PDFs, each in a transaction of its own, and return how many were made.

    One that fails is logged and stays in the queue; it neither stops the others nor counts, so a
    handful of bad documents cannot use up every turn. Several workers may do this at once.

    Args:
        actor: whose tenant.
        limit: how many at most.
        now: the time the files are stored with.
        until: the reading of ``time.monotonic()`` from which on no other is begun.
    """
    with scope(actor.tenant_id):
        waiting = list(pending_documents(actor).values_list("pk", flat=True))
    made = 0
    for invoice_id in waiting:
        if made >= limit or time.monotonic() >= until:
            break
        try:
            made += render_document(actor, invoice_id, now=now)
        except Exception:
            logger.exception("document.failed", extra={"invoice": str(invoice_id)})
    return made


@operation
def render_document(actor: Actor, invoice_id: UUID, *, now: datetime) -> bool:
    """Make and store one invoice's PDF; return False if it has one or another is at it."""
    claimed = (
        pending_documents(actor)
        .filter(pk=invoice_id)
        .select_for_update(skip_locked=True, no_key=True, of=("self",))
        .first()
    )
    if claimed is None:
        return False
    get_pdf(actor, invoice_id, now=now)
    return True
