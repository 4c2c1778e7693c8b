"""The pools of some families, and what may be in them: plain rows."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from uuid import UUID

from billing_rules.periods import Anchor, Period, anchor_of, next_period
from invoicing.engine.rows import ItemRow
from subscriptions.models import Price, UsagePool


@dataclass(frozen=True, slots=True)
class PoolPeriod:
    """Some days of a pool in which what is used is charged together."""

    pool: UsagePool
    period: Period

    @property
    def key(self) -> tuple[UUID, date]:
        """What tells it from others."""
        return self.pool.pk, self.period.start


@dataclass(frozen=True)
class Pools:
    """The pools of some families.

    Attributes:
        rows: the pools, each with its price.
        members: the items that are or were charged by meters of theirs, by id, in that order.
        begins: the first days of stored periods of these, as far as somebody has asked.
    """

    rows: Sequence[UsagePool] = ()
    members: Mapping[UUID, ItemRow] = field(default_factory=dict)
    begins: dict[tuple[UUID, date], Mapping[UUID, Sequence[date]]] = field(default_factory=dict)

    def __bool__(self) -> bool:
        """Return whether there is any."""
        return bool(self.rows)

    def having(self, items: Iterable[ItemRow]) -> "Pools":
        """Return the pools as they are where items are other than stored, or there are more."""
        if not self.rows:
            return self
        others = {item.id: item for item in items if item.is_metered}
        members = {**self.members, **others}
        return replace(self, members={key: members[key] for key in sorted(members)})

    def of(self, price: Price) -> list[UsagePool]:
        """Return the pools in which something can be that is had at a price."""
        return [
            pool for pool in self.rows if price.meter_id is not None and takes(pool.price, price)
        ]

    def ends_after(self, day: date) -> list[date]:
        """Return for each pool the first day after a day on which a period of it is over."""
        found = (period_on(pool, max(day, pool.starts)) for pool in self.rows)
        return [one.end for one in found if one is not None]


def takes(scheme: Price, price: Price) -> bool:
    """Return whether what is had at a price can be charged with others by the price of a pool."""
    return (scheme.meter_id, scheme.currency, scheme.cycle) == (
        price.meter_id,
        price.currency,
        price.cycle,
    )


def grid_of(pool: UsagePool) -> Anchor:
    """Return on which days the periods of a pool begin."""
    return anchor_of(pool.starts, pool.price.cycle)


def period_on(pool: UsagePool, day: date) -> Period | None:
    """Return the period of a pool that contains a day, None where it does not hold then."""
    if day < pool.starts or (pool.ends is not None and day >= pool.ends):
        return None
    grid = grid_of(pool)
    start = grid.boundary(grid.index_on(day))
    return next_period(grid, start, end=pool.ends)
