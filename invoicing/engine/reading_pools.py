"""Reading pools, and what is charged with them."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from uuid import UUID

from django.db.models import DateField, Exists, OuterRef, Q

from billing_rules.periods import Period as Days
from invoicing.engine.pools import Pools
from invoicing.engine.reading import ITEM, item_rows
from invoicing.engine.rows import ItemRow, PeriodRow
from subscriptions.models import EarlierOwner, EarlierTerms, Item, Period, PoolShare, UsagePool
from subscriptions.queries.pools import keep_earlier_prices
from tenancy.actor import Actor
from tenancy.database.prepared import Given, Prepared

_POOLS = Prepared(
    lambda: (
        UsagePool.objects.filter(tenant_id=Given("tenant"), account_id__among=Given("accounts"))
        .select_related("price")
        .order_by("id")
    )
)
_SHARES = Prepared(
    lambda: (
        PoolShare.objects.filter(
            tenant_id=Given("tenant"),
            pool_id__among=Given("pools"),
            starts__among=Given("starts", DateField()),
        )
        .order_by("item_id", "period_id")
        .values_list(
            "pool_id", "starts", "item_id", "period_id", "item__account_id", "period__starts",
            "period__ends", "period__prev_ends", "period__full_start", "period__full_end",
            "period__quantity",
        )
    )
)  # fmt: skip


def read_pools(
    actor: Actor,
    members: Iterable[tuple[UUID, UUID | None]],
    *,
    also: Iterable[UsagePool] = (),
) -> Pools:
    """Return the pools of accounts of whole trees, those not stored yet too, and what may be there.

    One statement, three more where there are some, and those of what items and pools had before.
    """
    accounts = [account_id for account_id, _parent in members]
    found = _POOLS.objects(tenant=actor.tenant_id, accounts=accounts)
    new = list(also)
    known = {pool.pk for pool in new}
    rows = [
        pool
        for pool in found
        if (pool.ends is None or pool.ends > pool.starts) and pool.pk not in known
    ]
    keep_earlier_prices(actor, rows)
    rows += new
    if not rows:
        return Pools()
    meters = {pool.price.meter_id for pool in rows}
    earlier = EarlierTerms.objects.filter(
        tenant_id=actor.tenant_id, item=OuterRef("pk"), price__meter__in=meters
    )
    owners = EarlierOwner.objects.filter(
        tenant_id=actor.tenant_id, subscription=OuterRef("subscription")
    )
    items = list(
        Item.objects.filter(
            Q(price__meter__in=meters) | Q(Exists(earlier), terms_since__isnull=False),
            tenant_id=actor.tenant_id,
            account_id__in=accounts,
        )
        .order_by("id")
        .values_list(*ITEM, Exists(owners.order_by()))
    )
    plain = [(*row[:4], row[4] or date.max, *row[5:-1]) for row in items]
    return Pools(
        rows,
        {item.id: item for item in item_rows(actor, plain)},
        owners=_owners(actor, {row[6] for row in items if row[-1]}),
    )


def _owners(actor: Actor, ids: Iterable[UUID]) -> Mapping[UUID, Sequence[tuple[date, UUID]]]:
    """Return who had subscriptions before, and up to when. One statement, none for none."""
    wanted = list(ids)
    found: dict[UUID, list[tuple[date, UUID]]] = defaultdict(list)
    if wanted:
        rows = EarlierOwner.objects.filter(tenant_id=actor.tenant_id, subscription_id__in=wanted)
        for key, until, account_id in rows.order_by("until").values_list(
            "subscription_id", "until", "account_id"
        ):
            found[key].append((until, account_id))
    return dict(found)


def begins_within(
    actor: Actor, items: Iterable[ItemRow], days: Days
) -> Mapping[UUID, Sequence[date]]:
    """Return on which of some days stored periods of items begin. One statement, or none."""
    wanted = [
        item.id for item in items if item.chain_end is not None and item.chain_end > days.start
    ]
    found: dict[UUID, list[date]] = defaultdict(list)
    if wanted:
        rows = Period.objects.filter(
            tenant_id=actor.tenant_id,
            item_id__in=wanted,
            starts__gt=days.start,
            starts__lt=days.end,
        )
        for item_id, starts in rows.order_by("starts").values_list("item_id", "starts"):
            found[item_id].append(starts)
    return found


def charged_with(
    actor: Actor, periods: Iterable[tuple[UUID, date]]
) -> list[tuple[UUID, PeriodRow]]:
    """Return what was charged in periods of pools: accounts, and periods of items.

    One statement, none without periods.
    """
    wanted = set(periods)
    if not wanted:
        return []
    pools, starts = {pool for pool, _start in wanted}, {start for _pool, start in wanted}
    rows = _SHARES.rows(tenant=actor.tenant_id, pools=list(pools), starts=list(starts))
    return [
        (account_id, PeriodRow(period_id, item_id, *columns))
        for pool_id, starts, item_id, period_id, account_id, *columns in rows
        if (pool_id, starts) in wanted
    ]
