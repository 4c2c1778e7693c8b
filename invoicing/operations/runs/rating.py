"""Rating in a run: due items are locked, their new periods stored."""

from collections.abc import Sequence
from datetime import date
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import DateField

from billing_rules.schedule import Followed
from invoicing.engine.families import Families
from invoicing.engine.late_usage import with_mates
from invoicing.engine.rating import rate
from invoicing.engine.reading import ITEM, item_rows, open_periods
from invoicing.engine.rows import ChargeRow
from invoicing.operations.pools.sharing import note_late, note_shares
from invoicing.operations.runs.late_usage import hold_late_periods, settle_late_usage
from subscriptions.models import Item, Period
from tenancy.actor import Actor
from tenancy.database.inserting import insert_rows
from tenancy.database.prepared import Given, Prepared

# Locked in the order of their ids.
_DUE = Prepared(
    lambda: (
        Item.objects.select_for_update()
        .filter(
            tenant_id=Given("tenant"),
            account_id__among=Given("accounts"),
            next_action_date__lte=Given("day", DateField()),
        )
        .order_by("id")
        .values_list(*ITEM)
    )
)


def rate_due_items(families: Families, *, run_date: date) -> tuple[ChargeRow, ...]:
    """Follow the chain of every due item, store its new periods, and return its charges.

    What was used late is made good with them. The charges are not stored yet: where they stand is
    decided first.

    Args:
        families: the families of this batch, under their locks.
        run_date: everything due up to it.

    Source: docs/billing-rules.md, R3, R4, R5, R13, R18 to R20.
    """
    actor = families.actor
    late = hold_late_periods(families, run_date=run_date)
    due = _DUE.rows(tenant=actor.tenant_id, accounts=[*families.in_scope], day=run_date)
    items = item_rows(actor, due)
    rated = rate(families, items, open_periods(actor, items), until=run_date)
    insert_rows(rated.periods, into=Period, tenant_id=actor.tenant_id)
    _store_chains(actor, rated.moved)
    late, others = with_mates(families, late, rated.charges)
    note_late(actor, others)
    charges = (*rated.charges, *settle_late_usage(families, late, run_date=run_date))
    note_shares(actor, charges)
    return charges


def _store_chains(actor: Actor, moved: Sequence[tuple[UUID, Followed]]) -> None:
    """Write how far each chain has come, in one statement."""
    if not moved:
        return
    sql = """
        UPDATE subscriptions_item AS item
        SET chain_end = new.chain_end, next_action_date = new.next_action
        FROM unnest(%s::uuid[], %s::date[], %s::date[]) AS new (id, chain_end, next_action)
        WHERE item.tenant_id = %s AND item.id = new.id
    """
    columns: list[list[Any]] = [
        [str(item_id) for item_id, _followed in moved],
        [followed.chain_end for _item, followed in moved],
        [followed.next_action for _item, followed in moved],
    ]
    with connection.cursor() as cursor:
        cursor.execute(sql, [*columns, actor.tenant_id])
