"""Beginning a pool on an account, and ending it: what all below use is charged together."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import pairwise
from typing import Final
from uuid import UUID

from django.db.models import F, Max, Q
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts import access, tree
from accounts.access import Action
from accounts.models import Account
from billing_rules.periods import OutsideCalendar
from billing_rules.pricing import InvalidQuantity
from invoicing.engine.pools import Pools, grid_of, takes
from invoicing.engine.reading_pools import read_pools
from invoicing.operations.runs.loading import load_families
from invoicing.queries.pooled import PoolEffect, effect_of
from subscriptions.models import EarlierPoolPrice, Period, PoolShare, Price, UsagePool
from subscriptions.queries.pools import keep_earlier_prices
from subscriptions.queries.price_lists import price_lists
from tenancy.actor import Actor
from tenancy.database import operation
from tenancy.database.inserting import insert_rows
from tenancy.errors import Conflict, FieldError, Invalid, NotFound
from tenancy.events import Happening, record_event
from tenancy.files.cells import EARLIEST, LATEST
from tenancy.formats import date_text
from tenancy.ids import uuid7

_NO_SUCH_PRICE: Final = gettext_lazy("There is no such price.")


class InvalidPool(Invalid):
    """A pool that can't be so; ``errors`` names each member."""

    code = "invalid_pool"
    message = gettext_lazy("This pool is not valid.")


class PoolsOverlap(Conflict):
    """What somebody uses would be charged with two pools at once."""

    code = "pools_overlap"
    message = gettext_lazy(
        "What is charged by this meter is in the pool of %(account)s from %(day)s on already."
    )


class PoolAdded(Conflict):
    """It was added before: somebody has sent the same form twice."""

    code = "already_created"
    message = gettext_lazy("This has been created already. Nothing was created twice.")


class PoolOver(Conflict):
    """Nothing is charged with it any more."""

    code = "pool_over"
    message = gettext_lazy("This pool has ended on %(day)s already.")


class PoolOfArchivedAccount(Conflict):
    """Nothing is subscribed to there any more."""

    code = "account_archived"
    message = gettext_lazy("This account is archived.")


@dataclass(frozen=True, slots=True)
class NewPool:
    """A pool as somebody wants it: by which price, from when, and up to when if that is known."""

    price_id: UUID | None
    starts: date
    ends: date | None = None


@dataclass(frozen=True, slots=True)
class Begun:
    """A pool, and what it comes to for those who are in it."""

    pool: UsagePool
    effect: PoolEffect


@operation
def begin_pool(
    actor: Actor,
    account_id: UUID,
    wanted: NewPool,
    *,
    key: UUID | None = None,
    is_dry_run: bool = False,
    require_seen: Callable[[], object] | None = None,
    today: date,
    now: datetime,
) -> Begun:
    """Let what an account and all below it use of a meter be charged together from a day on.

    Args:
        actor: who begins it.
        account_id: the top of the subtree.
        wanted: the price, whose tiers hold for all, and the days.
        key: what the row is to be called, so that one form makes one.
        is_dry_run: compute what it comes to, store nothing.
        require_seen: refuses if it is not as the caller has seen it; asked under the lock.
        today: the tenant's day.
        now: the instant, for the audit trail.

    Raises:
        NotFound: the account is out of the actor's sight.
        Forbidden: the actor may not change prices.
        InvalidPool: a member can't be, or something was charged for its days already.
        PoolsOverlap, PoolAdded, PoolOfArchivedAccount: see their texts.

    Source: docs/billing-rules.md, Pools.
    """
    account = access.reach(actor, Action.VIEW_SUBSCRIPTION).filter(pk=account_id).first()
    if account is None:
        raise NotFound
    access.require_everywhere(actor, Action.EDIT_CATALOGUE)
    path = tree.path_ids(actor.tenant_id, account_id)
    families = load_families(actor, [path[0]], None)
    if require_seen is not None:
        require_seen()
    pools = UsagePool.objects.filter(tenant_id=actor.tenant_id)
    if key is not None and pools.filter(pk=key).exists():
        raise PoolAdded
    if families.accounts[account_id].status == Account.Status.ARCHIVED:
        raise PoolOfArchivedAccount
    pool = UsagePool(
        id=key or uuid7(),
        tenant_id=actor.tenant_id,
        account=account,
        price=_price(actor, wanted.price_id),
        starts=wanted.starts,
        ends=wanted.ends,
        created_at=now,
    )
    _require_days(pool)
    _follow_versions(actor, pool)
    families.pools = read_pools(actor, families.members, also=[pool])
    above = set(tree.path_ids(actor.tenant_id, account_id))
    _require_alone(pool, [
        other for other in families.pools.rows
        if other.pk != pool.pk
        and (other.account_id in above or _is_above(families.parents, account_id, other.account_id))
    ])  # fmt: skip
    _require_uncharged(actor, pool, families.pools, families.parents)
    try:
        effect = effect_of(families, pool, today=today)
    except (InvalidQuantity, OutsideCalendar):
        effect = PoolEffect.unknown(pool, today)
    if not is_dry_run:
        pool.save(force_insert=True)
        insert_rows(pool.earlier)
        _record(actor, "account.pool_begun", pool, pool.starts, now)
    return Begun(pool, effect)


