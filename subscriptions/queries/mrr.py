"""Monthly recurring revenue of accounts, own and with all below, in minor units per currency.

Items of one price in one quantity are counted by the database and priced once, so that a tree of
any size is a few rows here.
"""

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import QuerySet

from accounts.access import Action
from accounts.actor import Actor
from accounts.queries.trees import tops_and_below
from billing_rules.mrr import monthly_minor
from subscriptions.models import Price

_PRICE = ("model", "currency", "unit_amount", "tiers", "package_size", "interval", "interval_count")


@dataclass(slots=True)
class Mrr:
    """What an account brings in a month: itself, and with all below it; by currency.

    ``next_date`` is the first day on which something of the tree is billed.
    """

    own: dict[str, int] = field(default_factory=dict)
    tree: dict[str, int] = field(default_factory=dict)
    next_date: date | None = None


@dataclass(frozen=True, slots=True)
class _Group:
    """Items of one price in one quantity below one top: how many, and how many of the top's own."""

    top_id: UUID
    count: int
    own_count: int
    next_date: date | None
    monthly_minor: int
    currency: str


def mrr_of(actor: Actor, account_ids: Iterable[UUID], on: date) -> dict[UUID, Mrr]:
    """Return the MRR of accounts in reach, those without any included. One statement.

    Args:
        actor: who asks.
        account_ids: which accounts.
        on: the day; subscriptions that have not begun or have ended by then bring nothing.
    """
    ids = list(account_ids)
    found = {key: Mrr() for key in ids}
    for group in _groups(actor, _PER_TOP, ids, on):
        mrr = found[group.top_id]
        _add(mrr.tree, group.currency, group.monthly_minor * group.count)
        _add(mrr.own, group.currency, group.monthly_minor * group.own_count)
        mrr.next_date = _earlier(mrr.next_date, group.next_date)
    return found


def mrr_total(
    actor: Actor, account_ids: Iterable[UUID] | QuerySet[Any, Any], on: date
) -> dict[str, int]:
    """Return the MRR of accounts in reach and all below them, each counted once. One statement."""
    total: dict[str, int] = defaultdict(int)
    for group in _groups(actor, _ALL, account_ids, on):
        total[group.currency] += group.monthly_minor * group.count
    return dict(total)


# What is grouped is small, so prices are joined after it.
_GROUPED = """
    SELECT grouped.*, {price} FROM ({grouped}) AS grouped
    JOIN subscriptions_price AS price
        ON price.tenant_id = %s AND price.id = grouped.price_id
"""
_ITEMS = """
    JOIN subscriptions_item AS item ON item.tenant_id = %s AND item.account_id = pair.account_id
    JOIN subscriptions_subscription AS subscription
        ON subscription.tenant_id = item.tenant_id AND subscription.id = item.subscription_id
        AND subscription.start_date <= %s
        AND (subscription.end_date IS NULL OR subscription.end_date > %s)
"""
_PER_TOP = """
    SELECT pair.top_id, item.quantity, count(*),
        count(*) FILTER (WHERE pair.top_id = pair.account_id), min(item.next_action_date),
        item.price_id
    FROM ({pairs}) AS pair {items}
    GROUP BY pair.top_id, item.price_id, item.quantity
"""
_ALL = """
    SELECT NULL::uuid, item.quantity, count(*), 0, min(item.next_action_date), item.price_id
    FROM (SELECT DISTINCT account_id FROM ({pairs}) AS every) AS pair {items}
    GROUP BY item.price_id, item.quantity
"""


def _groups(
    actor: Actor, sql: str, account_ids: Iterable[UUID] | QuerySet[Any, Any], on: date
) -> Iterator[_Group]:
    pairs = tops_and_below(actor, Action.VIEW_SUBSCRIPTION, account_ids)
    grouped = sql.format(pairs=pairs.sql, items=_ITEMS)
    price = ", ".join(f"price.{name}" for name in _PRICE)
    tenant_id = actor.tenant_id
    with connection.cursor() as cursor:
        cursor.execute(
            _GROUPED.format(price=price, grouped=grouped),
            [*pairs.params, tenant_id, on, on, tenant_id],
        )
        priced: dict[tuple[UUID, Any], tuple[int, str]] = {}
        for top_id, quantity, items, own_items, next_date, price_id, *columns in cursor:
            key = price_id, quantity
            if key not in priced:
                priced[key] = _priced(quantity, dict(zip(_PRICE, columns, strict=True)))
            yield _Group(top_id, items, own_items, next_date, *priced[key])


def _priced(quantity: Any, values: dict[str, Any]) -> tuple[int, str]:
    """Return what one item brings in a month in minor units, and the currency."""
    price = Price(**{**values, "tiers": _plain(values["tiers"])})
    return monthly_minor(price.terms, quantity, price.cycle, price.currency), price.currency


def _plain(tiers: Any) -> Any:
    return json.loads(tiers) if isinstance(tiers, str) else tiers


def _add(sums: dict[str, int], currency: str, amount_minor: int) -> None:
    if amount_minor:
        sums[currency] = sums.get(currency, 0) + amount_minor


def _earlier(one: date | None, other: date | None) -> date | None:
    days = [day for day in (one, other) if day is not None]
    return min(days, default=None)
