"""What another version of a price makes of the pools that charge by it."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Final
from uuid import UUID

from django.db.models import Exists, F, OuterRef, Q, QuerySet

from accounts import access, tree
from accounts.access import Action
from billing_rules.price_lists import repriced
from billing_rules.timelines import Stretch
from invoicing.queries.repricing import Repricing, Why
from subscriptions.models import EarlierPoolPrice, PoolShare, Price, UsagePool
from subscriptions.queries.pools import keep_earlier_prices
from subscriptions.queries.price_lists import PriceLists
from tenancy.actor import Actor

NAMED: Final = 20
"""So many of the pools that follow are named."""
_BATCH: Final = 1_000
Prices = Sequence[Stretch[Price]]


@dataclass(frozen=True, slots=True)
class PoolOutcome:
    """By which versions a pool charges day by day, before and after ``since``, and why."""

    pool: UsagePool
    before: Prices
    after: Prices
    why: Why
    since: date

    @property
    def is_changed(self) -> bool:
        """Whether it charges by another version on any day."""
        return self.why == Why.CHANGED


def concerned_pools(actor: Actor, repricing: Repricing) -> QuerySet[UsagePool]:
    """Return the pools that charge by any version of a price from a day on. One statement.

    Raises:
        Forbidden: the actor may not read subscriptions everywhere.
    """
    access.require_everywhere(actor, Action.VIEW_SUBSCRIPTION)
    family, since = repricing.price.family_id, repricing.since
    named = Q(pk=family) | Q(first_id=family)
    keys = Price.objects.filter(named, tenant_id=actor.tenant_id).order_by().values("pk")
    before = EarlierPoolPrice.objects.filter(
        tenant_id=actor.tenant_id, pool_id=OuterRef("pk"), until__gt=since, price__in=keys
    )
    found = UsagePool.objects.filter(
        Q(price__in=keys) | Exists(before.order_by()),
        Q(ends=None) | Q(ends__gt=since) & Q(ends__gt=F("starts")),
        tenant_id=actor.tenant_id,
    )
    if repricing.account_ids is not None:
        found = found.filter(tree.lies_below(actor.tenant_id, repricing.account_ids, "account_id"))
    return found.select_related("account", "price__meter").order_by("id")


def pool_outcomes(
    actor: Actor,
    repricing: Repricing,
    pools: Sequence[UsagePool],
    lists: tuple[PriceLists, PriceLists],
) -> list[PoolOutcome]:
    """Return what becomes of some pools, which know their earlier prices. No statement.

    A pool follows as an item does: where it has, for the day, the version that its account has.
    Any other one was chosen for it, and stays.

    Args:
        actor: who asks.
        repricing: the version that begins or ends.
        pools: with their prices.
        lists: the versions for their accounts, before and after.

    Source: docs/billing-rules.md, Pools.
    """
    access.require_everywhere(actor, Action.VIEW_SUBSCRIPTION)
    family = repricing.price.family_id
    found = []
    for pool in pools:
        before = prices_of(pool)
        of_account = [one.at(pool.account_id, family) for one in lists]
        after = repriced(before, *of_account, key=_itself, put=_instead)
        changed = _cut(before, pool) != _cut(after, pool)
        since = repricing.since_at(lists[1].paths.get(pool.account_id, ()))
        why = Why.CHANGED if changed else _why_not(pool, before, family, since, lists)
        found.append(PoolOutcome(pool, before, after, why, since))
    return found


@dataclass(slots=True)
class PoolsEffect:
    """What another version comes to for pools, all in all. MRR leaves out what is used.

    Attributes:
        pools: that charge by the price from the day on, of which ``changed`` follow.
        own_choice: another version was chosen for them: they stay.
        elsewhere: their accounts have the price from a version that stays as it is.
        charged: of those that follow, something was charged with them for days since: made good
            by the next run.
        first: the first of those that follow.
    """

    pools: int = 0
    changed: int = 0
    own_choice: int = 0
    elsewhere: int = 0
    charged: int = 0
    first: list[UsagePool] = field(default_factory=list)


def pools_effect_of(actor: Actor, repricing: Repricing) -> PoolsEffect:
    """Return what another version would come to for pools; nothing is locked or stored.

    One statement where there are none, else some six for each 1,000 pools.

    Raises:
        Forbidden: the actor may not read subscriptions everywhere.

    Source: docs/billing-rules.md, Pools.
    """
    effect = PoolsEffect()
    found, last = concerned_pools(actor, repricing), None
    while some := list((found if last is None else found.filter(pk__gt=last))[:_BATCH]):
        keep_earlier_prices(actor, some)
        lists = repricing.lists(actor, {pool.account_id for pool in some})
        outcomes = pool_outcomes(actor, repricing, some, lists)
        changed = [one.pool for one in outcomes if one.is_changed]
        shares = PoolShare.objects.filter(
            tenant_id=actor.tenant_id, pool__in=changed, ends__gt=repricing.since
        )
        effect.pools += len(some)
        effect.changed += len(changed)
        effect.own_choice += sum(one.why == Why.OWN_CHOICE for one in outcomes)
        effect.elsewhere += sum(one.why == Why.ELSEWHERE for one in outcomes)
        effect.charged += shares.order_by().values("pool").distinct().count() if changed else 0
        effect.first += changed[: NAMED - len(effect.first)]
        last = some[-1].pk
        if len(some) < _BATCH:
            break
    return effect


def prices_of(pool: UsagePool) -> list[Stretch[Price]]:
    """Return by which versions a pool charges, from its first day on."""
    found, since = [], pool.starts
    for one in pool.earlier:
        found.append(Stretch(since, one.until, one.price))
        since = one.until
    return [*found, Stretch(since, None, pool.price)]


def _itself(price: Price) -> Price:
    return price


def _instead(_price: Price, other: Price) -> Price:
    return other


def _cut(timeline: Prices, pool: UsagePool) -> list[tuple[date, Price]]:
    """Return what holds as long as the pool does."""
    return [
        (one.start, one.value) for one in timeline if pool.ends is None or one.start < pool.ends
    ]


def _why_not(
    pool: UsagePool,
    before: Prices,
    family: UUID,
    since: date,
    lists: tuple[PriceLists, PriceLists],
) -> Why:
    for one in before:
        day = max(one.start, since)
        is_had = (one.end is None or day < one.end) and one.value.family_id == family
        if is_had and one.value not in {some.on(pool.account_id, family, day) for some in lists}:
            return Why.OWN_CHOICE
    return Why.ELSEWHERE
