"""Drafting: from placed charges to stored drafts with sections, lines and tax."""

import json
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

from django.db import connection

from accounts.actor import Actor
from accounts.events import Happening, record_events
from accounts.tenancy.inserting import insert_rows
from billing_rules.consolidation import ConsolidationKey
from billing_rules.drafting import (
    ChargeIn,
    Disposition,
    DocumentDraft,
    disposition,
    draft_document,
)
from invoicing.models import (
    BillingRun,
    Charge,
    Invoice,
    InvoiceLine,
    InvoiceSection,
    InvoiceTax,
)
from invoicing.operations.runs.composing import Composer, Drafts
from invoicing.operations.runs.families import Families, Problem
from invoicing.operations.runs.holding_back import hold_back
from invoicing.operations.runs.placing import Document, Placed, place_charges
from invoicing.operations.runs.rows import ChargeRow, charge_rows

MAX_LINES = 100_000
MAX_GROSS_MINOR = 10**15


def waiting_charges(families: Families, *, run_date: date) -> list[ChargeRow]:
    """Return the pending charges of earlier days that stand on no document. Two statements."""
    waiting = Charge.objects.filter(
        tenant_id=families.actor.tenant_id,
        account_id__in=families.in_scope,
        status=Charge.Status.PENDING,
        invoice_on__lte=run_date,
    ).extra(  # constant text; the ORM has no reverse name for the line
        where=[
            "NOT EXISTS (SELECT FROM invoicing_invoiceline AS line"
            " WHERE line.tenant_id = invoicing_charge.tenant_id"
            " AND line.charge_id = invoicing_charge.id)"
        ]
    )
    return charge_rows(families.actor, waiting)


def draft_documents(
    families: Families,
    run: BillingRun,
    *,
    new: Sequence[ChargeRow],
    is_issuing: bool,
    now: datetime,
) -> Drafts:
    """Draft what is due, taking up drafts of the same run and key, and store all of it.

    Args:
        families: the families of this batch.
        run: the run; its date is the latest day taken.
        new: charges that rating just made; stored here, placed or not.
        is_issuing: the drafts are issued in this same transaction, so their charges are stored
            as invoiced at once.
        now: when the drafts were made.

    Returns:
        The new drafts; those that they replace are gone.

    Source: docs/billing-rules.md, R2, R12, R15, R16, R21.
    """
    actor = families.actor
    overtaken = _overtaken(families, run)
    waiting = [
        *waiting_charges(families, run_date=run.date),
        *_charges_of(actor, [draft.id for draft in overtaken]),
    ]
    due = [*waiting, *(charge for charge in new if charge.invoice_on <= run.date)]
    for charge in new:
        if charge.invoice_on > run.date:
            charge.reason = {
                "code": "pending",
                "due_date": charge.due_date.isoformat(),
                "invoice_on": charge.invoice_on.isoformat(),
            }
    documents = place_charges(families, due, run_date=run.date)
    replaced = _taken_up(families, run, documents) if documents else {}
    if replaced:
        extra = _charges_of(actor, replaced)
        documents = place_charges(families, [*due, *extra], run_date=run.date)
        waiting = [*waiting, *extra]
    drafts = _draft_all(families, run, documents, now)
    _delete_drafts(actor, [*replaced, *(draft.id for draft in overtaken)])
    if is_issuing:
        for charge in drafts.issuable_charges(families):
            charge.status = Charge.Status.INVOICED.value
    insert_rows(new, into=Charge, tenant_id=actor.tenant_id, created_at=now)
    _store_placement(actor, waiting)
    insert_rows(drafts.invoices)
    insert_rows(drafts.sections)
    insert_rows(drafts.lines, into=InvoiceLine, tenant_id=actor.tenant_id)
    insert_rows(drafts.taxes)
    if not is_issuing:
        _record_drafted(actor, run, drafts, now)
    return drafts


def _record_drafted(actor: Actor, run: BillingRun, drafts: Drafts, now: datetime) -> None:
    """Write down whose run made drafts; of documents issued at once, issuing says it."""
    of_run = {"run": run.public_id, "run_date": run.date.isoformat()}
    happenings = [
        Happening("invoice.drafted", draft.id, draft.bill_to_id, after=of_run, tells=False)
        for draft in drafts.invoices
    ]
    record_events(actor, happenings, now=now)


