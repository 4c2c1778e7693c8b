"""Whom subscriptions are invoiced to themselves, now and on earlier days."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from uuid import UUID

from accounts import access
from accounts.access import Action
from subscriptions.models import EarlierRecipient, Subscription
from tenancy.actor import Actor


def earlier_recipients(
    actor: Actor, subscription_ids: Iterable[UUID]
) -> Mapping[UUID, Sequence[tuple[date, UUID | None]]]:
    """Return whom subscriptions were invoiced to before, each with the day until which it held.

    One statement; the first one first. Whoever asks has read the subscriptions.
    """
    rows = EarlierRecipient.objects.filter(
        tenant_id=actor.tenant_id, subscription_id__in=set(subscription_ids)
    ).order_by("until")
    found: dict[UUID, list[tuple[date, UUID | None]]] = defaultdict(list)
    for subscription_id, until, bill_to_id in rows.values_list(
        "subscription_id", "until", "bill_to_id"
    ):
        found[subscription_id].append((until, bill_to_id))
    return dict(found)


def recipients_on(
    actor: Actor, subscriptions: Iterable[Subscription], day: date
) -> dict[UUID, UUID | None]:
    """Return whom subscriptions name as their recipient themselves on a day.

    No statement where none has changed since, else one.

    Args:
        actor: who asks.
        subscriptions: that have been read.
        day: the day.

    Raises:
        Forbidden: the actor may not read all subscriptions of the tenant.
    """
    access.require_everywhere(actor, Action.VIEW_SUBSCRIPTION)
    found: dict[UUID, UUID | None] = {}
    changed = []
    for one in subscriptions:
        found[one.pk] = one.override_bill_to_id
        if one.override_since is not None and one.override_since > day:
            changed.append(one.pk)
    if changed:
        for key, rows in earlier_recipients(actor, changed).items():
            found[key] = next((bill_to for until, bill_to in rows if day < until), None)
    return found
