"""Approving some drafts of a run: they are issued, the others wait on."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.utils.translation import gettext_lazy as _

from accounts import access, tree
from accounts.access import Action
from accounts.actor import Actor
from accounts.errors import Conflict, NotFound
from accounts.events import Happening, record_event
from accounts.tenancy import operation
from invoicing.models import BillingRun, Invoice
from invoicing.operations.issuing import issue_drafts, mark_invoiced
from invoicing.operations.runs.closing import close_run
from invoicing.queries.runs import documents_by_path


class DraftsChanged(Conflict):
    """A draft was made anew or fell away after it was looked at."""

    code = "drafts_changed"
    message = _("Some of these drafts are not there any more. Please look at the run once more.")


class RunNotWaiting(Conflict):
    """The run is being worked on, or something of it is out of bounds."""

    code = "run_not_waiting"
    message = _("This run does not wait for approval at the moment.")


@dataclass(frozen=True, slots=True)
class Approval:
    """What came of an approval: the documents issued by it, and how many drafts wait on."""

    run: BillingRun
    issued: tuple[UUID, ...]
    waiting: int


@operation
def approve_drafts(
    actor: Actor, run_id: UUID, invoice_ids: Collection[UUID], *, now: datetime
) -> Approval:
    """Issue these drafts of a run with its date, all or none of them; the others stay drafts.

    What is issued already stays as it is, so twice is once and two at once do no harm. The run
    waits on for as long as it has drafts.

    Args:
        actor: who approves.
        run_id: the run.
        invoice_ids: documents of this run.
        now: the instant.

    Raises:
        Forbidden: the actor may not issue invoices.
        NotFound: there is no such run.
        DraftsChanged: one of the documents is not in the run (any more).
        RunNotWaiting: see its text.
        SellerIncomplete, NumberBeforeLast: as ``issue_drafts``.

    Source: docs/billing-rules.md, R6, R8, R25.
    """
    access.require_everywhere(actor, Action.ISSUE_INVOICE)
    run = _locked_run(actor, run_id)
    wanted = _locked_documents(actor, run, set(invoice_ids))
    drafts = [invoice for invoice in wanted if invoice.status in Invoice.UNISSUED]
    if drafts and run.status != BillingRun.Status.TO_APPROVE:
        raise RunNotWaiting
    if drafts:
        mark_invoiced(actor, [draft.id for draft in drafts])
        issue_drafts(actor, drafts, issue_date=run.date, now=now)
    waiting = Invoice.objects.filter(
        tenant_id=actor.tenant_id, run_id=run.id, status__in=Invoice.UNISSUED
    ).count()
    if drafts:
        record_event(
            actor,
            Happening(
                "run.drafts_approved", run.id, after={"issued": len(drafts), "waiting": waiting}
            ),
            now=now,
        )
    if drafts and not waiting:
        run = close_run(actor, run.id, now=now)
    return Approval(run, tuple(draft.id for draft in drafts), waiting)


def _locked_run(actor: Actor, run_id: UUID) -> BillingRun:
    """Return the run; who approves a part of it at the same time waits here.

    Not locked so that it could be deleted: workers that add documents to it need not wait.
    """
    runs = BillingRun.objects.select_for_update(no_key=True)
    run = runs.filter(tenant_id=actor.tenant_id, pk=run_id).first()
    if run is None:
        raise NotFound
    return run


def _locked_documents(actor: Actor, run: BillingRun, ids: set[UUID]) -> list[Invoice]:
    """Return documents in the order of their recipients' paths, under the locks of their trees.

    A worker that drafts a tree anew holds its lock, so a draft found under it is the latest.
    """
    found = Invoice.objects.filter(tenant_id=actor.tenant_id, run_id=run.id, pk__in=ids)
    tree.lock_families(actor.tenant_id, {*found.values_list("bill_to_id", flat=True)})
    locked = found.select_for_update().order_by("id").in_bulk()
    if locked.keys() != ids:
        raise DraftsChanged
    return [locked[one.id] for one in documents_by_path(actor, ids)]
