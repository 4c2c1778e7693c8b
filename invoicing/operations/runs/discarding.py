"""Taking drafts back: discarded, held back or rejected with their whole run.

What stood on them is owed all the same: it returns to the pool and says why, and who did it.
"""

from collections.abc import Callable, Collection, Iterator
from datetime import date, datetime
from uuid import UUID

from django.db import connection
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from accounts import access, tree
from accounts.access import Action
from accounts.queries.accounts import get_account
from invoicing.models import BillingRun, Charge, Invoice
from invoicing.operations.runs.approving import DraftsChanged, InvoiceNotDraft, RunNotWaiting
from invoicing.operations.runs.closing import close_run
from invoicing.operations.runs.earlier_drafts import delete_drafts
from invoicing.queries.run_figures import digest_of
from tenancy.actor import Actor
from tenancy.database import operation
from tenancy.errors import Conflict, FieldError, Invalid, NotFound
from tenancy.events import Happening, record_event, record_events
from tenancy.formats import reader

REASON_LENGTH = 500


class ReasonNeeded(Invalid):
    """Whoever finds the charges later has to know why they are there."""

    code = "reason_needed"
    message = _("Please give a reason of at most %(most)s characters.")


class OtherDrafts(DraftsChanged):
    """What is to be taken back is not what was seen; ``errors`` say what is there now."""

    message = _(
        "Some of these drafts have changed since they were looked at. Nothing was taken back."
        " Please look at them once more."
    )


class NothingHeld(Conflict):
    """Nothing of the account is held back."""

    code = "nothing_held"
    message = _("Nothing of this account is held back.")


class HoldNotAhead(Invalid):
    """A day that has come holds nothing back."""

    code = "hold_not_ahead"
    message = _("What is held back until %(until)s is not held back: today is %(today)s.")


@operation
def discard_drafts(
    actor: Actor,
    invoice_ids: Collection[UUID],
    *,
    reason: str,
    hold: bool,
    until: date | None = None,
    seen: str | None = None,
    require_seen: Callable[[], object] | None = None,
    today: date,
    now: datetime,
) -> int:
    """Take drafts away; their charges return to the pool.

    Args:
        actor: who does it.
        invoice_ids: the drafts, of any runs.
        reason: why, in the actor's words; it stands with each charge.
        hold: whether the charges stay off every document until ``until`` or until
            ``release_charges``; otherwise the next run places them again.
        until: a run for this day or a later one takes what is held; None: nobody does before it
            is released.
        seen: the digest of the drafts that was looked at; None takes back whatever they say.
        require_seen: called under the locks; raises where the caller has seen something else.
        today: the tenant's date.
        now: the instant.

    Returns:
        How many charges went back.

    Raises:
        Forbidden: the actor may not issue invoices.
        NotFound: one of them is not there.
        InvoiceNotDraft: one of them is issued.
        OtherDrafts: they say something else than what was seen.
        ReasonNeeded: there is none, or it is too long.
        HoldNotAhead: the day is not in the future.

    Source: docs/billing-rules.md, R8.
    """
    access.require_everywhere(actor, Action.ISSUE_INVOICE)
    text = _checked(reason)
    if not hold:
        until = None
    elif until is not None and until <= today:
        raise HoldNotAhead(until=until, today=today)
    ids = set(invoice_ids)
    found = Invoice.objects.filter(tenant_id=actor.tenant_id, pk__in=ids)
    tree.lock_families(actor.tenant_id, {*found.values_list("bill_to_id", flat=True)})
    drafts = list(found.select_for_update().order_by("id"))
    if len(drafts) < len(ids):
        raise NotFound
    if require_seen is not None:
        require_seen()
    if any(draft.status not in Invoice.UNISSUED for draft in drafts):
        raise InvoiceNotDraft
    if seen is not None:
        _require_same(drafts, seen)
    count = _give_back(actor, drafts, reason=text, hold=hold, until=until)
    action = "invoice.held_back" if hold else "invoice.discarded"
    record_events(actor, [_taken_back(draft, action, text, until) for draft in drafts], now=now)
    for run_id in sorted({draft.run_id for draft in drafts if draft.run_id}):
        _close_if_through(actor, run_id, now)
    return count


