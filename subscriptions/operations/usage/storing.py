"""Storing usage by the thousand: each event once, and what the days come to with it."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any, Final, NamedTuple
from uuid import UUID

from django.db import connection
from django.utils.translation import gettext as _

from accounts.declarations.settings import SETTINGS
from accounts.models import SettingName
from accounts.queries.account_values import account_values
from billing_rules.metering import is_closed
from subscriptions.operations.usage.holding import Held, Holding, Metered
from tenancy.actor import Actor
from tenancy.database.inserting import array_of
from tenancy.events import Happening, record_event
from tenancy.formats import date_text
from tenancy.ids import uuid7

_DAY: Final = timedelta(days=1)


class Entry(NamedTuple):
    """An event that is understood.

    ``place`` names where it stands in what was sent; ``day`` is the day where the account is.
    """

    place: int
    event_id: str
    subscription: Metered
    meter_id: UUID
    at: datetime
    day: date
    quantity: Decimal
    unique_key: str


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with one event: where it stands, and which part of it."""

    place: int
    member: str
    code: str
    detail: str


@dataclass(slots=True)
class Stored:
    """What became of some events: how many are new, and which were there already.

    ``reused`` are the places of those whose id names another event; ``faults`` says why nothing
    may be stored, and whoever stores takes all back then.
    """

    accepted: int = 0
    duplicates: int = 0
    reused: list[int] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)


def store_usage(
    actor: Actor, entries: Sequence[Entry], *, holding: Holding, today: date, now: datetime
) -> Stored:
    """Store events, each id once, with what the days come to, and note what comes late.

    The caller has asked, and takes all back where there are faults. An event that is there
    already is asked nothing: it counts as it was stored. One statement beside those of
    ``holding``, two to four more where events are there already or periods have been charged.

    Args:
        actor: whose tenant.
        entries: the events; those with the same id count once.
        holding: of this transaction; what it holds is not asked again.
        today: the tenant's day.
        now: when they came in.

    Source: docs/billing-rules.md, Usage.
    """
    first: dict[str, Entry] = {}
    stored = Stored()
    for entry in entries:
        known = first.setdefault(entry.event_id, entry)
        if known is not entry:
            stored.duplicates += 1
            if known[_CONTENT] != entry[_CONTENT]:
                stored.reused.append(entry.place)
    # In the order of their ids: two who send the same wait for each other in one order.
    new = [first[key] for key in sorted(first)]
    held = holding.of({entry.subscription for entry in new})
    taken = _insert(actor, new, now)
    stored.accepted = len(taken)
    if len(taken) < len(new):
        old = [entry for entry in new if entry.event_id not in taken]
        stored.duplicates += len(old)
        stored.reused += _differing(actor, old)
        new = [entry for entry in new if entry.event_id in taken]
    stored.faults = _faults(new, held, today)
    if not stored.faults:
        stored.faults = _note_late(actor, new, held, today)
    stored.reused.sort()
    return stored


_CONTENT: Final = slice(2, None)
"""What an event says, but for its place and its id: the day follows from its instant."""


# One statement, so that a day never says something else than its events. Rows of days are written
# in one order, whoever writes. A day and a key have the id of an event of theirs, which is in the
# order of time: random ones lie all over three indexes, which took a quarter of the statement.
_INSERT: Final = """
    WITH new AS (
        INSERT INTO subscriptions_usageevent (id, tenant_id, event_id, subscription_id, meter_id,
            at, day, quantity, unique_key, created_at)
        SELECT sent.id, %(tenant)s::uuid, sent.event_id, sent.subscription_id, sent.meter_id,
            sent.at, sent.day, sent.quantity, sent.unique_key, %(now)s::timestamptz
        FROM unnest(%(ids)s::uuid[], %(event_ids)s::text[], %(subscriptions)s::uuid[],
            %(meters)s::uuid[], %(ats)s::timestamptz[], %(days)s::date[],
            %(quantities)s::numeric[], %(keys)s::text[]) AS sent (id, event_id, subscription_id,
            meter_id, at, day, quantity, unique_key)
        ON CONFLICT (tenant_id, event_id) DO NOTHING
        RETURNING id, event_id, subscription_id, meter_id, at, day, quantity, unique_key
    ), days AS (
        INSERT INTO subscriptions_usageday AS known (id, tenant_id, subscription_id, meter_id, day,
            events, total, highest, last_at, last_event, last_quantity)
        SELECT (array_agg(id ORDER BY at DESC, event_id COLLATE "C" DESC))[1], %(tenant)s::uuid,
            subscription_id, meter_id, day, count(*), sum(quantity), max(quantity), max(at),
            (array_agg(event_id ORDER BY at DESC, event_id COLLATE "C" DESC))[1],
            (array_agg(quantity ORDER BY at DESC, event_id COLLATE "C" DESC))[1]
        FROM new GROUP BY subscription_id, meter_id, day ORDER BY subscription_id, meter_id, day
        ON CONFLICT (tenant_id, subscription_id, meter_id, day) DO UPDATE SET
            events = known.events + EXCLUDED.events,
            total = known.total + EXCLUDED.total,
            highest = GREATEST(known.highest, EXCLUDED.highest),
            last_at = GREATEST(known.last_at, EXCLUDED.last_at),
            (last_event, last_quantity) = (SELECT
                CASE WHEN is_later THEN EXCLUDED.last_event ELSE known.last_event END,
                CASE WHEN is_later THEN EXCLUDED.last_quantity ELSE known.last_quantity END
                FROM (SELECT (EXCLUDED.last_at, EXCLUDED.last_event COLLATE "C")
                    > (known.last_at, known.last_event COLLATE "C")) AS compared (is_later))
    ), met AS (
        INSERT INTO subscriptions_usagekey (id, tenant_id, subscription_id, meter_id, day,
            unique_key)
        SELECT (array_agg(id))[1], %(tenant)s::uuid, subscription_id, meter_id, day, unique_key
        FROM new WHERE unique_key > ''
        GROUP BY subscription_id, meter_id, day, unique_key
        ORDER BY subscription_id, meter_id, day, unique_key COLLATE "C"
        ON CONFLICT (tenant_id, subscription_id, meter_id, day, unique_key) DO NOTHING
    )
    SELECT event_id FROM new
"""


