"""Taking drafts back: discarded, held back or rejected with their whole run.

What stood on them is owed all the same: it returns to the pool and says why, and who did it.
"""

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from django.utils.translation import gettext_lazy as _

from accounts import access, tree
from accounts.access import Action
from accounts.actor import Actor
from accounts.errors import Conflict, Invalid, NotFound
from accounts.events import Happening, record_event, record_events
from accounts.tenancy import operation
from invoicing.models import BillingRun, Charge, Invoice, InvoiceLine
from invoicing.operations.runs.approving import InvoiceNotDraft, RunNotWaiting
from invoicing.operations.runs.closing import close_run
from invoicing.operations.runs.drafting import delete_drafts

REASON_LENGTH = 500


class ReasonNeeded(Invalid):
    """Whoever finds the charges later has to know why they are there."""

    code = "reason_needed"
    message = _("Please give a reason of at most %(most)s characters.")


class NothingHeld(Conflict):
    """Nothing of the account is held back."""

    code = "nothing_held"
    message = _("Nothing of this account is held back.")


@operation
def discard_drafts(
    actor: Actor, invoice_ids: Collection[UUID], *, reason: str, hold: bool, now: datetime
) -> int:
    """Take drafts away; their charges return to the pool.

    Args:
        actor: who does it.
        invoice_ids: the drafts, of any runs.
        reason: why, in the actor's words; it stands with each charge.
        hold: whether the charges stay off every document until ``release_charges``; otherwise
            the next run places them again.
        now: the instant.

    Returns:
        How many charges went back.

    Raises:
        Forbidden: the actor may not issue invoices.
        NotFound: one of them is not there.
        InvoiceNotDraft: one of them is issued.
        ReasonNeeded: there is none, or it is too long.

    Source: docs/billing-rules.md, R8.
    """
    access.require_everywhere(actor, Action.ISSUE_INVOICE)
    text = _checked(reason)
    ids = set(invoice_ids)
    found = Invoice.objects.filter(tenant_id=actor.tenant_id, pk__in=ids)
    tree.lock_families(actor.tenant_id, {*found.values_list("bill_to_id", flat=True)})
    drafts = list(found.select_for_update().order_by("id"))
    if len(drafts) < len(ids):
        raise NotFound
    if any(draft.status not in Invoice.UNISSUED for draft in drafts):
        raise InvoiceNotDraft
    count = _give_back(actor, drafts, reason=text, hold=hold)
    action = "invoice.held_back" if hold else "invoice.discarded"
    record_events(actor, [_taken_back(draft, action, text) for draft in drafts], now=now)
    for run_id in sorted({draft.run_id for draft in drafts if draft.run_id}):
        _close_if_through(actor, run_id, now)
    return count


@operation
def reject_run(actor: Actor, run_id: UUID, *, reason: str, now: datetime) -> BillingRun:
    """Discard every draft of a run; what it has issued already stays.

    Args:
        actor: who does it.
        run_id: a run that waits for approval.
        reason: why; it stands on the run and with each charge.
        now: the instant.

    Raises:
        Forbidden: the actor may not issue invoices.
        NotFound: there is no such run.
        RunNotWaiting: it is being worked on, or nothing of it waits.
        ReasonNeeded: there is none, or it is too long.

    Source: docs/billing-rules.md, R8.
    """
    access.require_everywhere(actor, Action.ISSUE_INVOICE)
    text = _checked(reason)
    run = (
        BillingRun.objects.select_for_update(no_key=True)
        .filter(tenant_id=actor.tenant_id, pk=run_id)
        .first()
    )
    if run is None:
        raise NotFound
    found = Invoice.objects.filter(
        tenant_id=actor.tenant_id, run_id=run.pk, status__in=Invoice.UNISSUED
    )
    tree.lock_families(actor.tenant_id, {*found.values_list("bill_to_id", flat=True)})
    drafts = list(found.select_for_update().order_by("id"))
    if not drafts or run.status not in (BillingRun.Status.TO_APPROVE, BillingRun.Status.PARKED):
        raise RunNotWaiting
    _give_back(actor, drafts, reason=text, hold=False)
    record_events(
        actor, [_taken_back(draft, "invoice.discarded", text) for draft in drafts], now=now
    )
    BillingRun.objects.filter(tenant_id=actor.tenant_id, pk=run.pk).update(
        rejected_by=actor.label, rejected_reason=text
    )
    after = {"drafts": len(drafts), "reason": text}
    record_event(actor, Happening("run.rejected", run.pk, after=after), now=now)
    return close_run(actor, run.pk, now=now)


@operation
def release_charges(actor: Actor, account_id: UUID, *, now: datetime) -> int:
    """Let the next run place again what was held back for an account.

    Returns:
        How many charges it is.

    Raises:
        Forbidden, NotFound: not the actor's to release, or no such account.
        NothingHeld: there is none.
    """
    access.require_everywhere(actor, Action.ISSUE_INVOICE)
    tree.lock_families(actor.tenant_id, [account_id])
    held = Charge.objects.filter(
        tenant_id=actor.tenant_id, is_held=True, reason__held__bill_to=str(account_id)
    )
    count = held.update(is_held=False)
    if not count:
        raise NothingHeld
    happening = Happening("charges.released", account_id, account_id, after={"charges": count})
    record_event(actor, happening, now=now)
    return count


def _checked(reason: str) -> str:
    text = " ".join(reason.split())
    if not text or len(text) > REASON_LENGTH or "\x00" in text:
        raise ReasonNeeded(most=REASON_LENGTH)
    return text


def _give_back(actor: Actor, drafts: Collection[Invoice], *, reason: str, hold: bool) -> int:
    """Take drafts away and say with each charge why it waits."""
    count = 0
    for draft in drafts:
        lines = InvoiceLine.objects.filter(tenant_id=actor.tenant_id, invoice_id=draft.pk)
        code = "held" if hold else "discarded"
        count += Charge.objects.filter(
            tenant_id=actor.tenant_id, pk__in=lines.values("charge_id")
        ).update(
            is_held=hold,
            reason={
                "code": "pending",
                "problem": code,
                "run_date": None,
                "held": {
                    "bill_to": str(draft.bill_to_id),
                    "by": actor.label,
                    "reason": reason,
                },
            },
        )
    delete_drafts(actor, [draft.pk for draft in drafts])
    return count


def _taken_back(draft: Invoice, action: str, reason: str) -> Happening:
    return Happening(
        action,
        draft.pk,
        draft.bill_to_id,
        before={"gross_minor": draft.gross_minor, "currency": draft.currency},
        after={"reason": reason},
    )


def _close_if_through(actor: Actor, run_id: UUID, now: datetime) -> None:
    """Close a run that waited for these drafts alone."""
    run = BillingRun.objects.get(tenant_id=actor.tenant_id, pk=run_id)
    drafts = Invoice.objects.filter(
        tenant_id=actor.tenant_id, run_id=run_id, status__in=Invoice.UNISSUED
    )
    if run.status == BillingRun.Status.TO_APPROVE and not drafts.exists():
        close_run(actor, run_id, now=now)
