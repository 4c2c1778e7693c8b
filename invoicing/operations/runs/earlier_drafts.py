"""Drafts of before: taken up by a run, compared with what they would be now, let go."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from uuid import UUID

from django.db.models import QuerySet

from invoicing.engine.composing import Drafts, compose_documents
from invoicing.engine.families import Families
from invoicing.engine.matching import facts_of, facts_of_key
from invoicing.engine.placing import place_charges
from invoicing.engine.reading_charges import charges_of, corrections_of, owed_again
from invoicing.engine.rows import ChargeRow
from invoicing.models import BillingRun, Invoice, InvoiceLine, InvoiceSection, InvoiceTax
from tenancy.actor import Actor
from tenancy.database.prepared import Given, Prepared
from tenancy.events import Happening, record_events

_DRAFTS = Prepared(
    lambda: (
        Invoice.objects.select_for_update()
        .filter(
            tenant_id=Given("tenant"),
            status__in=Invoice.UNISSUED,
            bill_to_id__among=Given("recipients"),
            run__isnull=False,
        )
        .order_by("id")
    )
)


def drafts_to_take_up(families: Families, run: BillingRun) -> list[Invoice]:
    """Return the drafts that a run takes up: its own, and those of earlier runs (R27).

    A draft whose seller can't number it for this date any more stays where it is: it can still
    be approved with a later one (R28).
    """
    # A document that lies outside the run's subtree is not made, so its draft stays.
    recipients = [*families.in_scope]
    drafts = [*_DRAFTS.objects(tenant=families.actor.tenant_id, recipients=recipients)]
    if not drafts:
        return []
    runs = BillingRun.objects.filter(
        tenant_id=families.actor.tenant_id, pk__in={draft.run_id for draft in drafts}
    )
    days: dict[UUID | None, date] = dict(runs.values_list("id", "date"))
    # What a document is made from again keeps the id of the latest draft.
    drafts.sort(key=lambda draft: days[draft.run_id], reverse=True)
    return [
        draft
        for draft in drafts
        if days[draft.run_id] <= run.date and families.can_number(draft.seller_id, run.date)
    ]


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
    beside = with_those_beside(families, run, own, only)
    documents = place_charges(families, beside.everything, run_date=run.date)
    drafts = compose_documents(families, run, documents, beside.drafts, None, run.started_at)
    return {draft.id for draft in beside.drafts if draft.id in only} - drafts.kept.keys()


@dataclass(frozen=True, slots=True)
class Beside:
    """Drafts that are drafted again together, their charges, and what waits to make these good."""

    drafts: list[Invoice]
    charges: list[ChargeRow]
    corrections: list[ChargeRow]

    @property
    def everything(self) -> list[ChargeRow]:
        """What stands on these drafts, or comes to."""
        return [*self.charges, *self.corrections]


def with_those_beside(
    families: Families, run: BillingRun, own: QuerySet[Invoice], only: Collection[UUID]
) -> Beside:
    """Return some drafts, those that would share a document with them now, and all charges."""
    actor, earlier = families.actor, list(own.filter(pk__in=only).order_by("id"))
    charges = charges_of(actor, [one.id for one in earlier])
    corrections = corrections_of(actor, charges, run_date=run.date)
    # Placed to be looked at: what is stored of each is compared with what comes of it later.
    looked_at = [replace(one) for one in (*charges, *corrections)]
    documents = place_charges(families, looked_at, run_date=run.date)
    wanted = {facts_of_key(document.key) for document in documents}
    beside = own.filter(bill_to_id__in={document.bill_to_id for document in documents})
    others = beside.exclude(pk__in=[one.id for one in earlier]).order_by("id")
    sharing = [draft for draft in others if facts_of(draft) in wanted]
    if sharing:
        charges += charges_of(actor, [one.id for one in sharing])
        corrections = corrections_of(actor, charges, run_date=run.date)
    drafts = [*earlier, *sharing]
    return Beside(drafts, charges, [*corrections, *_again(families, run, drafts, corrections)])


def _again(
    families: Families,
    run: BillingRun,
    drafts: Sequence[Invoice],
    corrections: Sequence[ChargeRow],
) -> list[ChargeRow]:
    """Return what else waits that stood on one of these drafts before it was taken back."""
    known = {one.id for one in corrections}
    found = [one for one in owed_again(families, run_date=run.date) if one.id not in known]
    of_drafts = {facts_of(draft) for draft in drafts}
    theirs = {
        placed.charge.id
        for document in place_charges(families, map(replace, found), run_date=run.date)
        if facts_of_key(document.key) in of_drafts
        for placed in document.placed
    }
    return [one for one in found if one.id in theirs]


def delete_drafts(actor: Actor, invoice_ids: Sequence[UUID]) -> None:
    """Take drafts away, parts first; the database refuses it for issued ones."""
    if invoice_ids:
        for model in (InvoiceLine, InvoiceSection, InvoiceTax):
            rows = model.objects.filter(tenant_id=actor.tenant_id, invoice_id__in=invoice_ids)
            rows._raw_delete(using="default")
        Invoice.objects.filter(tenant_id=actor.tenant_id, pk__in=invoice_ids).delete()


def let_go(
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
