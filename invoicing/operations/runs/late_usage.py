"""Usage that came in after its period was charged: the next run makes it good."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from datetime import date
from typing import Any, Final
from uuid import UUID

from django.db import connection

from billing_rules.pricing import InvalidQuantity
from invoicing.engine.families import Families, Problem
from invoicing.engine.reading import ITEM, item_rows
from invoicing.engine.reading_charges import charges_since
from invoicing.engine.rows import ChargeRow, ItemRow, PeriodRow
from invoicing.engine.settling import Settler
from subscriptions.models import Item, LateUsage
from tenancy.actor import Actor
from tenancy.database.inserting import array_of
from tenancy.database.prepared import Given, Prepared

_LATE = Prepared(
    lambda: (
        LateUsage.objects.filter(
            tenant_id=Given("tenant"), item__account_id__among=Given("accounts")
        )
        .order_by("item_id", "period_id")
        .values_list(
            "item_id", "period_id", "period__starts", "period__ends", "period__prev_ends",
            "period__full_start", "period__full_end", "period__quantity",
        )
    )
)  # fmt: skip
_ITEMS = Prepared(
    lambda: (
        Item.objects.filter(tenant_id=Given("tenant"), pk__among=Given("ids"))
        .order_by("id")
        .values_list(*ITEM)
    )
)
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


def late_periods(families: Families, *, run_date: date) -> dict[UUID, list[PeriodRow]]:
    """Return the charged periods for which usage came in late, by item; their items are locked.

    One statement, one more where there are some.
    """
    actor, accounts = families.actor, [*families.in_scope]
    found: dict[UUID, list[PeriodRow]] = defaultdict(list)
    for item_id, period_id, *columns in _LATE.rows(tenant=actor.tenant_id, accounts=accounts):
        found[item_id].append(PeriodRow(period_id, item_id, *columns))
    if found:
        with connection.cursor() as cursor:
            cursor.execute(
                _LOCK,
                {
                    "tenant": actor.tenant_id,
                    "late": array_of([str(key) for key in found]),
                    "accounts": array_of([str(key) for key in accounts]),
                    "day": run_date,
                },
            )
    return found


def settle_late_usage(
    families: Families, late: dict[UUID, list[PeriodRow]], *, run_date: date
) -> list[ChargeRow]:
    """Return the credits and charges that make good what was used, and forget that it was late.

    A period that is not charged yet is charged right anyway; what comes to the same amount stays
    as it is. Seven statements, none where nothing is late.

    Args:
        families: the families, under their locks.
        late: as ``late_periods`` says.
        run_date: nothing falls due before.

    Source: docs/billing-rules.md, Usage; docs/billing-rules.md, Changes.
    """
    if not late:
        return []
    actor = families.actor
    rows = [
        (*row[:4], row[4] or date.max, *row[5:])
        for row in _ITEMS.rows(tenant=actor.tenant_id, ids=[*late])
    ]
    charges = charges_since(actor, [one for periods in late.values() for one in periods])
    settler = Settler(families, today=run_date, is_billed_now=False)
    made: list[ChargeRow] = []
    done: list[PeriodRow] = []
    for item in item_rows(actor, rows):
        try:
            made += _settled(settler, item, late[item.id], charges.get(item.id, ()))
        except InvalidQuantity:
            families.problems.append(
                Problem("amount_out_of_range", item.account_id, item.subscription.id)
            )
            continue
        done += late[item.id]
    _forget(actor, done)
    return made


def _settled(
    settler: Settler, item: ItemRow, periods: Sequence[PeriodRow], charges: Collection[ChargeRow]
) -> list[ChargeRow]:
    """Return what makes good each period; one that has no charge costs nothing."""
    made: list[ChargeRow] = []
    for period in sorted(periods, key=lambda one: one.starts):
        own = [charge for charge in charges if charge.period_id == period.id]
        made += settler.settle(item, [period], own)
    return made


def _forget(actor: Actor, periods: Sequence[PeriodRow]) -> None:
    columns: list[list[Any]] = [
        [str(period.item_id) for period in periods],
        [str(period.id) for period in periods],
    ]
    with connection.cursor() as cursor:
        cursor.execute(_DONE, [actor.tenant_id, *map(array_of, columns)])
