"""Ending a subscription, also within what has been charged, and taking an end back."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from django.utils.translation import gettext_lazy as _

from accounts import access
from accounts.access import Action
from billing_rules.contract_terms import Refusal, earliest_end, notice_deadline, refusal_of
from billing_rules.subscription_states import State, state_on
from invoicing.engine.rows import ChargeRow
from invoicing.engine.settling import Settler
from invoicing.models import Charge
from invoicing.operations.subscriptions.opening import Opened, natural_day, open_subscription
from invoicing.operations.subscriptions.settling import as_charge, settled, store_charges
from subscriptions.models import Subscription
from subscriptions.operations.subscriptions.end import write_end
from tenancy.actor import Actor
from tenancy.database import operation
from tenancy.errors import Conflict, Forbidden, Invalid
from tenancy.files.cells import EARLIEST, LATEST

_LONGEST_REASON = 500


class AlreadyCancelled(Conflict):
    """Its end has come, or is to come, already."""

    code = "already_cancelled"
    message = _("This subscription already ends on %(day)s.")


class NotCancelled(Conflict):
    """Nothing is to end, so nothing can be taken back."""

    code = "not_cancelled"
    message = _("This subscription has no end that could be taken back.")


class EndsTooEarly(Invalid):
    """It would end before it began."""

    code = "end_before_start"
    message = _("The end has to be after the start, %(day)s.")


class EndsWithTerm(Conflict):
    """It ends by itself, then or before."""

    code = "ends_with_term"
    message = _("This subscription does not renew and ends with its term, on %(day)s.")


class NoTerm(Invalid):
    """There is no term with which it could end."""

    code = "no_contract_terms"
    message = _("This subscription has no contract terms: it can end on any day.")


class WithinMinimumTerm(Invalid):
    """It is bound for longer."""

    code = Refusal.MINIMUM_TERM.value
    message = _(
        "The minimum term has not passed by then. The earliest possible first day no longer"
        " served is %(day)s."
    )


class WithinRenewedTerm(Invalid):
    """It has been renewed, or will be by then, for longer."""

    code = Refusal.RENEWED_TERM.value
    message = _(
        "It runs for whole terms, and none ends then. The earliest possible first day no longer"
        " served is %(day)s."
    )


class NoticeNotKept(Invalid):
    """Notice would have had to be given before."""

    code = Refusal.NOTICE.value
    message = _(
        "Notice to that day had to be given by %(deadline)s. The earliest possible first day no"
        " longer served is %(day)s."
    )


class NoticeInFuture(Invalid):
    """Notice is kept once it has been given."""

    code = "notice_in_future"
    message = _("Notice was given on a day from 1970 on, up to today.")


class ReasonTooLong(Invalid):
    """More than anybody reads."""

    code = "too_long"
    message = _("At most 500 characters are possible.")


class TooFarAhead(Invalid):
    """A day that nobody plans for."""

    code = "out_of_range"
    message = _("A date before 2200 is expected.")


@dataclass(frozen=True, slots=True)
class Ended:
    """A subscription with its new end, and the charges that make good what was charged."""

    subscription: Subscription
    end_date: date | None
    charges: Sequence[Charge]


@operation
def cancel_subscription(
    actor: Actor,
    subscription_id: UUID,
    *,
    end_date: date | None,
    at_term_end: bool = False,
    notice_on: date | None = None,
    override_reason: str = "",
    is_billed_now: bool = False,
    is_dry_run: bool = False,
    require_seen: Callable[[], object] | None = None,
    today: date,
    now: datetime,
) -> Ended:
    """End a subscription on a day, at the end of what has been charged, or with a term.

    One with contract terms ends with a term of which the notice deadline has not passed, and
    earlier only for a reason, which staff give and which is kept.

    What was charged for days from the end on is credited, to the cent; past days too, if it
    ended long ago. Documents that were issued stay as they are.

    Args:
        actor: who ends it.
        subscription_id: which.
        end_date: the first day no longer served; None for the end of the running period.
        at_term_end: instead of a day, the earliest one on which it may end.
        notice_on: the day on which notice was given, None for today.
        override_reason: why it ends earlier than its contract terms allow; empty for no reason.
        is_billed_now: the credit does not wait for the billing day.
        is_dry_run: compute everything, store nothing.
        require_seen: refuses if it is not as the caller has seen it; asked under the locks.
        today: the tenant's day.
        now: the instant, for the audit trail.

    Raises:
        NotFound: it is out of the actor's sight.
        Forbidden: the actor may not change subscriptions there, or may not override their terms.
        AlreadyCancelled, EndsTooEarly, TooFarAhead: see their texts.
        WithinMinimumTerm, WithinRenewedTerm, NoticeNotKept: it is bound for longer.
        EndsWithTerm, NoTerm, NoticeInFuture, ReasonTooLong: see their texts.
        TooLongAgo: too many periods would have to be credited.

    Source: docs/billing-rules.md, R20; docs/billing-rules.md, Changes, Contract terms.
    """
    opened = open_subscription(actor, subscription_id, require_seen)
    subscription = opened.subscription
    given_on = today if notice_on is None else notice_on
    _require_open(subscription, today)
    if not EARLIEST <= given_on <= today:
        raise NoticeInFuture
    if at_term_end:
        wanted = _term_end(subscription, given_on)
    else:
        wanted = end_date or natural_day(actor, opened, today)
    if wanted <= subscription.start_date:
        raise EndsTooEarly(day=subscription.start_date)
    if wanted > LATEST:
        raise TooFarAhead
    noted = _require_regular(actor, subscription, wanted, given_on, override_reason.strip())
    if notice_on is not None:
        noted["notice_on"] = notice_on.isoformat()
    settler = Settler(opened.families, today=today, is_billed_now=is_billed_now)
    charges = settled_end(actor, settler, opened, wanted, since=wanted)
    if not is_dry_run:
        write_end(actor, subscription, opened.items, wanted, noted=noted, now=now)
        store_charges(actor, charges, now)
    subscription.end_date = wanted
    subscription.note_when_it_is_news()
    return _ended(actor, subscription, charges, now)


@operation
def reactivate_subscription(
    actor: Actor,
    subscription_id: UUID,
    *,
    require_seen: Callable[[], object] | None = None,
    today: date,
    now: datetime,
) -> Ended:
    """Take an end back that has not come yet: the subscription goes on as before.

    One that does not renew ends with its term again.

    What had been credited for days from the end on is charged again.

    Args:
        actor: who takes it back.
        subscription_id: which.
        require_seen: refuses if it is not as the caller has seen it; asked under the locks.
        today: the tenant's day.
        now: the instant, for the audit trail.

    Raises:
        NotFound: it is out of the actor's sight.
        Forbidden: the actor may not change subscriptions there.
        NotCancelled: it has no end.
        AlreadyCancelled: the end has come.
        EndsWithTerm: nobody has set its end.
    """
    opened = open_subscription(actor, subscription_id, require_seen)
    subscription = opened.subscription
    end_date = subscription.end_date
    if end_date is None:
        raise NotCancelled
    if state_on(today, subscription.start_date, end_date) == State.CANCELLED:
        raise AlreadyCancelled(day=end_date)
    if subscription.ends_with_term:
        raise EndsWithTerm(day=end_date)
    settler = Settler(opened.families, today=today, is_billed_now=False)
    goes_on_until = subscription.fixed_end
    charges = settled_end(actor, settler, opened, goes_on_until, since=end_date)
    write_end(actor, subscription, opened.items, goes_on_until, goes_on=True, now=now)
    store_charges(actor, charges, now)
    return _ended(actor, subscription, charges, now)


def _require_open(subscription: Subscription, today: date) -> None:
    """Return if nobody has set an end, and it has not ended with its term.

    Raises:
        AlreadyCancelled: see its text.
    """
    end_date = subscription.end_date
    if end_date is not None and (end_date <= today or not subscription.ends_with_term):
        raise AlreadyCancelled(day=end_date)


def _term_end(subscription: Subscription, given_on: date) -> date:
    """Return the earliest regular end.

    Raises:
        NoTerm, EndsWithTerm: see their texts.
    """
    terms, end_date = subscription.contract_terms, subscription.end_date
    if end_date is not None:
        raise EndsWithTerm(day=end_date)
    end = None if terms is None else earliest_end(terms, given_on)
    if end is None:
        raise NoTerm
    return end


def _require_regular(
    actor: Actor, subscription: Subscription, wanted: date, given_on: date, reason: str
) -> dict[str, str]:
    """Return what is kept of an end that its contract terms do not allow, nothing of another.

    Raises:
        WithinMinimumTerm, WithinRenewedTerm, NoticeNotKept: it is bound, and no reason is given.
        EndsWithTerm: it ends by itself, then or before.
        Forbidden: only staff override contract terms.
        ReasonTooLong: see its text.
    """
    terms = subscription.contract_terms
    if terms is None:
        return {}
    fixed, tried_until = terms.fixed_end, subscription.trial_end
    if fixed is not None and wanted >= fixed:
        raise EndsWithTerm(day=fixed)
    if tried_until is not None and wanted <= tried_until and given_on < tried_until:
        # Nothing binds during a trial.
        return {}
    refusal = refusal_of(terms, wanted, given_on)
    if refusal is None:
        return {}
    if not reason:
        day = earliest_end(terms, given_on, wanted)
        if refusal is Refusal.NOTICE:
            raise NoticeNotKept(deadline=notice_deadline(terms, wanted), day=day)
        raise (WithinMinimumTerm if refusal is Refusal.MINIMUM_TERM else WithinRenewedTerm)(day=day)
    if not access.allows_everywhere(actor, Action.EDIT_SUBSCRIPTION):
        raise Forbidden
    if len(reason) > _LONGEST_REASON:
        raise ReasonTooLong
    return {"override_reason": reason}


def settled_end(
    actor: Actor,
    settler: Settler,
    opened: Opened,
    end_date: date | None,
    *,
    since: date,
) -> list[ChargeRow]:
    """Return what makes good the charges since a day, once the end is another."""
    subscription = opened.subscription
    before, subscription.end_date = subscription.end_date, end_date
    charges = settled(actor, settler, subscription, opened.items, opened.timelines, since)
    subscription.end_date = before
    return charges


def _ended(
    actor: Actor, subscription: Subscription, charges: Sequence[ChargeRow], now: datetime
) -> Ended:
    made = [as_charge(actor, subscription, row, now) for row in charges]
    return Ended(subscription, subscription.end_date, made)
