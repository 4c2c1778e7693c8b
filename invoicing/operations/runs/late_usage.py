"""Usage that came in after its period was charged: the next run makes it good."""

from collections.abc import Sequence
from datetime import date
from typing import Any, Final

from django.db import connection

from invoicing.engine.families import Families
from invoicing.engine.late_usage import LatePeriods, late_periods, settle_late
from invoicing.engine.pools import Pools
from invoicing.engine.reading_pools import read_pools
from invoicing.engine.rows import ChargeRow, PeriodRow
from tenancy.actor import Actor
from tenancy.database.inserting import array_of

# All that this run changes at once and in one order, so that nobody waits crosswise.
_LOCK: Final = """
    SELECT id FROM subscriptions_item WHERE tenant_id = %(tenant)s AND (id = ANY(%(late)s::uuid[])
        OR account_id = ANY(%(accounts)s::uuid[]) AND next_action_date <= %(day)s)
    ORDER BY id FOR UPDATE
"""
_DONE: Final = """
    DELETE FROM subscriptions_lateusage WHERE tenant_id = %s AND (item_id, period_id) IN (
        SELECT * FROM unnest(%s::uuid[], %s::uuid[]))
"""


def hold_late_periods(families: Families, *, run_date: date) -> LatePeriods:
    """Return the charged periods for which usage came in late, by item; their items are locked.

    So is whatever may be charged with others: nobody reports what it used until they are charged.
    No statement where the tenant has neither, else one for each, one more where there are some
    here, and those of ``read_pools``. What comes in from here on is made good by the next run.
    """
    actor, accounts = families.actor, [*families.in_scope]
    found = late_periods(actor, accounts) if families.has_late_usage else {}
    families.pools = read_pools(actor, families.members) if families.has_pools else Pools()
    held = {*found, *families.pools.members}
    if held:
        with connection.cursor() as cursor:
            cursor.execute(
                _LOCK,
                {
                    "tenant": actor.tenant_id,
                    "late": array_of([str(key) for key in held]),
                    "accounts": array_of([str(key) for key in accounts]),
                    "day": run_date,
                },
            )
    return found


def settle_late_usage(families: Families, late: LatePeriods, *, run_date: date) -> list[ChargeRow]:
    """Return the credits and charges that make good what was used, and forget that it was late.

    One statement beside those of ``settle_late``, none where nothing is late.

    Args:
        families: the families, under their locks.
        late: as ``hold_late_periods`` says.
        run_date: nothing falls due before.

    Source: docs/billing-rules.md, Usage; docs/billing-rules.md, Changes.
    """
    made, done = settle_late(families, late, run_date=run_date)
    if late:
        _forget(families.actor, done)
    return made


def _forget(actor: Actor, periods: Sequence[PeriodRow]) -> None:
    columns: list[list[Any]] = [
        [str(period.item_id) for period in periods],
        [str(period.id) for period in periods],
    ]
    with connection.cursor() as cursor:
        cursor.execute(_DONE, [actor.tenant_id, *map(array_of, columns)])