def _insert(actor: Actor, entries: Sequence[Entry], now: datetime) -> set[str]:
    """Store those events that are not there yet; return their ids. One statement."""
    if not entries:
        return set()
    columns = {"ids": [uuid7() for _entry in entries], **_columns(entries)}
    with connection.cursor() as cursor:
        cursor.execute(
            _INSERT,
            {
                "tenant": str(actor.tenant_id),
                "now": now,
                **{name: array_of(values) for name, values in columns.items()},
            },
        )
        return {event_id for (event_id,) in cursor.fetchall()}


def _columns(entries: Sequence[Entry]) -> dict[str, Sequence[Any]]:
    places, event_ids, subscriptions, meters, ats, days, quantities, keys = zip(
        *entries, strict=True
    )
    return {
        "places": places,
        "event_ids": event_ids,
        "subscriptions": [one.id for one in subscriptions],
        "meters": meters,
        "ats": ats,
        "days": days,
        "quantities": quantities,
        "keys": keys,
    }


_DIFFERING: Final = """
    SELECT sent.place FROM unnest(%(places)s::int[], %(event_ids)s::text[],
        %(subscriptions)s::uuid[], %(meters)s::uuid[], %(ats)s::timestamptz[],
        %(quantities)s::numeric[], %(keys)s::text[]) AS sent (place, event_id, subscription_id,
        meter_id, at, quantity, unique_key)
    JOIN subscriptions_usageevent AS known
        ON known.tenant_id = %(tenant)s::uuid AND known.event_id = sent.event_id
    WHERE (known.subscription_id, known.meter_id, known.at, known.quantity, known.unique_key)
        <> (sent.subscription_id, sent.meter_id, sent.at, sent.quantity, sent.unique_key)
"""


def _differing(actor: Actor, entries: Sequence[Entry]) -> list[int]:
    """Return the places of events whose id names another event. One statement."""
    arrays = {name: array_of(values) for name, values in _columns(entries).items()}
    with connection.cursor() as cursor:
        cursor.execute(_DIFFERING, {"tenant": str(actor.tenant_id), **arrays})
        return [place for (place,) in cursor.fetchall()]


def _faults(entries: Sequence[Entry], held: Mapping[Metered, Held], today: date) -> list[Fault]:
    """Return what is wrong with events that are new."""
    # Most are of few subscriptions, meters and days, and nothing is wrong with any.
    used = {(entry.subscription, entry.meter_id, entry.day) for entry in entries}
    latest = today + _DAY
    wrong = {
        (one, meter_id, day)
        for one, meter_id, day in used
        if meter_id not in held[one].meters
        or not one.start_date <= day <= latest
        or (one.end_date is not None and day >= one.end_date)
    }
    if not wrong:
        return []
    said = {key: list(_wrong(*key, held[key[0]].meters, today)) for key in wrong}
    return [
        Fault(entry.place, member, code, detail)
        for entry in entries
        for member, code, detail in said.get((entry.subscription, entry.meter_id, entry.day), ())
    ]


def _wrong(
    subscription: Metered, meter_id: UUID, day: date, meters: Collection[UUID], today: date
) -> Iterable[tuple[str, str, str]]:
    """Yield what is wrong with using something on a day: member, code and sentence."""
    if meter_id not in meters:
        detail = _("This subscription has no price that is charged by this meter.")
        yield "meter", "meter_not_in_subscription", detail
    if day < subscription.start_date:
        detail = _("The subscription begins on %(day)s only.")
        yield "at", "before_subscription", detail % {"day": date_text(subscription.start_date)}
    if subscription.end_date is not None and day >= subscription.end_date:
        detail = _("The subscription ended on %(day)s.")
        yield "at", "after_subscription", detail % {"day": date_text(subscription.end_date)}
    # Elsewhere it may be tomorrow already.
    if day > today + _DAY:
        detail = _("What is used in days to come cannot be reported yet.")
        yield "at", "usage_in_future", detail


