"""Monthly recurring revenue of accounts, own and with all below, in minor units per currency.

What an item brings in a month is kept with its terms; which of them hold, and whether it brings
anything, is a matter of the day that is asked for, so nothing has to be brought up to date when
time passes.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import QuerySet

from accounts.access import Action
from accounts.queries.sums import (
    Statement,
    all_below,
    merged_by_account,
    parts_below,
)
from accounts.queries.sums_then import merged_by_top, parts_then
from subscriptions.queries.terms import MONTHLY_ON
from tenancy.actor import Actor


@dataclass(slots=True)
class Mrr:
    """What an account brings in a month: itself, and with all below it; by currency.

    ``subscriptions`` counts its own that run. ``own_next_date`` is the first day on which something
    of it is billed, ``next_date`` the first on which something of the tree is.
    """

    own: dict[str, int] = field(default_factory=dict)
    tree: dict[str, int] = field(default_factory=dict)
    subscriptions: int = 0
    own_next_date: date | None = None
    next_date: date | None = None


def mrr_of(actor: Actor, account_ids: Iterable[UUID], on: date) -> dict[UUID, Mrr]:
    """Return the MRR of accounts in reach, those without any included. One statement.

    Args:
        actor: who asks.
        account_ids: which accounts.
        on: the day; subscriptions that have not begun or have ended by then bring nothing.
    """
    ids = list(account_ids)
    found = {key: Mrr() for key in ids}
    parts = parts_below(actor, Action.VIEW_SUBSCRIPTION, ids)
    with connection.cursor() as cursor:
        cursor.execute(
            parts.sql + _PER_TOP.format(items=_ITEMS, monthly=MONTHLY_ON),
            [*parts.params, on, on, actor.tenant_id, on, on],
        )
        rows = cursor.fetchall()
    _add_sums(found, merged_by_account(rows))
    return found


def mrr_then(actor: Actor, account_ids: Iterable[UUID], on: date) -> dict[UUID, Mrr]:
    """Return the MRR of accounts with all that stood below them on a day. One statement.

    Args:
        actor: who asks; accounts out of reach bring nothing.
        account_ids: which accounts.
        on: the day, as of ``mrr_of``.
    """
    found = {key: Mrr() for key in account_ids}
    parts = parts_then(actor, Action.VIEW_SUBSCRIPTION, found, on)
    with connection.cursor() as cursor:
        cursor.execute(
            parts.sql + _OWNERS + _PER_PART.format(items=_ITEMS_THEN, monthly=MONTHLY_ON),
            [*parts.params, *_params_then(actor, on)],
        )
        rows = cursor.fetchall()
    _add_sums(found, merged_by_top(rows))
    return found


def mrr_total(
    actor: Actor, account_ids: Iterable[UUID] | QuerySet[Any, Any] | None, on: date
) -> dict[str, int]:
    """Return the MRR of accounts in reach and all below them, each counted once. One statement.

    Args:
        actor: who asks.
        account_ids: which accounts, None for all.
        on: the day, as of ``mrr_of``.
    """
    parts = all_below(actor, Action.VIEW_SUBSCRIPTION, account_ids)
    params = (*parts.params, on, on, actor.tenant_id, on, on)
    return _total(Statement(parts.sql + _ALL.format(items=_ITEMS, monthly=MONTHLY_ON), params))


def mrr_total_then(
    actor: Actor, account_ids: Iterable[UUID] | QuerySet[Any, Any], on: date
) -> dict[str, int]:
    """Return the MRR of accounts and all that stood below them on a day. One statement.

    Args:
        actor: who asks; accounts out of reach bring nothing.
        account_ids: which accounts.
        on: the day, as of ``mrr_of``.
    """
    parts = parts_then(actor, Action.VIEW_SUBSCRIPTION, account_ids, on)
    sql = parts.sql + _OWNERS + _ALL.format(items=_ITEMS_THEN, monthly=MONTHLY_ON)
    return _total(Statement(sql, (*parts.params, *_params_then(actor, on))))


def _params_then(actor: Actor, on: date) -> tuple[Any, ...]:
    owners, monthly = (actor.tenant_id, on), (on, on)
    return (*owners, *monthly, actor.tenant_id, actor.tenant_id, on, on)


def _total(statement: Statement) -> dict[str, int]:
    total: dict[str, int] = defaultdict(int)
    with connection.cursor() as cursor:
        cursor.execute(statement.sql, statement.params)
        for currency, amount in cursor.fetchall():
            _add(total, currency, int(amount))
    return dict(total)


# OFFSET 0 keeps the prices last. A few are never counted: taken for one, they would come first, and
# all that is sold would be read again for each of them.
_SOLD = """
    JOIN subscriptions_subscription AS subscription
        ON subscription.tenant_id = item.tenant_id AND subscription.id = item.subscription_id
        AND GREATEST(subscription.start_date, subscription.trial_end) <= %s
        AND (subscription.end_date IS NULL OR subscription.end_date > %s)
    JOIN LATERAL (
        SELECT * FROM subscriptions_price
        WHERE tenant_id = item.tenant_id AND id = item.price_id
        OFFSET 0
    ) AS price ON true
