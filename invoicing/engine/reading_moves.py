"""What was charged with pools for days on which somebody has moved since."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any, Final
from uuid import UUID

from django.db import connection

from invoicing.engine.late_usage import LatePeriods
from invoicing.engine.rows import PeriodRow
from invoicing.engine.what_if import Move
from tenancy.actor import Actor
from tenancy.database.inserting import array_of

# Of all that shares with a pool above the accounts, where they stand or where they come to; and of
# what is metered of the accounts themselves, as it may come into one.
_CONCERNED: Final = """
    WITH pools AS MATERIALIZED (
        SELECT pool.id, price.meter_id FROM subscriptions_usagepool AS pool
        JOIN subscriptions_price AS price
            ON price.tenant_id = pool.tenant_id AND price.id = pool.price_id
        WHERE pool.tenant_id = %(tenant)s AND pool.account_id = ANY(%(above)s::uuid[])
        AND pool.ends IS DISTINCT FROM pool.starts AND COALESCE(pool.ends > %(day)s, true)
    ), own AS MATERIALIZED (
        SELECT item.id FROM accounts_accountnode AS top
        JOIN accounts_accountnode AS below ON below.tenant_id = top.tenant_id
            AND below.tree_id = top.tree_id AND below.lft BETWEEN top.lft AND top.rght
        JOIN subscriptions_item AS item
            ON item.tenant_id = below.tenant_id AND item.account_id = below.account_id
        JOIN subscriptions_price AS price
            ON price.tenant_id = item.tenant_id AND price.id = item.price_id
        WHERE top.tenant_id = %(tenant)s AND top.account_id = ANY(%(moved)s::uuid[])
        AND EXISTS (SELECT FROM pools)
        AND (item.terms_since IS NOT NULL OR price.meter_id IN (SELECT meter_id FROM pools))
    ), concerned AS (
        SELECT share.period_id FROM pools
        JOIN subscriptions_poolshare AS share
            ON share.tenant_id = %(tenant)s AND share.pool_id = pools.id
        WHERE share.ends > %(day)s
        UNION
        SELECT period.id FROM own
        JOIN subscriptions_period AS period ON period.tenant_id = %(tenant)s
            AND period.item_id = own.id AND period.ends > %(day)s
        WHERE EXISTS (
            SELECT FROM invoicing_charge AS charge WHERE charge.tenant_id = %(tenant)s
            AND charge.item_id = own.id AND charge.period_id = period.id
        )
    )
    SELECT period.id, period.item_id, period.starts, period.ends, period.prev_ends,
        period.full_start, period.full_end, period.quantity
    FROM concerned JOIN subscriptions_period AS period
        ON period.tenant_id = %(tenant)s AND period.id = concerned.period_id
    ORDER BY period.item_id, period.starts
"""


def concerned_by_moves(
    actor: Actor, parents: Mapping[UUID, UUID | None], moves: Iterable[Move]
) -> LatePeriods:
    """Return the charged periods that pools may share otherwise once accounts have moved.

    One statement, none without moves.

    Args:
        actor: whose tenant.
        parents: where the accounts, and those above them and above their new parents, stood.
        moves: what moves, all on one day; before it does, or after.

    Returns:
        By item, its periods in order.

    Source: docs/billing-rules.md, Pools.
    """
    known = list(moves)
    if not known:
        return {}
    above: set[UUID] = set()
    for move in known:
        for start in (parents.get(move.account_id), move.parent_id):
            up = start
            while up is not None and up not in above:
                above.add(up)
                up = parents.get(up)
    values: dict[str, Any] = {
        "tenant": actor.tenant_id,
        "day": min(move.day for move in known),
        "above": array_of([str(key) for key in above]),
        "moved": array_of([str(move.account_id) for move in known]),
    }
    found: dict[UUID, list[PeriodRow]] = defaultdict(list)
    with connection.cursor() as cursor:
        cursor.execute(_CONCERNED, values)
        for period_id, item_id, *columns in cursor.fetchall():
            found[item_id].append(PeriodRow(period_id, item_id, *columns))
    return dict(found)
