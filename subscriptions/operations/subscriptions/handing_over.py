"""Giving subscriptions to another account from a day on; whose they were stays known."""

from datetime import date, datetime
from uuid import UUID

from subscriptions.models import EarlierOwner, Item, Subscription
from subscriptions.queries.owners import still_billed
from tenancy.actor import Actor
from tenancy.database.inserting import insert_rows
from tenancy.events import Happening, record_events
from tenancy.ids import public_id


def hand_over(
    actor: Actor, account_id: UUID, to_id: UUID, *, day: date, now: datetime
) -> list[UUID]:
    """Give all that an account still subscribes to, or is still charged for, to another one.

    The caller has asked for the right and locked the trees. Periods, prices and what was charged
    stay as they are; what is not charged yet is charged to the new one.

    Args:
        actor: who does it.
        account_id: whose they are.
        to_id: whose they become.
        day: since when.
        now: the instant, for the audit trail.

    Returns:
        The subscriptions.
    """
    rows = Subscription.objects.filter(still_billed(actor, day), tenant_id=actor.tenant_id)
    found = list(rows.filter(account_id=account_id).select_for_update(of=("self",)).order_by("id"))
    ids = [one.pk for one in found]
    known = EarlierOwner.objects.filter(
        tenant_id=actor.tenant_id, subscription_id__in=ids, until=day
    )
    skipped = set(known.values_list("subscription_id", flat=True))
    # Nobody had it who had it for no whole day.
    insert_rows(
        [
            EarlierOwner(
                tenant_id=actor.tenant_id, subscription_id=one.pk, account_id=account_id, until=day
            )
            for one in found
            if one.start_date < day and one.pk not in skipped
        ]
    )
    Subscription.objects.filter(tenant_id=actor.tenant_id, pk__in=ids).update(account_id=to_id)
    Item.objects.filter(tenant_id=actor.tenant_id, subscription_id__in=ids).update(account_id=to_id)
    happenings = [_happening(one, account_id, to_id, day) for one in found]
    record_events(actor, happenings, now=now)
    return ids


def _happening(one: Subscription, old: UUID, new: UUID, day: date) -> Happening:
    said = {"since": day.isoformat(), "account": public_id("acc", new)}
    if one.external_id is not None:
        said["external_id"] = one.external_id
    return Happening(
        "subscription.handed_over",
        one.pk,
        new,
        before={"account": public_id("acc", old)},
        after={"account": said["account"], "since": said["since"]},
        data=said,
    )