# Where each charge of earlier days stands now, in one statement.
_PLACEMENT = """
    UPDATE invoicing_charge AS charge SET status = new.status, reason = new.reason
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


def _taken_up(
    families: Families, run: BillingRun, documents: Sequence[Document]
) -> dict[UUID, Invoice]:
    """Return the drafts of this run whose key a new document has."""
    drafts = Invoice.objects.select_for_update().filter(
        tenant_id=families.actor.tenant_id,
        run_id=run.id,
        status__in=Invoice.UNISSUED,
        # A document that lies outside the run's subtree is not made, so its draft stays.
        bill_to_id__in={document.bill_to_id for document in documents} & families.in_scope,
    )
    wanted = {_facts(document.key) for document in documents}
    return {
        draft.id: draft
        for draft in drafts
        if (
            draft.seller_id,
            draft.bill_to_id,
            draft.payer_id,
            draft.currency,
            draft.payment_terms_days,
            draft.collection,
            draft.service_owner_id,
            (draft.po_number or None) if draft.splits_by_po else None,
        )
        in wanted
    }


def _overtaken(families: Families, run: BillingRun) -> list[Invoice]:
    """Return drafts of earlier runs that can't be issued any more: their series went on.

    What stands on them is due, so it goes on a document of this run (R4, R6).
    """
    drafts = (
        Invoice.objects.select_for_update(of=("self",))
        .filter(
            tenant_id=families.actor.tenant_id,
            status__in=Invoice.UNISSUED,
            bill_to_id__in=families.in_scope,
            run__tenant_id=families.actor.tenant_id,
            run__date__lt=run.date,
        )
        .select_related("run")
        .order_by("id")
    )
    return [
        draft
        for draft in drafts
        if draft.run is not None and not families.can_number(draft.seller_id, draft.run.date)
    ]


def _facts(key: ConsolidationKey) -> tuple[Any, ...]:
    return (
        key.seller,
        key.bill_to,
        key.payer,
        key.currency,
        key.payment_terms_days,
        key.collection,
        key.service_owner,
        key.po_number,
    )


def _charges_of(actor: Actor, invoice_ids: Iterable[UUID]) -> list[ChargeRow]:
    lines = InvoiceLine.objects.filter(tenant_id=actor.tenant_id, invoice_id__in=invoice_ids)
    charges = Charge.objects.filter(tenant_id=actor.tenant_id, pk__in=lines.values("charge_id"))
    return charge_rows(actor, charges)


def _delete_drafts(actor: Actor, invoice_ids: Sequence[UUID]) -> None:
    """Take drafts away, parts first; the database refuses it for issued ones."""
    if invoice_ids:
        for model in (InvoiceLine, InvoiceSection, InvoiceTax):
            rows = model.objects.filter(tenant_id=actor.tenant_id, invoice_id__in=invoice_ids)
            rows._raw_delete(using="default")
        Invoice.objects.filter(tenant_id=actor.tenant_id, pk__in=invoice_ids).delete()


def _draft_all(
    families: Families, run: BillingRun, documents: Sequence[Document], now: datetime
) -> Drafts:
    drafts = Drafts()
    for document, numbers in numbered(families, documents, run_date=run.date):
        Composer(families, run, document, numbers, now).write(drafts)
    return drafts


def numbered(
    families: Families, documents: Sequence[Document], *, run_date: date
) -> Iterator[tuple[Document, DocumentDraft]]:
    """Yield the documents that can be made, with their numbers; the others stay pending. Pure."""
    for document in hold_back(families, documents, run_date=run_date):
        numbers = draft_document(
            [_charge_in(placed) for placed in document.placed],
            families.position,
        )
        if disposition(numbers.gross_minor) is not Disposition.ISSUE:
            document.keep_pending("negative_total")
        elif len(document.placed) > MAX_LINES or numbers.gross_minor > MAX_GROSS_MINOR:
            document.keep_pending("out_of_bounds")
            families.problems.append(Problem("out_of_bounds", document.bill_to_id))
        else:
            yield document, numbers


def _charge_in(placed: Placed) -> ChargeIn:
    charge = placed.charge
    return ChargeIn(
        id=charge.id,
        account_id=charge.account_id,
        net_minor=charge.net_minor,
        tax=placed.tax,
        sort=(
            charge.subscription.external_id or "",
            charge.subscription_id.int,
            charge.period_start,
        ),
    )
