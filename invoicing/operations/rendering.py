"""Making the files of issued invoices: the queue is the invoices that have none."""

import math
import time
from collections.abc import Callable
from datetime import datetime
from uuid import UUID

from django.utils.translation import gettext_lazy as _

from accounts import access
from accounts.access import Action
from invoicing.documents.making import make_files, waiting_documents
from invoicing.models import Rendering
from invoicing.queries.invoices import get_invoice
from tenancy.actor import Actor
from tenancy.database import operation, scope
from tenancy.errors import Conflict
from tenancy.events import Happening, record_event


class DocumentNotFailed(Conflict):
    """Nobody gave it up, so there is nothing to try again."""

    code = "document_not_failed"
    message = _("The PDF of this invoice is made or being made; there is nothing to try again.")


def render_waiting(actor: Actor, *, limit: int, now: datetime, until: float = math.inf) -> int:
    """Make the missing PDFs, and return of how many invoices they were made.

    One that fails is tried again later, some times; it neither stops the others nor counts, so a
    handful of bad documents cannot use up every turn. Several workers may do this at once.

    Args:
        actor: whose tenant.
        limit: how many at most.
        now: the time the files are stored with.
        until: the reading of ``time.monotonic()`` from which on no other is begun.
    """
    with scope(actor.tenant_id):
        waiting = list(waiting_documents(actor).values_list("pk", flat=True))
    made = 0
    for invoice_id in waiting:
        if made >= limit or time.monotonic() >= until:
            break
        made += make_files(actor, invoice_id, now=now)
    return made


@operation
def retry_document(
    actor: Actor,
    invoice_id: UUID,
    *,
    require_seen: Callable[[], object] | None = None,
    now: datetime,
) -> None:
    """Have the files of an invoice tried again after they were given up.

    Args:
        actor: who asks for it.
        invoice_id: which one.
        require_seen: called under the locks; raises where the caller has seen something else.
        now: the instant.

    Raises:
        NotFound: the invoice is out of sight.
        Forbidden: the actor may not issue invoices.
        DocumentNotFailed: nobody gave it up.
    """
    invoice = get_invoice(actor, invoice_id)
    access.require_everywhere(actor, Action.ISSUE_INVOICE)
    given_up = Rendering.objects.filter(
        tenant_id=actor.tenant_id, invoice=invoice, given_up_at__isnull=False
    ).select_for_update()
    found = given_up.first()
    if require_seen is not None:
        require_seen()
    if found is None:
        raise DocumentNotFailed
    found.delete()
    happening = Happening(
        "invoice.pdf_retried",
        invoice.pk,
        invoice.bill_to_id,
        before={"reason": found.reason, "detail": found.detail},
        data={"number": invoice.number},
    )
    record_event(actor, happening, now=now)
