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
    """Some days of a pool in which what is used is charged together.

    They are ``full``, a whole period of the pool, or of it the days on which one ``price`` holds.
    """

    pool: UsagePool
    period: Period
    full: Period
    price: Price

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
        owners: by subscription, up to which day another account had it, and which; in order.
    """

    rows: Sequence[UsagePool] = ()
    members: Mapping[UUID, ItemRow] = field(default_factory=dict)
    begins: dict[tuple[UUID, date], Mapping[UUID, Sequence[date]]] = field(default_factory=dict)
    owners: Mapping[UUID, Sequence[tuple[date, UUID]]] = field(default_factory=dict)

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

    def handed_over(self, account_id: UUID, day: date) -> "Pools":
        """Return the pools as they are where what an account has is another's from a day on."""
        given = {one.subscription.id for one in self.members.values()
                 if one.account_id == account_id}  # fmt: skip
        owners = {key: (*self.owners.get(key, ()), (day, account_id)) for key in given}
        return replace(self, owners={**self.owners, **owners})

    def owner_on(self, item: ItemRow, day: date) -> UUID:
        """Return the account that has an item on a day."""
        earlier = self.owners.get(item.subscription.id, ())
        return next((key for until, key in earlier if day < until), item.account_id)

    def owner_changes(self, item: ItemRow, start: date, end: date) -> list[date]:
        """Return the days after the first on which an item comes to another account."""
        earlier = self.owners.get(item.subscription.id, ())
        return [until for until, _key in earlier if start < until < end]

    def of(self, price: Price) -> list[UsagePool]:
        """Return the pools in which something can be that is had at a price."""
        return [
            pool for pool in self.rows if price.meter_id is not None and takes(pool.price, price)
        ]

    def ends_after(self, day: date) -> list[date]:
        """Return for each pool the first day after a day on which a period of it is over."""
        found = (period_on(pool, max(day, pool.starts)) for pool in self.rows)
        return [one.period.end for one in found if one is not None]


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


def period_on(pool: UsagePool, day: date) -> PoolPeriod | None:
    """Return the days charged together of which one is given, None where no pool holds then.

    A period in which another version of the price begins is charged in two parts.

    Source: docs/billing-rules.md, Pools.
    """
    if day < pool.starts or (pool.ends is not None and day >= pool.ends):
        return None
    grid = grid_of(pool)
    full = next_period(grid, grid.boundary(grid.index_on(day)), end=pool.ends)
    changes = [one.until for one in pool.earlier if full.start < one.until < full.end]
    start = max((one for one in changes if one <= day), default=full.start)
    end = min((one for one in changes if one > day), default=full.end)
    return PoolPeriod(pool, Period(start, end), full, pool.price_on(day))
