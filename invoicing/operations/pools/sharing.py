"""Which periods pools have charged together, and what another share of one changes for all."""

from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any, Final
from uuid import UUID

from django.db import connection

from invoicing.engine.late_usage import pool_period_of
from invoicing.engine.rows import ChargeRow, PeriodRow
from invoicing.models import Charge
from tenancy.actor import Actor
from tenancy.database.inserting import array_of

_SHARES: Final = """
    INSERT INTO subscriptions_poolshare (id, tenant_id, pool_id, starts, ends, item_id, period_id)
    SELECT gen_random_uuid(), %s, share.pool_id, share.starts, share.ends, share.item_id,
        share.period_id
    FROM unnest(%s::uuid[], %s::date[], %s::date[], %s::uuid[], %s::uuid[])
        AS share (pool_id, starts, ends, item_id, period_id)
    ORDER BY share.pool_id, share.starts, share.item_id, share.period_id ON CONFLICT DO NOTHING
"""
_LATE: Final = """
    INSERT INTO subscriptions_lateusage (id, tenant_id, item_id, period_id)
    SELECT gen_random_uuid(), %s, late.item_id, late.period_id
    FROM unnest(%s::uuid[], %s::uuid[]) AS late (item_id, period_id)
    ORDER BY late.item_id, late.period_id ON CONFLICT DO NOTHING
"""
_MATES: Final = """
    INSERT INTO subscriptions_lateusage (id, tenant_id, item_id, period_id)
    SELECT gen_random_uuid(), share.tenant_id, share.item_id, share.period_id FROM (
        SELECT DISTINCT mate.tenant_id, mate.item_id, mate.period_id
        FROM unnest(%s::uuid[], %s::date[]) AS changed (pool_id, starts)
        JOIN subscriptions_poolshare AS mate ON mate.tenant_id = %s
            AND mate.pool_id = changed.pool_id AND mate.starts = changed.starts
        WHERE mate.item_id <> ALL(%s::uuid[])
        ORDER BY mate.item_id, mate.period_id
    ) AS share ON CONFLICT DO NOTHING
"""

_SINCE: Final = """
    INSERT INTO subscriptions_lateusage (id, tenant_id, item_id, period_id)
    SELECT gen_random_uuid(), share.tenant_id, share.item_id, share.period_id FROM (
        SELECT DISTINCT tenant_id, item_id, period_id FROM subscriptions_poolshare
        WHERE tenant_id = %s AND pool_id = ANY(%s::uuid[]) AND ends >= %s
        ORDER BY item_id, period_id
    ) AS share ON CONFLICT DO NOTHING
"""


def note_shares(actor: Actor, charges: Iterable[ChargeRow]) -> None:
    """Note which periods of items are charged with pools. One statement, or none."""
    rows = sorted(
        {
            (str(pool), starts, charge.calculation["pool"]["period"]["end"],
             str(charge.item_id), str(charge.period_id))
            for charge in charges
            if charge.kind == Charge.Kind.RECURRING
            for pool, starts in [pool_period_of(charge) or (None, None)]
            if pool is not None
        }
    )  # fmt: skip
    _execute(_SHARES, [actor.tenant_id], rows)


def note_late(actor: Actor, periods: Sequence[PeriodRow]) -> None:
    """Note which periods the next run makes good. One statement, or none."""
    rows = sorted({(str(period.item_id), str(period.id)) for period in periods})
    _execute(_LATE, [actor.tenant_id], rows)


def note_mates(actor: Actor, charges: Sequence[ChargeRow]) -> None:
    """Let the next run make good what others of a pool were charged, as one is charged otherwise.

    One statement, or none.
    """
    changed = sorted({one for one in map(pool_period_of, charges) if one is not None})
    if not changed:
        return
    own = sorted({str(charge.item_id) for charge in charges})
    columns = [array_of([str(pool) for pool, _day in changed]),
               array_of([day for _pool, day in changed])]  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute(_MATES, [*columns, actor.tenant_id, array_of(own)])


def note_charged_since(actor: Actor, pool_ids: Sequence[UUID], day: date) -> None:
    """Let the next run make good what was charged with pools for a day and later.

    What ends with the day is looked at, too: its days may belong to longer ones now. One
    statement, or none.
    """
    if pool_ids:
        with connection.cursor() as cursor:
            keys = array_of(sorted(str(key) for key in pool_ids))
            cursor.execute(_SINCE, [actor.tenant_id, keys, day])


def _execute(sql: str, first: Sequence[Any], rows: Sequence[tuple[Any, ...]]) -> None:
    if rows:
        columns = [array_of(list(column)) for column in zip(*rows, strict=True)]
        with connection.cursor() as cursor:
            cursor.execute(sql, [*first, *columns])
