"""Ending a subscription, also within what has been charged, and taking an end back."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from django.utils.translation import gettext_lazy as _

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
from tenancy.errors import Conflict, Invalid
from tenancy.files.cells import LATEST


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
    is_billed_now: bool = False,
    is_dry_run: bool = False,
    require_seen: Callable[[], object] | None = None,
    today: date,
    now: datetime,
) -> Ended:
    """End a subscription on a day, or at the end of what has been charged.

    What was charged for days from the end on is credited, to the cent; past days too, if it
    ended long ago. Documents that were issued stay as they are.

    Args:
        actor: who ends it.
        subscription_id: which.
        end_date: the first day no longer served; None for the end of the running period.
        is_billed_now: the credit does not wait for the billing day.
        is_dry_run: compute everything, store nothing.
        require_seen: refuses if it is not as the caller has seen it; asked under the locks.
        today: the tenant's day.
        now: the instant, for the audit trail.

    Raises:
        NotFound: it is out of the actor's sight.
        Forbidden: the actor may not change subscriptions there.
        AlreadyCancelled, EndsTooEarly, TooFarAhead: see their texts.
        TooLongAgo: too many periods would have to be credited.

    Source: docs/billing-rules.md, R20; docs/billing-rules.md, Changes.
    """
    opened = open_subscription(actor, subscription_id, require_seen)
    subscription = opened.subscription
    if subscription.end_date is not None:
        raise AlreadyCancelled(day=subscription.end_date)
    wanted = end_date or natural_day(actor, opened, today)
    if wanted <= subscription.start_date:
        raise EndsTooEarly(day=subscription.start_date)
    if wanted > LATEST:
        raise TooFarAhead
    settler = Settler(opened.families, today=today, is_billed_now=is_billed_now)
    charges = _settled(actor, settler, opened, wanted, since=wanted)
    if not is_dry_run:
        write_end(actor, subscription, opened.items, wanted, now=now)
        store_charges(actor, charges, now)
    subscription.end_date = wanted
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
    """
    opened = open_subscription(actor, subscription_id, require_seen)
    subscription = opened.subscription
    end_date = subscription.end_date
    if end_date is None:
        raise NotCancelled
    if state_on(today, subscription.start_date, end_date) == State.CANCELLED:
        raise AlreadyCancelled(day=end_date)
    settler = Settler(opened.families, today=today, is_billed_now=False)
    charges = _settled(actor, settler, opened, None, since=end_date)
    write_end(actor, subscription, opened.items, None, now=now)
    store_charges(actor, charges, now)
    return _ended(actor, subscription, charges, now)


def _settled(
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
