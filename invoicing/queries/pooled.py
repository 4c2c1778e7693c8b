"""What pools come to: who is in them, what each has used, and what that costs."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from uuid import UUID

from accounts import access, tree
from accounts.access import Action
from accounts.models import Account
from billing_rules.money import to_minor
from billing_rules.periods import Period, anchor_of
from billing_rules.pricing import InvalidQuantity
from billing_rules.proration import prorate
from invoicing.engine.calculations import Calculations
from invoicing.engine.families import Families
from invoicing.engine.pooling import Pooling
from invoicing.engine.pools import PoolPeriod, period_on, takes
from invoicing.engine.reading_families import read_families
from invoicing.engine.reading_pools import read_pools
from subscriptions.models import Price, UsagePool
from tenancy.actor import Actor
from tenancy.errors import NotFound
from tenancy.models import Tenant

MOST_ACCOUNTS = 5_000
"""Of larger trees nothing is reckoned while somebody waits for a page."""


@dataclass(frozen=True, slots=True)
class PoolMember:
    """What one has used in some days, and what that costs alone and with the others."""

    account: Account
    subscription_id: UUID
    subscription_external_id: str | None
    quantity: Decimal
    alone_minor: int
    share_minor: int


@dataclass(frozen=True, slots=True)
class PoolEffect:
    """What a pool comes to by what was used in some days.

    Attributes:
        pool: the pool, stored or not.
        period: the days that are looked at.
        quantity: what all have used together.
        net_minor: what that costs together.
        members: who is in it, in the order of their shares.
        left_out: how many items below are charged by its meter, but in another currency or at
            another interval.
        is_known: whether it could be reckoned.
    """

    pool: UsagePool
    period: Period
    quantity: Decimal = Decimal(0)
    net_minor: int = 0
    members: Sequence[PoolMember] = ()
    left_out: int = 0
    is_known: bool = True

    @property
    def price(self) -> Price:
        """The version by which these days are charged."""
        return self.pool.price_on(self.period.start)

    @property
    def alone_minor(self) -> int:
        """What it would cost if each were charged alone."""
        return sum(one.alone_minor for one in self.members)

    @classmethod
    def unknown(cls, pool: UsagePool, today: date) -> "PoolEffect":
        """Return that more was measured than can be priced."""
        return cls(pool, Period(today, today + timedelta(days=1)), is_known=False)


def effect_of(families: Families, pool: UsagePool, *, today: date) -> PoolEffect:
    """Return what a pool comes to in its running period; before it begins, in the days up to now.

    Three statements and those that read what is charged together. The caller has asked.

    Args:
        families: of the whole tree.
        pool: with its price; stored or not.
        today: the tenant's day.

    Raises:
        InvalidQuantity: more was measured than can be priced.
        OutsideCalendar: there are no such days.
    """
    if families.pools is None or pool.pk not in {one.pk for one in families.pools.rows}:
        families.pools = read_pools(families.actor, families.members, also=[pool])
    one = period_on(pool, today)
    if one is None:
        before = anchor_of(today, pool.price.cycle).boundary(-1)
        days, seen = Period(before, today), pool
        if pool.ends is not None and pool.ends <= today:
            one = period_on(pool, pool.ends - timedelta(days=1))
        else:
            seen = UsagePool(
                id=pool.pk, tenant_id=pool.tenant_id, account_id=pool.account_id,
                price=pool.price_on(pool.starts), starts=before, ends=today,
            )  # fmt: skip
            rows = [seen if one.pk == pool.pk else one for one in families.pools.rows]
            families.pools = type(families.pools)(rows, families.pools.members)
        one = one or PoolPeriod(seen, days, days, seen.price)
    pooling = Pooling(families)
    calculations = Calculations(families, pooling)
    found: list[PoolMember] = []
    quantity, net_minor = Decimal(0), 0
    for item, part in pooling.members(one):
        shares = pooling.shares(one, item)
        quantity, net_minor = shares.quantity, shares.net_minor
        own, share_minor = shares.of[item.id, part.start]
        price = part.terms.price
        alone = to_minor(calculations.amount(price, own, part.terms.discount), price.currency)
        least = prorate(Fraction(price.minimum_amount or 0), part.period, one.full, price.currency)
        found.append(
            PoolMember(
                families.accounts[item.account_id],
                item.subscription.id,
                item.subscription.external_id,
                own,
                max(alone, least),
                share_minor,
            )
        )
    left_out = _left_out(families, one.pool, today)
    return PoolEffect(pool, one.period, quantity, net_minor, found, left_out)


def _left_out(families: Families, pool: UsagePool, today: date) -> int:
    """Return how many items below have the meter of a pool and can't be in it."""
    if families.pools is None:
        return 0
    return sum(
        1
        for item in families.pools.members.values()
        for price in [item.price_on(today)]
        if price.meter_id == pool.price.meter_id
        and not takes(pool.price, price)
        and pool.account_id in _way_up(families, item.account_id)
    )


def _way_up(families: Families, account_id: UUID) -> list[UUID]:
    way: list[UUID] = []
    up: UUID | None = account_id
    while up is not None:
        way.append(up)
        up = families.parents.get(up)
    return way


def pool_outlook(
    actor: Actor, pool: UsagePool, *, tenant: Tenant, today: date
) -> PoolEffect | None:
    """Return what a pool in reach comes to by now; None for a tree that is too large.

    Raises:
        NotFound: it is out of the actor's sight.
    """
    access_to = access.reach(actor, Action.VIEW_SUBSCRIPTION).filter(pk=pool.account_id)
    if not access_to.exists():
        raise NotFound
    root = tree.path_ids(actor.tenant_id, pool.account_id)[0]
    found = tree.families(actor.tenant_id, [root])
    if len(found[root]) > MOST_ACCOUNTS:
        return None
    families = read_families(actor, found, None, tenant=tenant)
    try:
        return effect_of(families, pool, today=today)
    except InvalidQuantity:
        return PoolEffect.unknown(pool, today)
