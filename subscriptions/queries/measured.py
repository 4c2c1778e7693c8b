"""What meters measured of subscriptions over some days, for many at once."""

from collections.abc import Collection
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

from django.db import connection

from accounts import access
from accounts.access import Action
from billing_rules.metering import Aggregation
from billing_rules.periods import Period
from subscriptions.models import Subscription
from tenancy.actor import Actor
from tenancy.database.inserting import array_of
from tenancy.ids import public_id


# Not frozen: a run makes two for each item, and making a frozen one takes three times as long.
@dataclass(slots=True)
class Window:
    """Some days of a subscription, as one meter sees them; nobody changes it."""

    subscription_id: UUID
    meter_id: UUID
    period: Period

    def __hash__(self) -> int:
        """Return it by the subscription alone, of which few are asked about more than once.

        To hash all of it takes ten times as long, and a run asks for each a dozen times.
        """
        return hash(self.subscription_id.int)


@dataclass(slots=True)
class Measured:
    """What a meter measured: the quantity, and of how many events it is made; nobody changes it.

    ``meter`` is the meter as an explanation names it.
    """

    quantity: Decimal
    events: int
    meter: dict[str, Any]


_METERS: Final = """
    SELECT id, external_id, name, unit, aggregation FROM subscriptions_meter
    WHERE tenant_id = %s AND id = ANY(%s::uuid[])
"""
# The days of a window are few rows side by side in an index. Of each only that is read and summed
# up which a meter asks for; to sort them for the last one takes longer than all the rest.
_DAYS: Final = """
    SELECT asked.place, found.events, found.total, found.highest, found.last
    FROM unnest(%s::int[], %s::uuid[], %s::uuid[], %s::date[], %s::date[])
        AS asked (place, subscription_id, meter_id, starts, ends)
    CROSS JOIN LATERAL (
        SELECT sum(events) AS events, {total} AS total, {highest} AS highest, {last} AS last
        FROM subscriptions_usageday AS used WHERE used.tenant_id = %s
        AND used.subscription_id = asked.subscription_id AND used.meter_id = asked.meter_id
        AND used.day >= asked.starts AND used.day < asked.ends
    ) AS found WHERE found.events IS NOT NULL
"""
_AGGREGATES: Final = {
    Aggregation.SUM: ("total", "sum(total)"),
    Aggregation.MAX: ("highest", "max(highest)"),
    Aggregation.LAST: (
        "last",
        '(array_agg(last_quantity ORDER BY last_at DESC, last_event COLLATE "C" DESC))[1]',
    ),
}
_KEYS: Final = """
    SELECT asked.place, found.keys
    FROM unnest(%s::int[], %s::uuid[], %s::uuid[], %s::date[], %s::date[])
        AS asked (place, subscription_id, meter_id, starts, ends)
    CROSS JOIN LATERAL (
        SELECT count(DISTINCT unique_key) AS keys FROM subscriptions_usagekey AS met
        WHERE met.tenant_id = %s AND met.subscription_id = asked.subscription_id
        AND met.meter_id = asked.meter_id AND met.day >= asked.starts AND met.day < asked.ends
    ) AS found
"""
_COLUMN: Final[dict[str, int]] = {Aggregation.SUM: 2, Aggregation.MAX: 3, Aggregation.LAST: 4}


def measured_of(
    actor: Actor, subscription: Subscription, meter_ids: Collection[UUID], period: Period
) -> dict[UUID, Measured]:
    """Return what meters measured of a subscription over some days, by meter.

    As many statements as ``measured_in``, and one for who does not see everything.

    Raises:
        NotFound: the subscription is out of the actor's sight.
    """
    if not access.allows_everywhere(actor, Action.VIEW_SUBSCRIPTION):
        access.require(actor, Action.VIEW_SUBSCRIPTION, subscription.account)
    found = measured_in(actor, {Window(subscription.pk, key, period) for key in meter_ids})
    return {window.meter_id: one for window, one in found.items()}


def measured_in(actor: Actor, windows: Collection[Window]) -> dict[Window, Measured]:
    """Return what was measured in each of some windows, 0 where nothing was.

    Two statements, one more where different keys are counted. Whoever asks has asked the right.

    Source: docs/billing-rules.md, Usage.
    """
    asked = list(windows)
    if not asked:
        return {}
    with connection.cursor() as cursor:
        ids = array_of(sorted({window.meter_id for window in asked}))
        cursor.execute(_METERS, [actor.tenant_id, ids])
        meters = {row[0]: row for row in cursor.fetchall()}
        days = _days_of({meter[4] for meter in meters.values()})
        cursor.execute(days, [*_columns(range(len(asked)), asked), actor.tenant_id])
        found = {row[0]: row for row in cursor.fetchall()}
        counted = {key for key, row in meters.items() if row[4] == Aggregation.UNIQUE_COUNT}
        counting = [place for place in found if asked[place].meter_id in counted] if counted else []
        counts: dict[int, int] = {}
        if counting:
            chosen = _columns(counting, [asked[place] for place in counting])
            cursor.execute(_KEYS, [*chosen, actor.tenant_id])
            counts = dict(cursor.fetchall())
    facts = {key: _facts(*row) for key, row in meters.items()}
    columns = {key: _COLUMN.get(row[4]) for key, row in meters.items()}
    measured = {}
    for place, window in enumerate(asked):
        key, row = window.meter_id, found.get(place)
        if row is None:
            measured[window] = Measured(Decimal(0), 0, facts[key])
            continue
        column = columns[key]
        quantity = Decimal(counts.get(place, 0)) if column is None else row[column]
        measured[window] = Measured(quantity, int(row[1]), facts[key])
    return measured


def _days_of(aggregations: Collection[str]) -> str:
    """Return the statement that sums up days as some meters ask for."""
    chosen = {
        name: said if aggregation in aggregations else "NULL::numeric"
        for aggregation, (name, said) in _AGGREGATES.items()
    }
    return _DAYS.format(**chosen)


def _columns(places: Collection[int], windows: Collection[Window]) -> list[str]:
    return [
        array_of(list(places)),
        array_of([window.subscription_id for window in windows]),
        array_of([window.meter_id for window in windows]),
        array_of([window.period.start for window in windows]),
        array_of([window.period.end for window in windows]),
    ]


def _facts(key: UUID, external_id: str, name: str, unit: str, aggregation: str) -> dict[str, Any]:
    return {
        "id": public_id("mtr", key),
        "external_id": external_id,
        "name": name,
        "unit": unit,
        "aggregation": aggregation,
    }