"""
_NOW = """
    FROM part
    JOIN subscriptions_item AS item ON item.tenant_id = %s AND item.account_id = part.account_id
"""
_ITEMS = _NOW + _SOLD
# Whose subscriptions were on the day that are somebody else's since: few, if any.
_OWNERS = """
    , owner AS MATERIALIZED (
        SELECT DISTINCT ON (subscription_id) subscription_id, account_id
        FROM subscriptions_earlierowner WHERE tenant_id = %s AND until > %s
        ORDER BY subscription_id, until
    )
"""
_THEN = """
    FROM (
        SELECT part.top_id, part.account_id AS owner_id, item.*
        FROM part
        JOIN subscriptions_item AS item ON item.tenant_id = %s AND item.account_id = part.account_id
        LEFT JOIN owner ON owner.subscription_id = item.subscription_id
        WHERE owner.subscription_id IS NULL
        UNION ALL
        SELECT part.top_id, part.account_id AS owner_id, item.*
        FROM owner
        JOIN part ON part.account_id = owner.account_id
        JOIN subscriptions_item AS item
            ON item.tenant_id = %s AND item.subscription_id = owner.subscription_id
    ) AS item
"""
_ITEMS_THEN = _THEN + _SOLD
_PER_TOP = """
    SELECT NULL::uuid, part.tree_id, part.part, part.part, price.currency,
        sum({monthly}), count(*), min(item.next_action_date)
    {items}
    GROUP BY part.tree_id, part.part, price.currency
    UNION ALL
    SELECT account_id, tree_id, first, last, NULL, NULL, NULL, NULL FROM place
"""
_PER_PART = """
    SELECT item.top_id, NULL::uuid, item.owner_id = item.top_id, price.currency,
        sum({monthly}), count(*), min(item.next_action_date)
    {items}
    GROUP BY item.top_id, item.owner_id = item.top_id, price.currency
    UNION ALL
    SELECT top_id, above_id, NULL, NULL, NULL, NULL, NULL FROM above
"""
_ALL = "SELECT price.currency, sum({monthly}) {items} GROUP BY price.currency"


def _add_sums(found: dict[UUID, Mrr], sums: Iterable[tuple[UUID, bool, Sequence[Any]]]) -> None:
    for top_id, is_own, (currency, amount, count, next_date) in sums:
        mrr = found[top_id]
        _add(mrr.tree, currency, int(amount))
        mrr.next_date = _earlier(mrr.next_date, next_date)
        if is_own:
            _add(mrr.own, currency, int(amount))
            mrr.subscriptions += count
            mrr.own_next_date = _earlier(mrr.own_next_date, next_date)


def _add(sums: dict[str, int], currency: str, amount_minor: int) -> None:
    if amount_minor:
        sums[currency] = sums.get(currency, 0) + amount_minor


def _earlier(one: date | None, other: date | None) -> date | None:
    days = [day for day in (one, other) if day is not None]
    return min(days, default=None)
