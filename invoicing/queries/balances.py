"""What accounts owe: open and overdue, as recipient or as payer, own and with all below."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import date
from enum import StrEnum
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import QuerySet

from accounts.access import Action
from accounts.actor import Actor
from accounts.queries.trees import Pairs, tops_and_below
from invoicing.queries.invoices import UNPAID


class Side(StrEnum):
    """Whose open invoices are meant: those addressed to an account, or collected from it."""

    BILL_TO = "bill_to"
    PAYER = "payer"


@dataclass(slots=True)
class Balance:
    """Open and overdue in minor units by currency: the account's own, and with all below it."""

    own_open: dict[str, int] = field(default_factory=dict)
    own_overdue: dict[str, int] = field(default_factory=dict)
    tree_open: dict[str, int] = field(default_factory=dict)
    tree_overdue: dict[str, int] = field(default_factory=dict)


def balances(
    actor: Actor, account_ids: Iterable[UUID], *, side: Side = Side.BILL_TO, today: date
) -> dict[UUID, Balance]:
    """Return the balance of accounts in reach, those that owe nothing included. One statement.

    Args:
        actor: who asks.
        account_ids: which accounts.
        side: as recipient or as payer.
        today: the day by which overdue is told.
    """
    ids = list(account_ids)
    found = {key: Balance() for key in ids}
    pairs = tops_and_below(actor, Action.VIEW_INVOICE, ids)
    for top_id, currency, *amounts in _read(actor, _PER_TOP, pairs, side, today):
        balance = found[top_id]
        parts = (balance.own_open, balance.own_overdue, balance.tree_open, balance.tree_overdue)
        for part, amount in zip(parts, amounts, strict=True):
            if amount:
                part[currency] = int(amount)
    return found


def balance_total(
    actor: Actor,
    account_ids: Iterable[UUID] | QuerySet[Any, Any],
    *,
    side: Side = Side.BILL_TO,
    today: date,
) -> Balance:
    """Return what accounts and all below them owe together, each counted once. One statement."""
    total = Balance()
    pairs = tops_and_below(actor, Action.VIEW_INVOICE, account_ids)
    once = replace(pairs, sql=_EVERY.format(pairs=pairs.sql))
    for currency, open_minor, overdue_minor in _read(actor, _ALL, once, side, today):
        total.tree_open[currency] = int(open_minor)
        if overdue_minor:
            total.tree_overdue[currency] = int(overdue_minor)
    return total


_OWED = """
    SELECT pair.top_id, pair.top_id = pair.account_id AS is_own, invoice.currency,
        invoice.gross_minor - invoice.paid_minor AS open_minor, invoice.due_date < %s AS is_overdue
    FROM ({pairs}) AS pair
    JOIN invoicing_invoice AS invoice ON invoice.tenant_id = %s
        AND invoice.{side}_id = pair.account_id AND invoice.status IN %s
"""
_PER_TOP = """
    SELECT top_id, currency, sum(open_minor) FILTER (WHERE is_own),
        sum(open_minor) FILTER (WHERE is_own AND is_overdue),
        sum(open_minor), sum(open_minor) FILTER (WHERE is_overdue)
    FROM ({owed}) AS owed GROUP BY top_id, currency
"""
_ALL = """
    SELECT currency, sum(open_minor), sum(open_minor) FILTER (WHERE is_overdue)
    FROM ({owed}) AS owed GROUP BY currency
"""
_EVERY = "SELECT DISTINCT account_id AS top_id, account_id FROM ({pairs}) AS every"


def _read(actor: Actor, sql: str, pairs: Pairs, side: Side, today: date) -> list[tuple[Any, ...]]:
    owed = _OWED.format(pairs=pairs.sql, side=side.value)
    params = [today, *pairs.params, actor.tenant_id, tuple(UNPAID)]
    with connection.cursor() as cursor:
        cursor.execute(sql.format(owed=owed), params)
        return list(cursor.fetchall())
