"""What pools come to: who is in them, what each has used, and what that costs."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
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
from invoicing.queries.joined import joined_with
from subscriptions.models import Price, UsagePool
from subscriptions.queries.pools import pools_shown
from tenancy.actor import Actor
from tenancy.errors import NotFound
from tenancy.models import Tenant

MOST_ACCOUNTS = 5_000
"""Of larger trees nothing is reckoned while somebody waits for a page."""


@dataclass(frozen=True, slots=True)
class PoolMember:
    """What one has used in some days, and what that costs alone and with the others.

    Where a period of its own ends within them it is there twice, each with its ``days``.
    """

    account: Account
    subscription_id: UUID
    subscription_external_id: str | None
    days: Period
    quantity: Decimal
    alone_minor: int
    share_minor: int


@dataclass(frozen=True, slots=True)
class PoolOthers:
    """What those used and pay together who are out of the reader's sight, and how many they are."""

    count: int
    quantity: Decimal
    share_minor: int


@dataclass(frozen=True, slots=True)
class PoolEffect:
    """What a pool comes to by what was used in some days.

    Attributes:
        pool: the pool, stored or not.
        period: the days that are looked at.
        quantity: what all have used together.
        net_minor: what that costs together.
        members: who is in it and may be named, in the order of items and days.
        alone_minor: what it would cost if each were charged alone.
        others: what those used and pay who are not named, None where all are.
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
    alone_minor: int = 0
    others: "PoolOthers | None" = None

    @property
    def price(self) -> Price:
        """The version by which these days are charged."""
        return self.pool.price_on(self.period.start)

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
            families.pools = replace(families.pools, rows=rows, begins={})
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
                part.period,
                own,
                max(alone, least),
                share_minor,
            )
        )
    left_out = _left_out(families, one.pool, today)
    alone_minor = sum(member.alone_minor for member in found)
    return PoolEffect(
        pool, one.period, quantity, net_minor, found, left_out, alone_minor=alone_minor
    )


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

    Members that have moved out of the actor's sight are not named.

    Raises:
        NotFound: it is out of the actor's sight.
    """
    access_to = access.reach(actor, Action.VIEW_SUBSCRIPTION).filter(pk=pool.account_id)
    if not access_to.exists():
        raise NotFound
    effect = _reckoned(actor, pool, tenant=tenant, today=today)
    if effect is None or not effect.members:
        return effect
    members = _in_sight(actor, effect.members)
    if len(members) == len(effect.members):
        return effect
    hidden = len(effect.members) - len(members)
    others = PoolOthers(
        hidden,
        effect.quantity - sum((one.quantity for one in members), Decimal(0)),
        effect.net_minor - sum(one.share_minor for one in members),
    )
    return replace(effect, members=members, others=others)


@dataclass(frozen=True, slots=True)
class PoolPart:
    """The own share in a pool of an account further up: nothing of what others used or pay.

    Attributes:
        period: the days that are looked at.
        quantity: what the own members have used.
        share_minor: what they pay of it.
        members: these; in the order of items and days.
        is_known: whether it could be reckoned.
    """

    period: Period
    quantity: Decimal
    share_minor: int
    members: Sequence[PoolMember]
    is_known: bool = True


def pool_part(actor: Actor, pool: UsagePool, *, tenant: Tenant, today: date) -> PoolPart | None:
    """Return the actor's share in a pool by now; None for a tree that is too large.

    Who reaches only members learns what these used and pay, as from an extract of an invoice.

    Raises:
        NotFound: the actor sees nothing of it.

    Source: docs/billing-rules.md, R31.
    """
    if not pools_shown(actor).filter(pk=pool.pk).exists():
        raise NotFound
    effect = _reckoned(actor, pool, tenant=tenant, today=today)
    if effect is None:
        return None
    members = _in_sight(actor, effect.members)
    return PoolPart(
        effect.period,
        sum((one.quantity for one in members), Decimal(0)),
        sum(one.share_minor for one in members),
        members,
        effect.is_known,
    )


def _in_sight(actor: Actor, members: Sequence[PoolMember]) -> list[PoolMember]:
    """Return the members whose subscriptions the actor may see. One statement."""
    if access.allows_everywhere(actor, Action.VIEW_SUBSCRIPTION):
        return list(members)
    ids = {one.account.pk for one in members}
    seen = access.reach(actor, Action.VIEW_SUBSCRIPTION).filter(pk__in=ids)
    known = set(seen.order_by().values_list("pk", flat=True))
    return [one for one in members if one.account.pk in known]


def _reckoned(actor: Actor, pool: UsagePool, *, tenant: Tenant, today: date) -> PoolEffect | None:
    """Return what a pool comes to by now; the caller has asked."""
    root = tree.path_ids(actor.tenant_id, pool.account_id)[0]
    # Who has moved to another tree was in it with the days before.
    found = tree.families(actor.tenant_id, [root, *joined_with(actor, [root])])
    if sum(map(len, found.values())) > MOST_ACCOUNTS:
        return None
    families = read_families(actor, found, None, tenant=tenant)
    try:
        return effect_of(families, pool, today=today)
    except InvalidQuantity:
        return PoolEffect.unknown(pool, today)
