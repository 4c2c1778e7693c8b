"""Ending a subscription, and taking an end that has not come yet back."""

from collections.abc import Iterable
from datetime import date, datetime
from uuid import UUID

from django.utils.translation import gettext_lazy as _

from billing_rules.subscription_states import State, state_on
from subscriptions.models import Item, Price, Subscription
from subscriptions.operations.subscriptions.locking import locked_subscription
from subscriptions.queries.renewals import charged_until, running_period_end
from tenancy.actor import Actor
from tenancy.database import operation
from tenancy.errors import Conflict, Invalid
from tenancy.events import Happening, record_event
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
    """It would end before it began, or within what has been charged."""

    code = "end_before_start"
    message = _("The end has to be after the start, %(day)s.")


class AlreadyCharged(Conflict):
    """What has been charged would have to be credited."""

    code = "already_charged"
    message = _("It has been charged until %(day)s; the end can be that day or later.")


class TooFarAhead(Invalid):
    """A day that nobody plans for."""

    code = "out_of_range"
    message = _("A date before 2200 is expected.")


@operation
def cancel_subscription(
    actor: Actor,
    subscription_id: UUID,
    *,
    end_date: date | None,
    is_dry_run: bool = False,
    today: date,
    now: datetime,
) -> Subscription:
    """End a subscription at the end of what has been charged, or on a later day.

    Args:
        actor: who ends it.
        subscription_id: which.
        end_date: the first day no longer served; None for the end of the running period.
        is_dry_run: check everything, store nothing.
        today: the tenant's day.
        now: the instant, for the audit trail.

    Returns:
        The subscription with its new end.

    Raises:
        NotFound: it is out of the actor's sight.
        Forbidden: the actor may not change subscriptions there.
        AlreadyCancelled: it has an end already.
        EndsTooEarly: on or before its start.
        AlreadyCharged: a period that goes on after that day has been charged.

    Source: docs/billing-rules.md, R20.
    """
    subscription, items = locked_subscription(actor, subscription_id)
    if subscription.end_date is not None:
        raise AlreadyCancelled(day=subscription.end_date)
    charged_end = charged_until(items)
    wanted = end_date or running_period_end(actor, subscription, today) or LATEST
    if wanted <= subscription.start_date:
        raise EndsTooEarly(day=subscription.start_date)
    if wanted > LATEST:
        raise TooFarAhead
    if charged_end is not None and wanted < charged_end:
        raise AlreadyCharged(day=charged_end)
    if not is_dry_run:
        for item in items:
            _end_chain(item, subscription, wanted)
        _write(actor, subscription, items, wanted, "subscription.cancelled", now)
    subscription.end_date = wanted
    return subscription


@operation
def reactivate_subscription(
    actor: Actor, subscription_id: UUID, *, today: date, now: datetime
) -> Subscription:
    """Take an end back that has not come yet: the subscription goes on as before.

    Args:
        actor: who takes it back.
        subscription_id: which.
        today: the tenant's day.
        now: the instant, for the audit trail.

    Raises:
        NotFound: it is out of the actor's sight.
        Forbidden: the actor may not change subscriptions there.
        NotCancelled: it has no end.
        AlreadyCancelled: the end has come.
    """
    subscription, items = locked_subscription(actor, subscription_id)
    if subscription.end_date is None:
        raise NotCancelled
    if state_on(today, subscription.start_date, subscription.end_date) == State.CANCELLED:
        raise AlreadyCancelled(day=subscription.end_date)
    for item in items:
        if item.next_action_date is None and item.chain_end is not None:
            item.next_action_date = item.chain_end
    _write(actor, subscription, items, None, "subscription.reactivated", now)
    return subscription


def _end_chain(item: Item, subscription: Subscription, end_date: date) -> None:
    """Say that nothing is to be done for an item on or after the end, where that is so."""
    first = max(subscription.start_date, subscription.billed_until or subscription.start_date)
    in_advance = item.price.timing == Price.Timing.ADVANCE
    if item.chain_end is None:
        is_over = first >= end_date
    else:
        is_over = in_advance and item.chain_end >= end_date
    if is_over:
        item.next_action_date = None


def _write(
    actor: Actor,
    subscription: Subscription,
    items: Iterable[Item],
    end_date: date | None,
    action: str,
    now: datetime,
) -> None:
    before, after = subscription.end_date, end_date
    subscription.end_date = end_date
    subscription.save(update_fields=["end_date"])
    Item.objects.bulk_update(list(items), ["next_action_date"])
    said = {"external_id": subscription.external_id} if subscription.external_id else {}
    if after is not None:
        said["end"] = after.isoformat()
    happening = Happening(
        action,
        subscription.pk,
        subscription.account_id,
        before={"end_date": before and before.isoformat()},
        after={"end_date": after and after.isoformat()},
        data=said,
    )
    record_event(actor, happening, now=now)