# Periods that have been charged: those before the last one of a chain, and all of one that is over.
_CHARGED: Final = """
    SELECT used.subscription_id, used.meter_id, used.day, item.account_id, item.id, period.id,
        period.ends
    FROM unnest(%s::uuid[], %s::uuid[], %s::date[]) AS used (subscription_id, meter_id, day)
    JOIN subscriptions_item AS item
        ON item.tenant_id = %s AND item.subscription_id = used.subscription_id
    JOIN subscriptions_period AS period ON period.tenant_id = item.tenant_id
        AND period.item_id = item.id AND period.starts <= used.day AND period.ends > used.day
    WHERE item.next_action_date IS NULL OR period.ends < item.chain_end
"""
_LATE: Final = """
    INSERT INTO subscriptions_lateusage (id, tenant_id, item_id, period_id)
    SELECT gen_random_uuid(), %s, late.item_id, late.period_id
    FROM unnest(%s::uuid[], %s::uuid[]) AS late (item_id, period_id)
    ORDER BY late.item_id, late.period_id ON CONFLICT DO NOTHING
"""


# What others of a pool were charged for the days of its period changes with it.
_LATE_WITH: Final = """
    INSERT INTO subscriptions_lateusage (id, tenant_id, item_id, period_id)
    SELECT gen_random_uuid(), found.tenant_id, found.item_id, found.period_id FROM (
        SELECT DISTINCT mate.tenant_id, mate.item_id, mate.period_id
        FROM unnest(%s::uuid[], %s::uuid[]) AS late (item_id, period_id)
        JOIN subscriptions_poolshare AS own ON own.tenant_id = %s
            AND own.item_id = late.item_id AND own.period_id = late.period_id
        JOIN subscriptions_poolshare AS mate ON mate.tenant_id = own.tenant_id
            AND mate.pool_id = own.pool_id AND mate.starts = own.starts
        ORDER BY mate.item_id, mate.period_id
    ) AS found ON CONFLICT DO NOTHING
"""


def _note_late(
    actor: Actor, entries: Sequence[Entry], held: Mapping[Metered, Held], today: date
) -> list[Fault]:
    """Note which charged periods new events fall in, or return those that are closed by now."""
    used = {
        (entry.subscription, entry.meter_id, entry.day)
        for entry in entries
        if entry.day < (held[entry.subscription].charged_until or date.min)
    }
    if not used:
        return []
    columns = zip(*((one.id, meter, day) for one, meter, day in used), strict=True)
    with connection.cursor() as cursor:
        cursor.execute(_CHARGED, [*(array_of(list(one)) for one in columns), actor.tenant_id])
        rows = cursor.fetchall()
    if not rows:
        return []
    closed = _closed(actor, rows, today)
    if faults := [
        Fault(
            entry.place,
            "at",
            "usage_period_closed",
            _(
                "The period in which it was used has been charged, and was closed on %(day)s."
                " Report it with a later time, or correct the invoice."
            )
            % {"day": date_text(since)},
        )
        for entry in entries
        if (since := closed.get((entry.subscription.id, entry.meter_id, entry.day))) is not None
    ]:
        return faults
    late = sorted({(str(row[4]), str(row[5])) for row in rows})
    with connection.cursor() as cursor:
        columns = zip(*late, strict=True)
        arrays = [array_of(list(one)) for one in columns]
        cursor.execute(_LATE, [actor.tenant_id, *arrays])
        cursor.execute(_LATE_WITH, [*arrays, actor.tenant_id])
    return []


def _closed(
    actor: Actor, rows: Sequence[tuple[Any, ...]], today: date
) -> Mapping[tuple[UUID, UUID, date], date]:
    """Return what was used in periods that take no usage any more, with the day since when."""
    name = SettingName.USAGE_GRACE_DAYS
    graces = account_values(actor, {row[3] for row in rows}, [name])[name]
    found: dict[tuple[UUID, UUID, date], date] = {}
    for subscription_id, meter_id, day, account_id, _item, _period, ends in rows:
        own = graces.on(account_id, today)
        grace = int(SETTINGS[name].default if own is None else own)
        if is_closed(ends, grace, today):
            found[subscription_id, meter_id, day] = ends + timedelta(days=grace)
    return found


def note_reported(actor: Actor, accepted: int, duplicates: int, now: datetime) -> None:
    """Write down who reported how much; what was there already changes nothing."""
    if accepted:
        said = {"events": accepted, "duplicates": duplicates}
        happening = Happening("usage.reported", actor.tenant_id, after=said, data=said)
        record_event(actor, happening, now=now)
