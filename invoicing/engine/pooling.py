"""What is used by several and charged together: which days, how much, and whose share."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise
from uuid import UUID

from billing_rules.metering import pooled
from billing_rules.money import exponent
from billing_rules.periods import OutsideCalendar, Period
from billing_rules.pricing import InvalidQuantity
from billing_rules.proration import prorate
from billing_rules.schedule import TooManyPeriods
from invoicing.engine.chains import Chains
from invoicing.engine.families import Families
from invoicing.engine.measuring import window_of
from invoicing.engine.pools import PoolPeriod, Pools, period_on
from invoicing.engine.reading_pools import begins_within, read_pools
from invoicing.engine.rows import ItemRow, Terms
from subscriptions.models import UsagePool
from subscriptions.models.limits import QUANTITY_DECIMALS, QUANTITY_DIGITS, fits
from subscriptions.queries.measured import Window


@dataclass(frozen=True, slots=True)
class Part:
    """Some days of an item that are charged alike; ``pooled`` is with whom, None for by itself."""

    start: date
    end: date
    terms: Terms
    pooled: PoolPeriod | None = None

    @property
    def period(self) -> Period:
        """The days."""
        return Period(self.start, self.end)


@dataclass(frozen=True, slots=True)
class Shares:
    """What a pool has used and costs in one of its periods, and the share of each.

    Attributes:
        quantity: what all have used together.
        net_minor: what that costs, before any discount of one of them.
        of: by item and first day, what each has used, and its share.
    """

    quantity: Decimal
    net_minor: int
    of: Mapping[tuple[UUID, date], tuple[Decimal, int]]


class Pooling:
    """Tells of items which days are charged with others, and what their share is."""

    def __init__(self, families: Families) -> None:
        """Take the families in which the pools are."""
        self._families = families
        self._chains = Chains(families)
        self._shares: dict[tuple[UUID, date], Shares] = {}
        self._above: dict[date, Mapping[UUID, UUID | None]] = {}

    @property
    def pools(self) -> Pools:
        """The pools; read when somebody asks for the first time."""
        if self._families.pools is None:
            self._families.pools = read_pools(self._families.actor, self._families.members)
        return self._families.pools

    def parts(self, item: ItemRow, start: date, end: date) -> Iterator[Part]:
        """Yield the stretches of some days that are charged alike, each with its pool.

        A day is in a pool if the pool holds then, the account stands at its node or below, and
        what is had then is charged by its meter, in its currency and at its interval.

        Source: docs/billing-rules.md, Pools.
        """
        for first, until, terms in item.terms_between(start, end):
            metered = terms.price.is_metered and not terms.uncharged
            candidates = self.pools.of(terms.price) if metered else []
            if not candidates:
                yield Part(first, until, terms)
                continue
            handed_over = self.pools.owner_changes(item, first, until)
            days = sorted({first, *self._cuts(candidates, first, until), *handed_over})
            begun, held = first, self._pooled(item, candidates, first)
            for day in days[1:]:
                now = self._pooled(item, candidates, day)
                if now != held:
                    yield Part(begun, day, terms, held)
                    begun, held = day, now
            yield Part(begun, until, terms, held)

    def _cuts(self, pools: Iterable[UsagePool], start: date, end: date) -> Iterator[date]:
        """Yield the days after the first on which something may be in another pool or period."""
        for pool in pools:
            if start < pool.starts < end:
                yield pool.starts
            one = period_on(pool, max(start, pool.starts))
            while one is not None and one.period.end < end:
                if one.period.end > start:
                    yield one.period.end
                one = period_on(pool, one.period.end)
        history = self._families.history
        if history.has_moved:
            yield from (day for day in history.changes if start < day < end)

    def _pooled(self, item: ItemRow, pools: Iterable[UsagePool], day: date) -> PoolPeriod | None:
        found, owner_id = [], self.pools.owner_on(item, day)
        for pool in pools:
            one = period_on(pool, day)
            if one is not None:
                distance = self._distance(owner_id, pool.account_id, day)
                if distance is not None:
                    found.append((distance, pool.pk, one))
        # Two never hold at once; should an account have moved below another pool, the nearest.
        return min(found, key=lambda one: one[:2])[2] if found else None

    def _distance(self, account_id: UUID, node_id: UUID, day: date) -> int | None:
        """Return how far above an account another stands on a day, None where it does not."""
        history = self._families.history
        if history.has_moved:
            if day not in self._above:
                self._above[day] = history.parents(day)
            above = self._above[day]
        else:
            above = self._families.parents
        up: UUID | None = account_id
        steps = 0
        while up is not None:
            if up == node_id:
                return steps
            up, steps = above.get(up), steps + 1
        return None

    def windows(self, one: PoolPeriod) -> Iterator[Window | None]:
        """Yield what a period of a pool asks of meters."""
        for item, part in self.members(one):
            yield window_of(item.subscription, part.terms.price, part.period)

    def shares(self, one: PoolPeriod, item: ItemRow) -> Shares:
        """Return what a period of a pool comes to, if one of its items is as it is given.

        Two statements where its usage was not read before, one more where keys are counted.

        Raises:
            InvalidQuantity: more was measured than can be priced.

        Source: docs/billing-rules.md, Pools.
        """
        stored = self.pools.members.get(item.id)
        is_stored = stored is not None and _same(stored, item)
        if is_stored and one.key in self._shares:
            return self._shares[one.key]
        found = self._reckoned(one, None if is_stored else item)
        if is_stored:
            self._shares[one.key] = found
        return found

    def _reckoned(self, one: PoolPeriod, other: ItemRow | None) -> Shares:
        members = list(self.members(one, other))
        windows = [
            window_of(item.subscription, part.terms.price, part.period) for item, part in members
        ]
        usage, actor = self._families.usage, self._families.actor
        usage.read(actor, windows)
        used = [usage.of(actor, window).quantity for window in windows if window is not None]
        together = sum(used, Decimal(0))
        if not fits(together, QUANTITY_DIGITS, QUANTITY_DECIMALS):
            raise InvalidQuantity("quantity_out_of_range")
        price = one.price
        least = prorate(Fraction(price.minimum_amount or 0), one.period, one.full, price.currency)
        net_minor, shares = pooled(price.terms, used, price.currency, least=least)
        of = {
            (item.id, part.start): (quantity, share)
            for (item, part), quantity, share in zip(members, used, shares, strict=True)
        }
        return Shares(together, net_minor, of)

    def members(
        self, one: PoolPeriod, other: ItemRow | None = None
    ) -> Iterator[tuple[ItemRow, Part]]:
        """Yield what is in a period of a pool, in the order of items and days.

        ``other`` stands in the place of the item of its id. Each is cut where its own periods are:
        so it is charged, so it is measured.
        """
        rows = self.pools.members
        if other is not None:
            rows = {**rows, other.id: other}
        begins = self._begins(one)
        for key in sorted(rows):
            item = rows[key]
            subscription = item.subscription
            start = max(one.period.start, subscription.first_charged_day)
            end = min(one.period.end, subscription.end_date or one.period.end)
            if start >= end or not item.is_metered:
                continue
            cuts = {*begins.get(key, ()), *self._to_begin(item, one.period.end)}
            days = [start, *sorted(day for day in cuts if start < day < end), end]
            for first, last in pairwise(days):
                for part in self.parts(item, first, last):
                    if part.pooled is not None and part.pooled.key == one.key:
                        yield item, part

    def _begins(self, one: PoolPeriod) -> Mapping[UUID, Sequence[date]]:
        """Return when stored periods of members begin in a period. One statement, asked once."""
        pools = self.pools
        if one.key not in pools.begins:
            pools.begins[one.key] = begins_within(
                self._families.actor, pools.members.values(), one.period
            )
        return pools.begins[one.key]

    def _to_begin(self, item: ItemRow, until: date) -> list[date]:
        """Return when the periods of an item begin that are not stored yet."""
        try:
            followed = self._chains.follow(item, until)
        except (TooManyPeriods, OutsideCalendar):
            return []
        return [stretch.period.start for stretch in followed.begun]


def major(minor: int, currency: str) -> Fraction:
    """Return minor units as an amount in major units."""
    return Fraction(minor, 10 ** exponent(currency))


def _same(one: ItemRow, other: ItemRow) -> bool:
    """Return whether two rows of an item are charged alike on all days."""
    return one is other or all(
        getattr(one, name) == getattr(other, name)
        for name in ("account_id", "subscription", "price", "later", "uncharged", "discount")
    )
