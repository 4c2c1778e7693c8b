"""Rating in a run: due items are locked, their new periods stored."""

from collections.abc import Sequence
from datetime import date
from typing import Final
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
from tenancy.database.inserting import array_of, insert_rows
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
    if not late and not any("pool" in charge.calculation for charge in rated.charges):
        return tuple(rated.charges)
    late, others = with_mates(families, late, rated.charges)
    note_late(actor, others)
    charges = (*rated.charges, *settle_late_usage(families, late, run_date=run_date))
    note_shares(actor, charges)
    return charges


def _store_chains(actor: Actor, moved: Sequence[tuple[UUID, Followed]]) -> None:
    """Write how far each chain has come, in one statement."""
    if not moved:
        return
    ids = array_of([item_id for item_id, _followed in moved])
    ends = array_of([followed.chain_end for _item, followed in moved])
    actions = array_of([followed.next_action for _item, followed in moved])
    with connection.cursor() as cursor:
        cursor.execute(
            _STORE_CHAINS,
            {"tenant": actor.tenant_id, "ids": ids, "ends": ends, "actions": actions},
        )


# The ids stand there twice so that the items are looked up by key, however many others there are:
# a join alone may read all of the table for each batch.
_STORE_CHAINS: Final = """
    UPDATE subscriptions_item AS item
    SET chain_end = new.chain_end, next_action_date = new.next_action
    FROM unnest(%(ids)s::uuid[], %(ends)s::date[], %(actions)s::date[])
        AS new (id, chain_end, next_action)
    WHERE item.tenant_id = %(tenant)s AND item.id = new.id AND item.id = ANY(%(ids)s::uuid[])
"""
