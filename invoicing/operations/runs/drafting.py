"""Drafting: from placed charges to stored drafts with sections, lines and tax."""

import json
from collections.abc import Collection, Iterable, Sequence
from datetime import date, datetime
from uuid import UUID

from django.db import connection

from invoicing.engine.composing import Drafts, compose_documents
from invoicing.engine.families import Families
from invoicing.engine.placing import place_charges
from invoicing.engine.reading_charges import charges_of, waiting_charges
from invoicing.engine.rows import ChargeRow
from invoicing.models import (
    BillingRun,
    Charge,
    Invoice,
    InvoiceLine,
    InvoiceSection,
)
from invoicing.operations.runs.earlier_drafts import (
    drafts_to_take_up,
    let_go,
    with_those_beside,
)
from invoicing.operations.runs.noting import note_drafted_again
from tenancy.actor import Actor
from tenancy.database.inserting import insert_rows
from tenancy.events import Happening, record_events


def draft_documents(
    families: Families,
    run: BillingRun,
    *,
    new: Sequence[ChargeRow],
    is_issuing: bool,
    now: datetime,
) -> Drafts:
    """Draft what is due, together with what waits on drafts, and store all of it.

    Every unissued draft of this run and of earlier ones is taken up: its charges are placed again
    by what holds now. A draft that comes out as it was stays as it is; one that says something
    else is replaced under the same id.

    Args:
        families: the families of this batch.
        run: the run; its date is the latest day taken.
        new: charges that rating just made; stored here, placed or not.
        is_issuing: the drafts are issued in this same transaction, so their charges are stored
            as invoiced at once.
        now: when the drafts were made.

    Returns:
        All drafts of the families in this run, those that were kept included.

    Source: docs/billing-rules.md, R2, R12, R15, R16, R21, R27.
    """
    for charge in new:
        if charge.invoice_on > run.date:
            charge.reason = {
                "code": "pending",
                "due_date": charge.due_date.isoformat(),
                "invoice_on": charge.invoice_on.isoformat(),
            }
    return _draft(
        families,
        run,
        earlier=drafts_to_take_up(families, run),
        waiting=waiting_charges(families, run_date=run.date),
        new=new,
        is_issuing=is_issuing,
        now=now,
        numbered_on=run.date,
    )


def draft_again(
    families: Families, run: BillingRun, only: Collection[UUID], *, now: datetime
) -> Drafts:
    """Draft anew what stands on some drafts of a run, and nothing else: nothing new is rated.

    Args:
        families: the families of their recipients, locked.
        run: their run.
        only: the drafts; those that are not drafts of this run any more are passed over.
        now: when they were made.

    Returns:
        What became of them, in document order: kept, replaced under their id, or new ones. Drafts
        of the run that would share a document with them now are among them.

    Source: docs/billing-rules.md, R21, R28.
    """
    own = Invoice.objects.select_for_update().filter(
        tenant_id=families.actor.tenant_id, run_id=run.id, status__in=Invoice.UNISSUED
    )
    beside = with_those_beside(families, run, own, only)
    earlier = beside.drafts
    families.problems = []
    drafts = _draft(
        families,
        run,
        earlier=earlier,
        waiting=beside.corrections,
        new=(),
        is_issuing=False,
        now=now,
        numbered_on=None,
    )
    recipients = {draft.bill_to_id for draft in [*earlier, *drafts.invoices]}
    owners = {charge.account_id for found in drafts.charges.values() for charge in found}
    note_drafted_again(families, run, recipients | owners)
    return drafts


def _draft(
    families: Families,
    run: BillingRun,
    *,
    earlier: Sequence[Invoice],
    waiting: Iterable[ChargeRow],
    new: Sequence[ChargeRow],
    is_issuing: bool,
    now: datetime,
    numbered_on: date | None,
) -> Drafts:
    actor = families.actor
    waiting = [*waiting, *charges_of(actor, [draft.id for draft in earlier])]
    before = [(charge.status, charge.reason) for charge in waiting]
    due = [*waiting, *(charge for charge in new if charge.invoice_on <= run.date)]
    documents = place_charges(families, due, run_date=run.date)
    drafts = compose_documents(families, run, documents, earlier, numbered_on, now)
    for charge in due:
        if charge.is_offset:
            charge.status = Charge.Status.OFFSET.value
    let_go(actor, run, earlier, drafts, now)
    if is_issuing:
        invoiced = Charge.Status.INVOICED.value
        for charge in drafts.issuable_charges(families):
            charge.status = invoiced
    insert_rows(
        new,
        into=Charge,
        tenant_id=actor.tenant_id,
        created_at=now,
        is_held=False,
        held_until=None,
        po_number="",
        external_id=None,
    )
    _store_placement(
        actor,
        [
            charge
            for charge, said in zip(waiting, before, strict=True)
            if charge.held_until is not None or (charge.status, charge.reason) != said
        ],
    )
    insert_rows(drafts.made)
    insert_rows(drafts.sections, into=InvoiceSection, tenant_id=actor.tenant_id)
    insert_rows(
        drafts.lines,
        into=InvoiceLine,
        tenant_id=actor.tenant_id,
        corrects_id=None,
        tax_minor=None,
    )
    insert_rows(drafts.taxes)
    if not is_issuing:
        _record_drafted(actor, run, drafts, {draft.id for draft in earlier}, now)
    return drafts


def _record_drafted(
    actor: Actor, run: BillingRun, drafts: Drafts, known: Collection[UUID], now: datetime
) -> None:
    """Write down whose run made drafts; of documents issued at once, issuing says it."""
    of_run = {"run": run.public_id, "run_date": run.date.isoformat()}
    happenings = [
        Happening("invoice.drafted", draft.id, draft.bill_to_id, after=of_run)
        for draft in drafts.made
        if draft.id not in known
    ]
    record_events(actor, happenings, now=now)


# Where charges of earlier days stand now, in one statement.
_PLACEMENT = """
    UPDATE invoicing_charge AS charge
    SET status = new.status, reason = new.reason, is_held = false, held_until = NULL
    FROM unnest(%s::uuid[], %s::text[], %s::jsonb[]) AS new (id, status, reason)
    WHERE charge.tenant_id = %s AND charge.id = new.id
"""


def _store_placement(actor: Actor, charges: Sequence[ChargeRow]) -> None:
    if charges:
        columns = [
            [str(charge.id) for charge in charges],
            [charge.status for charge in charges],
            [json.dumps(charge.reason, ensure_ascii=False) for charge in charges],
        ]
        with connection.cursor() as cursor:
            cursor.execute(_PLACEMENT, [*columns, actor.tenant_id])
