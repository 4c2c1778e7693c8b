"""Holding what is metered while usage comes in: what was asked of it holds until all is stored."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Final
from uuid import UUID

from django.db import connection

from tenancy.actor import Actor
from tenancy.database.inserting import array_of


@dataclass(frozen=True, slots=True, eq=False)
class Metered:
    """What usage asks of a subscription; within one report there is one for each."""

    id: UUID
    account_id: UUID
    start_date: date
    end_date: date | None


@dataclass(slots=True)
class Held:
    """What is known of a subscription whose items are held.

    Attributes:
        meters: those that its prices name or named.
        charged_until: the first day of which nothing has been charged, None where nothing has
            been of any. What is used on earlier days may come late.
    """

    meters: set[UUID] = field(default_factory=set)
    charged_until: date | None = None


class Holding:
    """Holds items until the transaction ends, and says what they are charged by.

    Whoever charges these items waits until the usage is there, or is through before it comes in.
    So what is held needs to be asked once, however often more is stored.
    """

    def __init__(self, actor: Actor) -> None:
        """Hold nothing yet."""
        self._actor = actor
        self._held: dict[Metered, Held] = {}

    def of(self, subscriptions: Iterable[Metered]) -> Mapping[Metered, Held]:
        """Return what is known of subscriptions, among others; they are held from now on.

        No statement where all are held, else one; one more where terms have changed, and one where
        periods have begun.
        """
        new = {one.id: one for one in subscriptions if one not in self._held}
        if new:
            found = self._read(new)
            self._held |= {one: found[key] for key, one in new.items()}
        return self._held

    def _read(self, ids: Iterable[UUID]) -> Mapping[UUID, Held]:
        found: dict[UUID, Held] = defaultdict(Held)
        changed, begun = [], []
        for key, meter, item, has_changed, has_begun in self._rows(
            _HOLD, array_of(sorted(map(str, ids)))
        ):
            if meter is not None:
                found[key].meters.add(meter)
            if has_changed:
                changed.append(str(item))
            if has_begun:
                begun.append(str(item))
        if changed:
            for key, meter in self._rows(_EARLIER, array_of(changed)):
                found[key].meters.add(meter)
        if begun:
            for key, until in self._rows(_CHARGED_UNTIL, array_of(begun)):
                found[key].charged_until = until
        return found

    def _rows(self, statement: str, ids: str) -> Sequence[tuple[Any, ...]]:
        with connection.cursor() as cursor:
            cursor.execute(statement, {"tenant": self._actor.tenant_id, "ids": ids})
            rows: list[tuple[Any, ...]] = cursor.fetchall()
            return rows


_HOLD: Final = """
    SELECT item.subscription_id, price.meter_id, item.id, item.terms_since IS NOT NULL,
        item.chain_end IS NOT NULL
    FROM subscriptions_item AS item JOIN subscriptions_price AS price
        ON price.tenant_id = item.tenant_id AND price.id = item.price_id
    WHERE item.tenant_id = %(tenant)s AND item.subscription_id = ANY(%(ids)s::uuid[])
    ORDER BY item.id FOR SHARE OF item
"""
_EARLIER: Final = """
    SELECT item.subscription_id, price.meter_id FROM subscriptions_earlierterms AS earlier
    JOIN subscriptions_item AS item
        ON item.tenant_id = earlier.tenant_id AND item.id = earlier.item_id
    JOIN subscriptions_price AS price
        ON price.tenant_id = earlier.tenant_id AND price.id = earlier.price_id
    WHERE earlier.tenant_id = %(tenant)s AND earlier.item_id = ANY(%(ids)s::uuid[])
    AND price.meter_id IS NOT NULL
"""
# Asked once the items are held, because what is waited for may add a period. Charged are the
# periods before the last one of a chain, and all of one that is over.
_CHARGED_UNTIL: Final = """
    SELECT item.subscription_id, max(charged.ends)
    FROM unnest(%(ids)s::uuid[]) AS asked (id) JOIN subscriptions_item AS item
        ON item.tenant_id = %(tenant)s AND item.id = asked.id
    CROSS JOIN LATERAL (
        SELECT period.ends FROM subscriptions_period AS period
        WHERE period.tenant_id = item.tenant_id AND period.item_id = item.id
        AND (item.next_action_date IS NULL OR period.ends < item.chain_end)
        ORDER BY period.ends DESC LIMIT 1
    ) AS charged GROUP BY item.subscription_id
"""
