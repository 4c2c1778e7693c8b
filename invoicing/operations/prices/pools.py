"""Pools follow the versions of their price: what was charged with them is made good."""

from collections.abc import Sequence
from datetime import datetime
from itertools import pairwise
from uuid import UUID

from accounts import access, tree
from accounts.access import Action
from invoicing.operations.pools.sharing import note_charged_since
from invoicing.queries.repriced_pools import PoolOutcome, pool_outcomes
from invoicing.queries.repricing import Repricing
from subscriptions.models import EarlierPoolPrice, UsagePool
from subscriptions.queries.pools import keep_earlier_prices
from tenancy.actor import Actor
from tenancy.database.inserting import insert_rows
from tenancy.events import Happening, record_events


def reprice_pools(
    actor: Actor, repricing: Repricing, pool_ids: Sequence[UUID], *, now: datetime
) -> int:
    """Let some pools charge by the versions that their accounts have now; return how many do.

    The next run makes good what was charged with them for days since. Some twelve statements, and
    one for each tree's lock, whatever their number. A step of the job that carries a version out.

    Args:
        actor: who began or ended the version.
        repricing: that version, with those beside it.
        pool_ids: the pools that charge by it.
        now: the instant, for the audit trail.

    Source: docs/billing-rules.md, Pools; docs/billing-rules.md, Versions of a price.
    """
    access.require_everywhere(actor, Action.EDIT_CATALOGUE)
    wanted = UsagePool.objects.filter(tenant_id=actor.tenant_id, pk__in=pool_ids)
    accounts = set(wanted.values_list("account_id", flat=True))
    tree.lock_families(actor.tenant_id, accounts)
    pools = list(
        wanted.select_related("account", "price__meter")
        .order_by("id")
        .select_for_update(of=("self",))
    )
    keep_earlier_prices(actor, pools)
    lists = repricing.lists(actor, accounts)
    changed = [one for one in pool_outcomes(actor, repricing, pools, lists) if one.is_changed]
    write_pool_prices(actor, changed)
    for since in sorted({one.since for one in changed}):
        note_charged_since(actor, [one.pool.pk for one in changed if one.since == since], since)
    record_events(actor, [_happening(one) for one in changed], now=now)
    return len(changed)


def write_pool_prices(actor: Actor, changed: Sequence[PoolOutcome]) -> None:
    """Store by which versions pools charge. Two statements, and one for each pool."""
    keys = [one.pool.pk for one in changed]
    EarlierPoolPrice.objects.filter(tenant_id=actor.tenant_id, pool_id__in=keys).delete()
    for one in changed:
        last = one.after[-1]
        one.pool.price = last.value
        one.pool.price_since = last.start if len(one.after) > 1 else None
        one.pool.earlier = [
            EarlierPoolPrice(
                tenant_id=actor.tenant_id, pool=one.pool, price=held.value, until=following.start
            )
            for held, following in pairwise(one.after)
        ]
        one.pool.save(update_fields=["price", "price_since"])
    insert_rows([row for one in changed for row in one.pool.earlier])


def _happening(one: PoolOutcome) -> Happening:
    pool, day = one.pool, max(one.since, one.pool.starts)
    before, after = (
        next(held.value for held in line if held.holds_on(day)).public_id
        for line in (one.before, one.after)
    )
    said = {"since": day.isoformat(), "pool": pool.public_id}
    if pool.account.external_id is not None:
        said["external_id"] = pool.account.external_id
    return Happening(
        "account.pool_repriced",
        pool.account_id,
        pool.account_id,
        before={"price": before},
        after={**said, "price": after},
        data={**said, "price": after},
    )
