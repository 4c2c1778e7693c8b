"""Letting the periods of many subscriptions begin on other days from a day on."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any
from uuid import UUID

from django.db import connection

from billing_rules.periods import Period
from subscriptions.models import Item, Subscription
from subscriptions.operations.subscriptions.terms import write_all_terms
from subscriptions.queries.terms import ItemTerms, freed, timelines_of, with_free
from tenancy.actor import Actor
from tenancy.events import Happening, record_events


@dataclass(frozen=True, slots=True)
class NewDays:
    """What differs about an item.

    Attributes:
        subscription_id: whose it is.
        account_id: whose that is.
        old_date: when the period ends that runs.
        new_date: when the first full one begins after it.
        waits_from: the part that begins then is charged with the period after it.
        free: these days are not charged.
        changes_terms: whether other days are free than were.
        ends: the period that runs ends on the new date, before the old one.
    """

    subscription_id: UUID
    account_id: UUID
    old_date: date
    new_date: date
    waits_from: date | None = None
    free: Period | None = None
    changes_terms: bool = False
    ends: bool = False


def let_begin(
    actor: Actor,
    items: Mapping[UUID, NewDays],
    own_days: Collection[UUID],
    *,
    own_days_until: date | None,
    now: datetime,
) -> None:
    """Let the periods of items begin on other days; what is charged already stays as it is.

    A period that runs may end earlier; its caller credits the rest.
    The caller has asked for the right and locked the trees, and sets the day on the accounts.

    Args:
        actor: who does it.
        items: by id, what differs about them.
        own_days: subscriptions whose own billing day ends, or holds again.
        own_days_until: for which periods it holds; None for all.
        now: the instant, for the audit trail.
    """
    if own_days:
        rows = Subscription.objects.filter(tenant_id=actor.tenant_id, pk__in=own_days)
        rows.filter(billing_day__isnull=False).update(billing_day_until=own_days_until)
    _end_early(actor, {key: one for key, one in items.items() if one.ends})
    _write_waiting(actor, items)
    _write_free(actor, {key: one for key, one in items.items() if one.changes_terms})
    _record(actor, items, now)


def _end_early(actor: Actor, items: Mapping[UUID, NewDays]) -> None:
    """Let the last stored periods of items end earlier; the next ones begin there."""
    if not items:
        return
    periods = """
        UPDATE subscriptions_period AS period SET ends = new.day
        FROM unnest(%s::uuid[], %s::date[], %s::date[]) AS new (id, old, day)
        WHERE period.tenant_id = %s AND period.item_id = new.id AND period.ends = new.old
    """
    chains = """
        UPDATE subscriptions_item AS item SET chain_end = new.day, next_action_date = new.day
        FROM unnest(%s::uuid[], %s::date[], %s::date[]) AS new (id, old, day)
        WHERE item.tenant_id = %s AND item.id = new.id AND item.chain_end = new.old
    """
    values: list[Any] = [
        [str(key) for key in items],
        [one.old_date for one in items.values()],
        [one.new_date for one in items.values()],
        actor.tenant_id,
    ]
    with connection.cursor() as cursor:
        cursor.execute(periods, values)
        cursor.execute(chains, values)


def _write_waiting(actor: Actor, items: Mapping[UUID, NewDays]) -> None:
    sql = """
        UPDATE subscriptions_item AS item SET waits_from = new.day
        FROM unnest(%s::uuid[], %s::date[]) AS new (id, day)
        WHERE item.tenant_id = %s AND item.id = new.id
        AND item.waits_from IS DISTINCT FROM new.day
    """
    with connection.cursor() as cursor:
        cursor.execute(
            sql,
            [
                [str(key) for key in items],
                [one.waits_from for one in items.values()],
                actor.tenant_id,
            ],
        )


def _write_free(actor: Actor, items: Mapping[UUID, NewDays]) -> None:
    if not items:
        return
    rows = Item.objects.filter(tenant_id=actor.tenant_id, pk__in=items)
    found = list(rows.select_related("price", "discount").order_by("pk"))
    timelines = timelines_of(actor, found, date.min)
    write_all_terms(
        actor,
        [
            (
                item,
                freed(
                    timelines[item.pk],
                    items[item.pk].old_date,
                    items[item.pk].free,
                    _charged,
                    _free,
                ),
            )
            for item in found
        ],
    )


def _charged(terms: ItemTerms) -> ItemTerms:
    # Free days bring in as much a month as charged ones: nothing else changes.
    return replace(terms, uncharged=with_free(terms.uncharged, is_free=False))


def _free(terms: ItemTerms) -> ItemTerms:
    return replace(terms, uncharged=with_free(terms.uncharged, is_free=True))


def _record(actor: Actor, items: Mapping[UUID, NewDays], now: datetime) -> None:
    """Say of each subscription when its periods begin; of one with several items, the first."""
    moved: dict[UUID, NewDays] = {}
    for one in items.values():
        if one.old_date != one.new_date:
            moved.setdefault(one.subscription_id, one)
    names = dict(
        Subscription.objects.filter(tenant_id=actor.tenant_id, pk__in=moved).values_list(
            "pk", "external_id"
        )
    )
    happenings: Sequence[Happening] = [
        _happening(one, names[key]) for key, one in sorted(moved.items())
    ]
    record_events(actor, happenings, now=now)


def _happening(one: NewDays, external_id: str | None) -> Happening:
    said = {"since": one.old_date.isoformat(), "renews": one.new_date.isoformat()}
    if external_id is not None:
        said["external_id"] = external_id
    return Happening(
        "subscription.aligned",
        one.subscription_id,
        one.account_id,
        before={"renews": said["since"]},
        after={"renews": said["renews"]},
        data=said,
    )
