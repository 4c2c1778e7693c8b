"""Approving drafts: exactly what was seen is issued, nothing is rated, and the rest waits on."""

import json
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import cast
from uuid import UUID

from django.db import connection
from django.db.models import F
from django.utils.translation import gettext_lazy as _

from accounts import access, tree
from accounts.access import Action
from invoicing.models import BillingRun, Invoice
from invoicing.operations.runs.closing import close_run
from invoicing.operations.runs.draft_changes import DraftChange, change_of
from invoicing.operations.runs.four_eyes import require_four_eyes
from invoicing.operations.runs.issuing_approved import drafted_again, issue_as_seen
from invoicing.queries.invoices import get_invoice
from invoicing.queries.run_figures import digest_of, drafts_seen
from invoicing.queries.runs import documents_by_path
from tenancy.actor import Actor
from tenancy.database import operation
from tenancy.errors import Conflict, NotFound
from tenancy.events import Happening, record_event
from tenancy.models import Tenant


class DraftsChanged(Conflict):
    """A draft is not what was seen: it says something else now, or is not there any more.

    ``changes`` are known where a draft was drafted again just now.
    """

    changes: tuple[DraftChange, ...] = ()

    code = "drafts_changed"
    message = _(
        "Some of these drafts have changed since they were looked at. Nothing was issued. Please"
        " look at them once more."
    )


class InvoiceNotDraft(Conflict):
    """It was issued, or taken back, before."""

    code = "invoice_not_draft"
    message = _("This is no draft any more.")


class RunNotWaiting(Conflict):
    """The run is being worked on, or something of it is out of bounds."""

    code = "run_not_waiting"
    message = _("This run does not wait for approval at the moment.")


@dataclass(frozen=True, slots=True)
class Approval:
    """What came of an approval: the documents issued by it, and how many drafts wait on.

    ``changes`` are drafts that were not what was seen; then nothing is issued.
    """

    run: BillingRun
    issued: tuple[UUID, ...]
    waiting: int
    changes: tuple[DraftChange, ...] = ()


def approve_drafts(
    actor: Actor, run_id: UUID, seen: Mapping[UUID, str], *, today: date, now: datetime
) -> Approval:
    """Issue exactly these drafts of a run as they were seen, all or none of them.

    What is issued already stays as it is, so twice is once and two at once do no harm. The run
    waits on for as long as it has drafts. Where an address, a setting or the tree has changed
    since a draft was made, it is drafted again and waits with the new figures to be seen.

    Args:
        actor: who approves.
        run_id: the run.
        seen: documents of this run, each with the ``content_hash`` that was looked at.
        today: the tenant's date, on which drafts are issued that can't have the run's any more.
        now: the instant.

    Raises:
        Forbidden: the actor may not issue invoices.
        FourEyes: the actor asked for this run, and the tenant wants somebody else.
        NotFound: there is no such run.
        DraftsChanged: one of the documents is not what was seen, or not in the run any more.
        RunNotWaiting: see its text.
        SellerIncomplete, NumberBeforeLast: as ``issue_drafts``.

    Source: docs/billing-rules.md, R6, R8, R21, R25, R28.
    """
    approval = _approve(actor, run_id, seen, today=today, now=now)
    if approval.changes:
        # What was drafted again is stored; only now may the call fail.
        refusal = DraftsChanged()
        refusal.changes = approval.changes
        raise refusal
    return approval


def issue_invoice(
    actor: Actor, invoice_id: UUID, *, content_hash: str | None, today: date, now: datetime
) -> Invoice:
    """Issue one draft.

    Args:
        actor: who issues.
        invoice_id: the draft.
        content_hash: what was looked at; None for whatever the draft says now.
        today: the tenant's date.
        now: the instant.

    Raises:
        NotFound: there is no such invoice in sight.
        InvoiceNotDraft: it was issued before.
        Forbidden, FourEyes, DraftsChanged, RunNotWaiting: as ``approve_drafts``.

    Source: docs/billing-rules.md, R6, R28.
    """
    draft = _draft_to_issue(actor, invoice_id)
    seen = {draft.id: draft.content_hash if content_hash is None else content_hash}
    run_id = cast(UUID, draft.run_id)
    approve_drafts(actor, run_id, seen, today=today, now=now)
    return draft


@operation
def _draft_to_issue(actor: Actor, invoice_id: UUID) -> Invoice:
    draft = get_invoice(actor, invoice_id)
    access.require_everywhere(actor, Action.ISSUE_INVOICE)
    if draft.status not in Invoice.UNISSUED or draft.run_id is None:
        raise InvoiceNotDraft
    return draft


@operation
def _approve(
    actor: Actor, run_id: UUID, seen: Mapping[UUID, str], *, today: date, now: datetime
) -> Approval:
    run = _run_to_approve(actor, run_id)
    wanted = _locked_documents(actor, run, seen.keys())
    drafts = [invoice for invoice in wanted if invoice.status in Invoice.UNISSUED]
    if drafts and run.status != BillingRun.Status.TO_APPROVE:
        raise RunNotWaiting
    fresh = drafted_again(actor, run, [draft.id for draft in drafts], now=now)
    changes = tuple(
        change_of(draft, fresh.get(draft.id))
        for draft in drafts
        if draft.id not in fresh or fresh[draft.id].content_hash != seen[draft.id]
    )
    if drafts and not changes:
        issue_as_seen(actor, run, [fresh[draft.id] for draft in drafts], today=today, now=now)
    waiting = Invoice.objects.filter(
        tenant_id=actor.tenant_id, run_id=run.id, status__in=Invoice.UNISSUED
    ).count()
    if changes and not waiting:
        run = close_run(actor, run.id, now=now)
    if changes or not drafts:
        return Approval(run, (), waiting, changes)
    said = {"issued": len(drafts), "waiting": waiting}
    record_event(actor, Happening("run.drafts_approved", run.id, after=said, data=said), now=now)
    if not waiting:
        run = close_run(actor, run.id, now=now)
    return Approval(run, tuple(draft.id for draft in drafts), waiting)