@operation
def end_pool(
    actor: Actor,
    pool_id: UUID,
    *,
    day: date | None,
    is_dry_run: bool = False,
    require_seen: Callable[[], object] | None = None,
    today: date,
    now: datetime,
) -> UsagePool:
    """End a pool on a day on which one of its periods does; from then on each is charged alone.

    Args:
        actor: who ends it.
        pool_id: which.
        day: the first day without it; None for the end of the running period, or for taking it
            back before it begins.
        is_dry_run: store nothing.
        require_seen: refuses if it is not as the caller has seen it; asked under the lock.
        today: the tenant's day.
        now: the instant, for the audit trail.

    Raises:
        NotFound: the account is out of the actor's sight.
        Forbidden: the actor may not change prices.
        InvalidPool: none of its periods ends then, or something was charged with it since.
        PoolOver: it has ended by then.

    Source: docs/billing-rules.md, Pools.
    """
    seen = access.reach(actor, Action.VIEW_SUBSCRIPTION).order_by().values("pk")
    found = UsagePool.objects.filter(tenant_id=actor.tenant_id, pk=pool_id, account__in=seen)
    root = found.values_list("account_id", flat=True).first()
    if root is None:
        raise NotFound
    access.require_everywhere(actor, Action.EDIT_CATALOGUE)
    tree.lock_families(actor.tenant_id, [tree.path_ids(actor.tenant_id, root)[0]])
    pool = found.select_related("account", "price__meter").select_for_update(of=("self",)).get()
    keep_earlier_prices(actor, [pool])
    if require_seen is not None:
        require_seen()
    ends = _end(pool, day, today)
    if pool.ends is not None and pool.ends <= ends:
        raise PoolOver(day=date_text(pool.ends))
    shares = PoolShare.objects.filter(tenant_id=actor.tenant_id, pool=pool)
    charged = shares.filter(ends__gt=ends).aggregate(last=Max("ends"))["last"]
    if charged is not None:
        detail = _("It has been charged with this pool up to %(day)s: it can end then or later.")
        raise _wrong("ends", "already_charged", detail % {"day": date_text(charged)})
    if not is_dry_run:
        pool.ends = ends
        pool.save(update_fields=["ends"])
        _record(actor, "account.pool_ended", pool, ends, now)
    pool.ends = ends
    return pool


def _price(actor: Actor, price_id: UUID | None) -> Price:
    prices = Price.objects.filter(tenant_id=actor.tenant_id).select_related("meter")
    price = None if price_id is None else prices.filter(pk=price_id).first()
    if price is None:
        raise _wrong("price", "unknown_price", str(_NO_SUCH_PRICE))
    if price.meter_id is None:
        raise _wrong("price", "price_not_metered", _("Nothing is measured for this price."))
    if price.archived_at is not None:
        raise _wrong("price", "price_archived", _("This price is archived."))
    return price


def _follow_versions(actor: Actor, pool: UsagePool) -> None:
    """Let a pool charge by the versions of its price that are planned already.

    Whoever chose another one than the account has on the first day means exactly that one. Two or
    three statements.
    """
    family = pool.price.family_id
    lists = price_lists(actor, [pool.price_id], [pool.account_id])
    coming = [
        one for one in lists.at(pool.account_id, family) if one.end is None or one.end > pool.starts
    ]
    if not coming or coming[0].value != pool.price:
        return
    if len(coming) > 1:
        pool.price, pool.price_since = coming[-1].value, coming[-1].start
    pool.earlier = [
        EarlierPoolPrice(
            tenant_id=actor.tenant_id, pool=pool, price=held.value, until=following.start
        )
        for held, following in pairwise(coming)
    ]


