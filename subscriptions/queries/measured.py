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


@dataclass(frozen=True, slots=True)
class Window:
    """Some days of a subscription, as one meter sees them."""

    subscription_id: UUID
    meter_id: UUID
    period: Period

    def __hash__(self) -> int:
        """Return it by the subscription alone, of which few are asked about more than once.

        To hash all of it takes ten times as long, and a run asks for each a dozen times.
        """
        return hash(self.subscription_id.int)


@dataclass(frozen=True, slots=True)
class Measured:
    """What a meter measured: the quantity, and of how many events it is made.

    ``meter`` is the meter as an explanation names it.
    """

    quantity: Decimal
    events: int
    meter: dict[str, Any]


_METERS: Final = """
    SELECT id, external_id, name, unit, aggregation FROM subscriptions_meter
    WHERE tenant_id = %s AND id = ANY(%s::uuid[])
"""
# The days of a window are few rows side by side in an index.
_DAYS: Final = """
    SELECT asked.place, found.events, found.total, found.highest, found.last
    FROM unnest(%s::int[], %s::uuid[], %s::uuid[], %s::date[], %s::date[])
        AS asked (place, subscription_id, meter_id, starts, ends)
    CROSS JOIN LATERAL (
        SELECT sum(events) AS events, sum(total) AS total, max(highest) AS highest, {last} AS last
        FROM subscriptions_usageday AS used WHERE used.tenant_id = %s
        AND used.subscription_id = asked.subscription_id AND used.meter_id = asked.meter_id
        AND used.day >= asked.starts AND used.day < asked.ends
    ) AS found WHERE found.events IS NOT NULL
"""
# To sort the days takes longer than all the rest, so it is done where a meter asks for the last.
_SUMMED: Final = _DAYS.format(last="NULL::numeric")
_SUMMED_WITH_LAST: Final = _DAYS.format(
    last='(array_agg(last_quantity ORDER BY last_at DESC, last_event COLLATE "C" DESC))[1]'
)
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
_COLUMN: Final = {Aggregation.SUM: 2, Aggregation.MAX: 3, Aggregation.LAST: 4}


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
        asks_for_last = any(meter[4] == Aggregation.LAST for meter in meters.values())
        summed = _SUMMED_WITH_LAST if asks_for_last else _SUMMED
        cursor.execute(summed, [*_columns(range(len(asked)), asked), actor.tenant_id])
        found = {row[0]: row for row in cursor.fetchall()}
        counting = [
            place
            for place, window in enumerate(asked)
            if place in found and meters[window.meter_id][4] == Aggregation.UNIQUE_COUNT
        ]
        counts: dict[int, int] = {}
        if counting:
            chosen = _columns(counting, [asked[place] for place in counting])
            cursor.execute(_KEYS, [*chosen, actor.tenant_id])
            counts = dict(cursor.fetchall())
    facts = {key: _facts(*row) for key, row in meters.items()}
    return {
        window: _measured(facts[window.meter_id], found.get(place), counts.get(place, 0))
        for place, window in enumerate(asked)
    }


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


def _measured(facts: dict[str, Any], row: tuple[Any, ...] | None, keys: int) -> Measured:
    if row is None:
        return Measured(Decimal(0), 0, facts)
    aggregation = Aggregation(facts["aggregation"])
    quantity = (
        Decimal(keys) if aggregation == Aggregation.UNIQUE_COUNT else row[_COLUMN[aggregation]]
    )
    return Measured(quantity, int(row[1]), facts)
