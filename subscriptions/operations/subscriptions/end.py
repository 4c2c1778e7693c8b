"""Storing the end of a subscription, and what is to be done for its items until then."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime

from billing_rules.timelines import Stretch
from subscriptions.models import Item, Price, Subscription
from subscriptions.queries.terms import ItemTerms, had_between, timelines_of
from tenancy.actor import Actor
from tenancy.events import Happening, record_event


def plan_next(
    item: Item, subscription: Subscription, timeline: Sequence[Stretch[ItemTerms]]
) -> None:
    """Note on an item when rating has something to do for it next; it is not saved.

    Args:
        item: with its price.
        subscription: with the end that it is to have.
        timeline: the terms that the item is to have, which say from when to when it is had.
    """
    begins, ends = had_between(timeline)
    first = max(filter(None, (subscription.first_charged_day, begins)))
    end = min(filter(None, (subscription.end_date, ends)), default=None)
    in_advance = item.price.timing == Price.Timing.ADVANCE
    if end is not None and not in_advance and item.chain_end and item.next_action_date is None:
        # Its last period fell due with an earlier end, and does so once.
        return
    item.next_action_date = first if item.chain_end is None else item.chain_end
    if end is None:
        return
    is_over = first >= end if item.chain_end is None else in_advance and item.chain_end >= end
    if is_over:
        item.next_action_date = None
    elif item.chain_end is not None and item.chain_end > end:
        # In arrears the last period falls due with the end (R20).
        item.next_action_date = end


def store_end(
    actor: Actor, subscription: Subscription, items: Iterable[Item], end_date: date | None
) -> None:
    """Store an end, since when it is news, and what is to be done until then; writes no event."""
    subscription.end_date = end_date
    subscription.note_when_it_is_news()
    subscription.save(update_fields=["end_date", "non_renewing_since"])
    found = list(items)
    timelines = timelines_of(actor, found, subscription.start_date)
    for item in found:
        plan_next(item, subscription, timelines[item.pk])
    Item.objects.bulk_update(found, ["next_action_date"])


def write_end(
    actor: Actor,
    subscription: Subscription,
    items: Iterable[Item],
    end_date: date | None,
    *,
    goes_on: bool = False,
    noted: Mapping[str, str] | None = None,
    now: datetime,
) -> None:
    """Store the end of a subscription, None to go on; the caller has asked and locked it.

    What was charged for days since is made good by whoever calls. An item of which the last
    period has fallen due with an earlier end stays as it is.

    Args:
        actor: who does it.
        subscription: under its lock.
        items: all of it.
        end_date: the first day no longer served.
        goes_on: an earlier end is taken back, also where it still ends with its term.
        noted: what is kept beside the end.
        now: the instant, for the audit trail.
    """
    before, after = subscription.end_date, end_date
    store_end(actor, subscription, items, end_date)
    said = {"external_id": subscription.external_id} if subscription.external_id else {}
    if after is not None and not goes_on:
        said["end"] = after.isoformat()
    happening = Happening(
        "subscription.reactivated" if after is None or goes_on else "subscription.cancelled",
        subscription.pk,
        subscription.account_id,
        before={"end_date": before and before.isoformat()},
        after={"end_date": after and after.isoformat(), **(noted or {})},
        data={**said, **(noted or {})},
    )
    record_event(actor, happening, now=now)