def _wrong(member: str, code: str, detail: str) -> InvalidPool:
    return InvalidPool(errors=[FieldError(code, detail, f"/{member}")])


def _require_days(pool: UsagePool) -> None:
    """Return if a pool can hold on its days: whole periods of its price, at least one."""
    if not EARLIEST <= pool.starts < LATEST:
        detail = _("A date between 1970 and 2200 is expected.")
        raise _wrong("starts", "out_of_range", detail)
    if pool.ends is not None:
        if pool.ends <= pool.starts:
            raise _wrong("ends", "end_before_start", _("It ends after it begins."))
        if pool.ends >= LATEST:
            detail = _("A date between 1970 and 2200 is expected.")
            raise _wrong("ends", "out_of_range", detail)
        _require_boundary(pool, pool.ends)


def _require_boundary(pool: UsagePool, day: date) -> None:
    grid = grid_of(pool)
    index = grid.index_on(day)
    if grid.boundary(index) != day:
        detail = _("One of its periods ends on %(before)s, the next one on %(after)s.")
        days = {"before": date_text(grid.boundary(index)),
                "after": date_text(grid.boundary(index + 1))}  # fmt: skip
        raise _wrong("ends", "within_period", detail % days)


def _end(pool: UsagePool, day: date | None, today: date) -> date:
    """Return the first day without a pool, if it can be."""
    if day is None:
        grid = grid_of(pool)
        return pool.starts if today < pool.starts else grid.boundary(grid.index_on(today) + 1)
    if not pool.starts <= day < LATEST:
        detail = _("A day from %(day)s on is expected, on which it begins.")
        raise _wrong("ends", "end_before_start", detail % {"day": date_text(pool.starts)})
    _require_boundary(pool, day)
    return day


def _is_above(parents: Mapping[UUID, UUID | None], top_id: UUID, account_id: UUID) -> bool:
    up: UUID | None = account_id
    while up is not None and up != top_id:
        up = parents.get(up)
    return up is not None


def _require_alone(pool: UsagePool, others: Sequence[UsagePool]) -> None:
    """Return if no other pool of the same kind holds above or below on any of the days.

    Raises:
        PoolsOverlap: see its text.
    """
    for other in others:
        is_apart = (pool.ends is not None and pool.ends <= other.starts) or (
            other.ends is not None and other.ends <= pool.starts
        )
        if takes(pool.price, other.price) and not is_apart:
            name = Account.objects.filter(pk=other.account_id).values_list("name", flat=True)
            raise PoolsOverlap(account=name.first(), day=date_text(other.starts))


def _require_uncharged(
    actor: Actor, pool: UsagePool, pools: Pools, parents: Mapping[UUID, UUID | None]
) -> None:
    """Return if nothing below was charged for days since a pool begins. One statement.

    Raises:
        InvalidPool: names the first day on which it can begin.
    """
    items = [
        item.id
        for item in pools.members.values()
        if any(takes(pool.price, price) for price in (item.price, *(t.price for t in item.later)))
        and _is_above(parents, pool.account_id, item.account_id)
    ]
    charged = Period.objects.filter(
        Q(item__next_action_date__isnull=True) | Q(ends__lt=F("item__chain_end")),
        tenant_id=actor.tenant_id,
        item_id__in=items,
        ends__gt=pool.starts,
    )
    last = charged.aggregate(last=Max("ends"))["last"] if items else None
    if last is not None:
        detail = _("Usage up to %(day)s has been charged already: the pool can begin then.")
        raise _wrong("starts", "already_charged", detail % {"day": date_text(last)})


def _record(actor: Actor, name: str, pool: UsagePool, day: date, now: datetime) -> None:
    said = {"since": day.isoformat(), "pool": pool.public_id, "price": pool.price_on(day).public_id}
    if pool.account.external_id is not None:
        said["external_id"] = pool.account.external_id
    happening = Happening(name, pool.account_id, pool.account_id, after=said, data=said)
    record_event(actor, happening, now=now)
