"""Storing the end of a subscription, and what is to be done for its items until then."""

from collections.abc import Sequence
from datetime import date, datetime

from subscriptions.models import Item, Price, Subscription
from tenancy.actor import Actor
from tenancy.events import Happening, record_event


def _end_chain(item: Item, subscription: Subscription, end_date: date) -> None:
    """Say that nothing is to be done for an item on or after the end, where that is so."""
    first = _first_day(subscription)
    in_advance = item.price.timing == Price.Timing.ADVANCE
    if item.chain_end is None:
        is_over = first >= end_date
    else:
        is_over = in_advance and item.chain_end >= end_date
    if is_over:
        item.next_action_date = None
    elif item.chain_end is not None and item.chain_end > end_date:
        # In arrears the last period falls due with the end (R20).
        item.next_action_date = end_date


def _first_day(subscription: Subscription) -> date:
    """Return the first day that is charged (R24)."""
    return max(subscription.start_date, subscription.billed_until or subscription.start_date)


def write_end(
    actor: Actor,
    subscription: Subscription,
    items: Sequence[Item],
    end_date: date | None,
    *,
    now: datetime,
) -> None:
    """Store the end of a subscription, None to go on; the caller has asked and locked it.

    What was charged for days since is made good by whoever calls.
    """
    before, after = subscription.end_date, end_date
    for item in items:
        if end_date is None:
            item.next_action_date = item.chain_end or _first_day(subscription)
        else:
            _end_chain(item, subscription, end_date)
    subscription.end_date = end_date
    subscription.save(update_fields=["end_date"])
    Item.objects.bulk_update(list(items), ["next_action_date"])
    said = {"external_id": subscription.external_id} if subscription.external_id else {}
    if after is not None:
        said["end"] = after.isoformat()
    happening = Happening(
        "subscription.reactivated" if after is None else "subscription.cancelled",
        subscription.pk,
        subscription.account_id,
        before={"end_date": before and before.isoformat()},
        after={"end_date": after and after.isoformat()},
        data=said,
    )
    record_event(actor, happening, now=now)
