"""Drafting: from placed charges to stored drafts with sections, lines and tax."""

import json
from collections.abc import Collection, Iterable, Sequence
from datetime import date, datetime
from uuid import UUID

from django.db import connection
from django.db.models import QuerySet

from invoicing.engine.composing import Drafts, compose_documents
from invoicing.engine.families import Families
from invoicing.engine.matching import facts_of, facts_of_key
from invoicing.engine.placing import place_charges
from invoicing.engine.reading import charges_of, waiting_charges
from invoicing.engine.rows import ChargeRow
from invoicing.models import (
    BillingRun,
    Charge,
    Invoice,
    InvoiceLine,
    InvoiceSection,
    InvoiceTax,
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
        earlier=_unissued(families, run),
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
    earlier, _charges = _with_those_beside(families, run, own, only)
    families.problems = []
    drafts = _draft(
        families,
        run,
        earlier=earlier,
        waiting=(),
        new=(),
        is_issuing=False,
        now=now,
        numbered_on=None,
    )
    recipients = {draft.bill_to_id for draft in [*earlier, *drafts.invoices]}
    owners = {charge.account_id for found in drafts.charges.values() for charge in found}
    note_drafted_again(families, run, recipients | owners)
    return drafts


def drafted_otherwise(families: Families, run: BillingRun, only: Collection[UUID]) -> set[UUID]:
    """Return which of these drafts of a run would not come out as they are. Stores nothing.

    What a draft says is compared with what would be drafted now from the same charges, so no
    source of it can be forgotten. Five statements.

    Args:
        families: the families of their recipients and sections.
        run: their run.
        only: the drafts.

    Source: docs/billing-rules.md, R21.
    """
    own = Invoice.objects.filter(
        tenant_id=families.actor.tenant_id, run_id=run.id, status__in=Invoice.UNISSUED
    )
    earlier, charges = _with_those_beside(families, run, own, only)
    documents = place_charges(families, charges, run_date=run.date)
    drafts = compose_documents(families, run, documents, earlier, None, run.started_at)
    return {draft.id for draft in earlier if draft.id in only} - drafts.kept.keys()


def _with_those_beside(
    families: Families, run: BillingRun, own: QuerySet[Invoice], only: Collection[UUID]
) -> tuple[list[Invoice], list[ChargeRow]]:
    """Return some drafts, those that would share a document with them now, and all charges."""
    actor, earlier = families.actor, list(own.filter(pk__in=only).order_by("id"))
    charges = charges_of(actor, [one.id for one in earlier])
    documents = place_charges(families, charges, run_date=run.date)
    wanted = {facts_of_key(document.key) for document in documents}
    beside = own.filter(bill_to_id__in={document.bill_to_id for document in documents})
    others = beside.exclude(pk__in=[one.id for one in earlier]).order_by("id")
    sharing = [draft for draft in others if facts_of(draft) in wanted]
    if sharing:
        charges += charges_of(actor, [one.id for one in sharing])
    return [*earlier, *sharing], charges


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
    due = [*waiting, *(charge for charge in new if charge.invoice_on <= run.date)]
    documents = place_charges(families, due, run_date=run.date)
    drafts = compose_documents(families, run, documents, earlier, numbered_on, now)
    _let_go(actor, run, earlier, drafts, now)
    if is_issuing:
        for charge in drafts.issuable_charges(families):
            charge.status = Charge.Status.INVOICED.value
    insert_rows(
        new, into=Charge, tenant_id=actor.tenant_id, created_at=now, is_held=False, held_until=None
    )
    _store_placement(actor, waiting)
    insert_rows(drafts.made)
    insert_rows(drafts.sections)
    insert_rows(drafts.lines, into=InvoiceLine, tenant_id=actor.tenant_id)
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


# Where each charge of earlier days stands now, in one statement.
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


def _unissued(families: Families, run: BillingRun) -> list[Invoice]:
    """Return the drafts that a run takes up: its own, and those of earlier runs (R27).

    A draft whose seller can't number it for this date any more stays where it is: it can still
    be approved with a later one (R28).
    """
    drafts = (
        Invoice.objects.select_for_update(of=("self",))
        .filter(
            tenant_id=families.actor.tenant_id,
            status__in=Invoice.UNISSUED,
            # A document that lies outside the run's subtree is not made, so its draft stays.
            bill_to_id__in=families.in_scope,
            run__tenant_id=families.actor.tenant_id,
            run__date__lte=run.date,
        )
        # What a document is made from again keeps the id of the latest draft.
        .order_by("-run__date", "id")
    )
    return [draft for draft in drafts if families.can_number(draft.seller_id, run.date)]


def delete_drafts(actor: Actor, invoice_ids: Sequence[UUID]) -> None:
    """Take drafts away, parts first; the database refuses it for issued ones."""
    if invoice_ids:
        for model in (InvoiceLine, InvoiceSection, InvoiceTax):
            rows = model.objects.filter(tenant_id=actor.tenant_id, invoice_id__in=invoice_ids)
            rows._raw_delete(using="default")
        Invoice.objects.filter(tenant_id=actor.tenant_id, pk__in=invoice_ids).delete()


def _let_go(
    actor: Actor, run: BillingRun, earlier: Sequence[Invoice], drafts: Drafts, now: datetime
) -> None:
    """Take away the drafts that others replace; those that stay belong to this run now."""
    drafts.taken_from = {draft.run_id for draft in earlier if draft.run_id} - {run.id}
    moved = [draft.id for draft in drafts.kept.values() if draft.run_id != run.id]
    if moved:
        Invoice.objects.filter(tenant_id=actor.tenant_id, pk__in=moved).update(run_id=run.id)
    gone = [draft for draft in earlier if draft.id not in drafts.kept]
    delete_drafts(actor, [draft.id for draft in gone])
    made = {invoice.id: invoice for invoice in drafts.made}
    record_events(actor, [_replaced(draft, made.get(draft.id), run) for draft in gone], now=now)


def _replaced(draft: Invoice, by: Invoice | None, run: BillingRun) -> Happening:
    after: dict[str, object] = {"run": run.public_id, "run_date": run.date.isoformat()}
    if by is not None:
        after["gross_minor"] = by.gross_minor
    return Happening(
        "invoice.redrafted",
        draft.id,
        draft.bill_to_id,
        before={"gross_minor": draft.gross_minor, "currency": draft.currency},
        after=after,
        data={**after, "old_gross_minor": draft.gross_minor, "currency": draft.currency},
    )