@operation
def reject_run(
    actor: Actor,
    run_id: UUID,
    *,
    reason: str,
    seen: str,
    require_seen: Callable[[], object] | None = None,
    now: datetime,
) -> BillingRun:
    """Discard every draft of a run as it was seen; what it has issued already stays.

    Args:
        actor: who does it.
        run_id: a run that waits for approval.
        reason: why; it stands on the run and with each charge.
        seen: the digest of its drafts that was looked at, as ``drafts_seen`` and ``digest_of``.
        require_seen: called under the locks; raises where the caller has seen something else.
        now: the instant.

    Raises:
        Forbidden: the actor may not issue invoices.
        NotFound: there is no such run.
        RunNotWaiting: it is being worked on, or nothing of it waits.
        OtherDrafts: the run has other drafts than those, or with other contents.
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
    if require_seen is not None:
        require_seen()
    if not drafts or run.status not in (BillingRun.Status.TO_APPROVE, BillingRun.Status.PARKED):
        raise RunNotWaiting
    _require_same(drafts, seen)
    _give_back(actor, drafts, reason=text, hold=False, until=None)
    record_events(
        actor, [_taken_back(draft, "invoice.discarded", text, None) for draft in drafts], now=now
    )
    BillingRun.objects.filter(tenant_id=actor.tenant_id, pk=run.pk).update(
        rejected_by=actor.label, rejected_reason=text
    )
    after = {"drafts": len(drafts), "reason": text}
    record_event(actor, Happening("run.rejected", run.pk, after=after, data=after), now=now)
    return close_run(actor, run.pk, now=now)


@operation
def release_charges(
    actor: Actor,
    account_id: UUID,
    *,
    require_seen: Callable[[], object] | None = None,
    now: datetime,
) -> int:
    """Let the next run place again what was held back of drafts for an account.

    Args:
        actor: who does it.
        account_id: the recipient of the drafts.
        require_seen: called under the locks; raises where the caller has seen something else.
        now: the instant.

    Returns:
        How many charges it is.

    Raises:
        Forbidden, NotFound: not the actor's to release, or no such account.
        NothingHeld: there is none.
    """
    access.require_everywhere(actor, Action.ISSUE_INVOICE)
    get_account(actor, account_id)
    tree.lock_families(actor.tenant_id, [account_id])
    if require_seen is not None:
        require_seen()
    held = Charge.objects.filter(
        tenant_id=actor.tenant_id, is_held=True, reason__held__bill_to=str(account_id)
    )
    count = held.update(is_held=False, held_until=None)
    if not count:
        raise NothingHeld
    said = {"charges": count}
    happening = Happening("charges.released", account_id, account_id, after=said, data=said)
    record_event(actor, happening, now=now)
    return count


def _checked(reason: str) -> str:
    text = " ".join(reason.split())
    if not text or len(text) > REASON_LENGTH or "\x00" in text:
        raise ReasonNeeded(most=REASON_LENGTH)
    return text


def _require_same(drafts: Collection[Invoice], seen: str) -> None:
    """Return if locked drafts are what was looked at; a draft added since is none of them."""
    if digest_of({draft.pk: draft.content_hash for draft in drafts}) != seen:
        raise OtherDrafts(errors=[*_as_they_are(drafts)])


def _as_they_are(drafts: Collection[Invoice]) -> Iterator[FieldError]:
    """Yield how many drafts there are now and what they add up to, by currency."""
    for currency in sorted({draft.currency for draft in drafts}):
        sums = [draft.gross_minor for draft in drafts if draft.currency == currency]
        now = ngettext(
            "Now %(count)s draft, %(sum)s with tax.",
            "Now %(count)s drafts, %(sum)s with tax.",
            len(sums),
        )
        facts = {"count": len(sums), "sum": reader().money(sum(sums), currency)}
        yield FieldError("drafts_now", now % facts)


# Where the charges of drafts stood and who pays for them stays with them.
_GIVE_BACK = """
    UPDATE invoicing_charge AS charge
    SET is_held = %(hold)s, held_until = %(until)s,
        reason = charge.reason || jsonb_build_object(
            'code', 'pending', 'problem', %(problem)s::text, 'run_date', NULL,
            'held', jsonb_build_object(
                'bill_to', invoice.bill_to_id, 'by', %(by)s::text, 'reason', %(reason)s::text,
                'until', %(until)s::date))
    FROM invoicing_invoiceline AS line
    JOIN invoicing_invoice AS invoice
        ON invoice.tenant_id = line.tenant_id AND invoice.id = line.invoice_id
    WHERE line.tenant_id = %(tenant)s AND line.invoice_id = ANY (%(ids)s::uuid[])
    AND charge.tenant_id = line.tenant_id AND charge.id = line.charge_id
"""


def _give_back(
    actor: Actor, drafts: Collection[Invoice], *, reason: str, hold: bool, until: date | None
) -> int:
    """Take drafts away and say with each charge why it waits. Five statements for all of them."""
    ids = [draft.pk for draft in drafts]
    with connection.cursor() as cursor:
        cursor.execute(
            _GIVE_BACK,
            {
                "tenant": actor.tenant_id,
                "ids": [str(key) for key in ids],
                "hold": hold,
                "until": until,
                "problem": "held" if hold else "discarded",
                "by": actor.label,
                "reason": reason,
            },
        )
        count: int = cursor.rowcount
    delete_drafts(actor, ids)
    return count


def _taken_back(draft: Invoice, action: str, reason: str, until: date | None) -> Happening:
    amount = {"gross_minor": draft.gross_minor, "currency": draft.currency}
    after = {"reason": reason, **({"until": until.isoformat()} if until else {})}
    return Happening(
        action, draft.pk, draft.bill_to_id, before=amount, after=after, data={**after, **amount}
    )


def _close_if_through(actor: Actor, run_id: UUID, now: datetime) -> None:
    """Close a run that waited for these drafts alone."""
    run = BillingRun.objects.get(tenant_id=actor.tenant_id, pk=run_id)
    drafts = Invoice.objects.filter(
        tenant_id=actor.tenant_id, run_id=run_id, status__in=Invoice.UNISSUED
    )
    if run.status == BillingRun.Status.TO_APPROVE and not drafts.exists():
        close_run(actor, run_id, now=now)
