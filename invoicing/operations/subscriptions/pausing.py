"""Pausing a subscription: nothing is charged for a while, then it goes on as before."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from django.utils.translation import gettext_lazy

from billing_rules.timelines import Stretch, altered
from invoicing.engine.settling import Settler
from invoicing.models import Charge
from invoicing.operations.subscriptions.opening import (
    Opened,
    natural_day,
    open_subscription,
    require_possible,
)
from invoicing.operations.subscriptions.settling import as_charge, settled, store_charges
from subscriptions.models import Subscription, Uncharged
from subscriptions.operations.subscriptions.terms import write_terms
from subscriptions.queries.terms import ItemTerms, terms_of
from tenancy.actor import Actor
from tenancy.database import operation
from tenancy.errors import Conflict, Invalid
from tenancy.events import Happening, record_event
from tenancy.files.cells import LATEST

Terms = Sequence[Stretch[ItemTerms]]


class AlreadyPaused(Conflict):
    """One pause at a time: it is paused then, or later."""

    code = "already_paused"
    message = gettext_lazy("This subscription is paused from %(day)s on already.")


class NotPaused(Conflict):
    """Nothing is paused on that day or later."""

    code = "not_paused"
    message = gettext_lazy("This subscription is not paused then.")


class PauseTooShort(Invalid):
    """It would go on on the day on which it is paused, or before."""

    code = "pause_ends_before_start"
    message = gettext_lazy("It can go on after the pause has begun, on %(day)s.")


class PauseTooLong(Invalid):
    """A day that nobody plans for."""

    code = "out_of_range"
    message = gettext_lazy("A date before 2200 is expected.")


@dataclass(frozen=True, slots=True)
class Paused:
    """A subscription that is paused, or goes on, from a day on, and what that makes good."""

    subscription: Subscription
    day: date
    until: date | None
    charges: Sequence[Charge]


@operation
def pause_subscription(
    actor: Actor,
    subscription_id: UUID,
    *,
    day: date | None,
    until: date | None = None,
    is_billed_now: bool = False,
    is_dry_run: bool = False,
    require_seen: Callable[[], object] | None = None,
    today: date,
    now: datetime,
) -> Paused:
    """Charge nothing for a subscription from a day on; its billing day stays what it is.

    What was charged for days of the pause is credited, to the cent.

    Args:
        actor: who pauses it.
        subscription_id: which.
        day: the first day that is not charged, past days too; None for the end of what has been
            charged.
        until: the day on which it goes on; None if nobody knows yet.
        is_billed_now: the credit does not wait for the billing day.
        is_dry_run: compute everything, store nothing.
        require_seen: refuses if it is not as the caller has seen it; asked under the locks.
        today: the tenant's day.
        now: the instant, for the audit trail.

    Raises:
        NotFound: it is out of the actor's sight.
        Forbidden: the actor may not change subscriptions there.
        AlreadyPaused, PauseTooShort, PauseTooLong: see their texts.
        ChangeBeforeStart, ChangeAfterEnd, TooLongAgo: see their texts.

    Source: docs/billing-rules.md, Pauses.
    """
    opened = open_subscription(actor, subscription_id, require_seen)
    since = require_possible(opened.subscription, day or natural_day(actor, opened, today))
    if until is not None and until <= since:
        raise PauseTooShort(day=since)
    if until is not None and until > LATEST:
        raise PauseTooLong
    known = _paused_since(opened, since)
    if known is not None:
        raise AlreadyPaused(day=known)
    after = {key: altered(one, since, until, _paused) for key, one in opened.timelines.items()}
    settler = Settler(opened.families, today=today, is_billed_now=is_billed_now)
    result = _changed(actor, opened, settler, after, since, until, is_dry_run=is_dry_run, now=now)
    if not is_dry_run:
        _record(actor, "subscription.paused", result, now)
    return result


@operation
def resume_subscription(
    actor: Actor,
    subscription_id: UUID,
    *,
    day: date,
    is_billed_now: bool = False,
    is_dry_run: bool = False,
    require_seen: Callable[[], object] | None = None,
    today: date,
    now: datetime,
) -> Paused:
    """Let a paused subscription go on from a day on; one not paused yet is not paused at all.

    What is left of a period that has begun is charged; the next one is charged as ever.

    Args:
        actor: who resumes it.
        subscription_id: which.
        day: the first day that is charged again, past days too; where the pause begins later,
            it does not begin.
        is_billed_now: don't wait for the billing day.
        is_dry_run: compute everything, store nothing.
        require_seen: refuses if it is not as the caller has seen it; asked under the locks.
        today: the tenant's day.
        now: the instant, for the audit trail.

    Raises:
        NotFound: it is out of the actor's sight.
        Forbidden: the actor may not change subscriptions there.
        NotPaused: see its text.
        ChangeBeforeStart, ChangeAfterEnd, TooLongAgo: see their texts.

    Source: docs/billing-rules.md, Pauses.
    """
    opened = open_subscription(actor, subscription_id, require_seen)
    since = require_possible(opened.subscription, day)
    if _paused_since(opened, since) is None:
        raise NotPaused
    after = {key: altered(one, since, None, _going_on) for key, one in opened.timelines.items()}
    settler = Settler(opened.families, today=today, is_billed_now=is_billed_now)
    result = _changed(actor, opened, settler, after, since, None, is_dry_run=is_dry_run, now=now)
    if not is_dry_run:
        _record(actor, "subscription.resumed", result, now)
    return result


def _changed(
    actor: Actor,
    opened: Opened,
    settler: Settler,
    after: Mapping[UUID, Terms],
    since: date,
    until: date | None,
    *,
    is_dry_run: bool,
    now: datetime,
) -> Paused:
    subscription = opened.subscription
    charges = settled(actor, settler, subscription, opened.items, after, since)
    if not is_dry_run:
        for item in opened.items:
            if after[item.pk] != opened.timelines[item.pk]:
                write_terms(actor, item, after[item.pk])
        store_charges(actor, charges, now)
    made = [as_charge(actor, subscription, charge, now) for charge in charges]
    return Paused(subscription, since, until, made)


def _paused_since(opened: Opened, day: date) -> date | None:
    """Return the first day on or after which a pause of a day, or a later one, began."""
    begun = [
        one.start
        for timeline in opened.timelines.values()
        for one in timeline
        if one.value.uncharged == Uncharged.PAUSED and (one.end is None or one.end > day)
    ]
    return min(begun, default=None)


def _paused(terms: ItemTerms) -> ItemTerms:
    """Return terms that are not charged; what is no part of the subscription stays so."""
    if terms.uncharged == Uncharged.ABSENT:
        return terms
    return terms_of(terms.price, terms.quantity, Uncharged.PAUSED, terms.discount)


def _going_on(terms: ItemTerms) -> ItemTerms:
    if terms.uncharged != Uncharged.PAUSED:
        return terms
    return terms_of(terms.price, terms.quantity, discount=terms.discount)


def _record(actor: Actor, name: str, result: Paused, now: datetime) -> None:
    subscription = result.subscription
    said = {"since": result.day.isoformat()}
    if result.until is not None:
        said["until"] = result.until.isoformat()
    after = dict(said)
    if subscription.external_id is not None:
        said["external_id"] = subscription.external_id
    happening = Happening(name, subscription.pk, subscription.account_id, after=after, data=said)
    record_event(actor, happening, now=now)
