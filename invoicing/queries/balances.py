"""What accounts owe: open and overdue, as recipient or as payer, own and with all below."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import BooleanField, ExpressionWrapper, Q, QuerySet, Sum

from accounts.access import Action
from accounts.queries.sums import Statement, all_below, merged_by_account, parts_below
from billing_rules.invoice_states import last_overdue_day
from invoicing.queries.invoice_states import (
    is_overdue,
    overdue_in_sql,
    owed_in_sql,
    unpaid_in_sql,
)
from invoicing.queries.invoices import invoices
from invoicing.queries.visibility import paid_within
from tenancy.actor import Actor


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
    parts = parts_below(actor, Action.VIEW_INVOICE, ids)
    rows = _read(actor, _PER_TOP, parts, side, today)
    for top_id, is_own, (currency, open_minor, overdue_minor) in merged_by_account(rows):
        balance = found[top_id]
        _add(balance.tree_open, currency, open_minor)
        _add(balance.tree_overdue, currency, overdue_minor)
        if is_own:
            _add(balance.own_open, currency, open_minor)
            _add(balance.own_overdue, currency, overdue_minor)
    return found


def balance_total(
    actor: Actor,
    account_ids: Iterable[UUID] | QuerySet[Any, Any] | None,
    *,
    side: Side = Side.BILL_TO,
    today: date,
) -> Balance:
    """Return what accounts and all below them owe together, each counted once. One statement.

    Args:
        actor: who asks.
        account_ids: which accounts, None for all.
        side: as recipient or as payer.
        today: the day by which overdue is told.
    """
    total = Balance()
    parts = all_below(actor, Action.VIEW_INVOICE, account_ids)
    for currency, open_minor, overdue_minor in _read(actor, _ALL, parts, side, today):
        _add(total.tree_open, currency, open_minor)
        _add(total.tree_overdue, currency, overdue_minor)
    return total


@dataclass(slots=True)
class ToPay:
    """What is open and overdue by currency: what the readers pay, and what others pay for them."""

    own: Balance = field(default_factory=Balance)
    others: Balance = field(default_factory=Balance)


def to_pay(actor: Actor, *, today: date) -> ToPay:
    """Return what is owed on whole invoices in sight, by who pays it. One statement.

    Own is what is collected from accounts in reach; what is addressed to them but collected from
    others is apart. Of extracts nobody here owes anything.

    Args:
        actor: who asks.
        today: the day by which overdue is told.
    """
    rows = (
        invoices(actor, is_unpaid=True, today=today)
        .filter(Q(whole=True))
        .annotate(is_own=ExpressionWrapper(paid_within(actor), output_field=BooleanField()))
        .order_by("currency", "is_own")
        .values("currency", "is_own")
        .annotate(
            owed=Sum("shown_open_minor"),
            late=Sum("shown_open_minor", filter=is_overdue(today), default=0),
        )
        .values_list("currency", "is_own", "owed", "late")
    )
    total = ToPay()
    for currency, is_own, owed, late in rows:
        balance = total.own if is_own else total.others
        _add(balance.tree_open, currency, owed)
        _add(balance.tree_overdue, currency, late)
    return total


_OWED = f"""
    sum({owed_in_sql("invoice")}),
    sum({owed_in_sql("invoice")}) FILTER (WHERE {overdue_in_sql("invoice")})
    FROM part JOIN invoicing_invoice AS invoice ON invoice.tenant_id = %s
        AND invoice.{{side}}_id = part.account_id AND {unpaid_in_sql("invoice")}
"""
_PER_TOP = """
    SELECT NULL::uuid, part.tree_id, part.part, part.part, invoice.currency, {owed}
    GROUP BY part.tree_id, part.part, invoice.currency
    UNION ALL
    SELECT account_id, tree_id, first, last, NULL, NULL, NULL FROM place
"""
_ALL = "SELECT invoice.currency, {owed} GROUP BY invoice.currency"


def _read(
    actor: Actor, sql: str, parts: Statement, side: Side, today: date
) -> list[tuple[Any, ...]]:
    params = [*parts.params, last_overdue_day(today), actor.tenant_id]
    with connection.cursor() as cursor:
        cursor.execute(parts.sql + sql.format(owed=_OWED.format(side=side.value)), params)
        return list(cursor.fetchall())


def _add(sums: dict[str, int], currency: str, amount_minor: Any) -> None:
    if amount_minor:
        sums[currency] = sums.get(currency, 0) + int(amount_minor)