@operation
def approve_run(
    actor: Actor,
    run_id: UUID,
    seen: str,
    *,
    require_seen: Callable[[], object] | None = None,
    now: datetime,
) -> BillingRun:
    """Approve all drafts of a run as they were seen, and queue them to be issued.

    Workers issue them family by family and rate nothing. A draft that turns out to have changed
    when its turn comes is drafted again and waits to be seen.

    Args:
        actor: who approves.
        run_id: the run.
        seen: the digest of its drafts that was looked at, as ``drafts_seen`` and ``digest_of``.
        require_seen: called under the locks; raises where the caller has seen something else.
        now: the instant.

    Raises:
        Forbidden, FourEyes, NotFound, RunNotWaiting: as ``approve_drafts``.
        DraftsChanged: the run has other drafts than those, or with other contents.

    Source: docs/billing-rules.md, R8, R28.
    """
    run = _run_to_approve(actor, run_id)
    if run.status != BillingRun.Status.TO_APPROVE:
        raise RunNotWaiting
    drafts = Invoice.objects.filter(
        tenant_id=actor.tenant_id, run_id=run.id, status__in=Invoice.UNISSUED
    )
    # Who drafts anew waits; so what is compared is what is approved.
    list(drafts.select_for_update().order_by("id").values_list("id", flat=True))
    if require_seen is not None:
        require_seen()
    found = drafts_seen(actor, run_id)
    if not found or digest_of(found) != seen:
        raise DraftsChanged
    drafts.update(approved_hash=F("content_hash"), approved_by=actor.requester.stored())
    _queue_families(actor, run)
    run.status, run.finished_at = BillingRun.Status.ISSUING, None
    run.save(update_fields=["status", "finished_at"])
    said = {"drafts": len(found)}
    record_event(actor, Happening("run.approved", run.id, after=said, data=said), now=now)
    return run


# The families of the approved drafts, once each. What was left of their turn in the run, they
# have had: a run that waits for approval has nobody waiting in its queue.
_QUEUE_APPROVED = """
    INSERT INTO invoicing_runfamily
        (id, tenant_id, run_id, root_id, within_id, issues, approves, requested_by, position,
        status)
    SELECT gen_random_uuid(), %(tenant)s, %(run)s, root.account_id, NULL, true, true,
        %(asker)s::jsonb, account.sort_key, 'waiting'
    FROM (
        SELECT DISTINCT node.tree_id FROM invoicing_invoice AS invoice
        JOIN accounts_accountnode AS node
            ON node.tenant_id = invoice.tenant_id AND node.account_id = invoice.bill_to_id
        WHERE invoice.tenant_id = %(tenant)s AND invoice.run_id = %(run)s
        AND invoice.status = 'to_approve'
    ) AS trees
    JOIN accounts_accountnode AS root
        ON root.tenant_id = %(tenant)s AND root.tree_id = trees.tree_id AND root.parent_id IS NULL
    JOIN accounts_account AS account
        ON account.tenant_id = root.tenant_id AND account.id = root.account_id
    ORDER BY root.account_id
    ON CONFLICT (tenant_id, run_id, root_id, within_id)
    DO UPDATE SET status = 'waiting', issues = true, approves = true,
        requested_by = EXCLUDED.requested_by
"""


def _queue_families(actor: Actor, run: BillingRun) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            _QUEUE_APPROVED,
            {
                "tenant": actor.tenant_id,
                "run": run.pk,
                "asker": json.dumps(actor.requester.stored()),
            },
        )


def _run_to_approve(actor: Actor, run_id: UUID) -> BillingRun:
    """Return the run; who approves a part of it at the same time waits here.

    Not locked so that it could be deleted: workers that add documents to it need not wait.
    """
    access.require_everywhere(actor, Action.ISSUE_INVOICE)
    runs = BillingRun.objects.select_for_update(no_key=True)
    run = runs.filter(tenant_id=actor.tenant_id, pk=run_id).first()
    if run is None:
        raise NotFound
    require_four_eyes(actor, Tenant.objects.get(pk=actor.tenant_id), run.requested_by)
    return run


def _locked_documents(actor: Actor, run: BillingRun, ids: Collection[UUID]) -> list[Invoice]:
    """Return documents in the order of their recipients' paths, under the locks of their trees.

    A worker that drafts a tree anew holds its lock, so a draft found under it is the latest.
    """
    found = Invoice.objects.filter(tenant_id=actor.tenant_id, run_id=run.id, pk__in=ids)
    tree.lock_families(actor.tenant_id, {*found.values_list("bill_to_id", flat=True)})
    locked = found.select_for_update().order_by("id").in_bulk()
    if locked.keys() != set(ids):
        raise DraftsChanged
    return [locked[one.id] for one in documents_by_path(actor, ids)]
