"""Sums over subtrees: the part of a statement that says which account counts for which top.

A tree is a row of accounts in the order of ``lft``, a subtree is a stretch of it. Cut the row where
the wanted subtrees begin and end: each top is then a range of parts, and every account lies in one
part. So the database adds each account up once, into as many sums as there are parts, however deep
the tops stand below each other; what a top has is put together here from its parts.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.core.exceptions import EmptyResultSet
from django.db.models import QuerySet

from accounts import access
from accounts.access import Action
from tenancy.actor import Actor

Tops = Iterable[UUID] | QuerySet[Any, Any]


@dataclass(frozen=True, slots=True)
class Statement:
    """The beginning of a statement, with its parameters."""

    sql: str
    params: tuple[Any, ...]


def parts_below(actor: Actor, action: Action, tops: Tops) -> Statement:
    """Return ``WITH`` clauses that number the parts of trees. No statement by itself.

    They name ``part`` (account_id, tree_id, part), every account at or below the tops once, and
    ``place`` (account_id, tree_id, first, last): the tops, each with its range of parts, of which
    the first holds itself alone. Intervals are compared inside the one statement.

    Args:
        actor: who asks; tops out of reach are left out. Who reaches a top reaches all below it.
        action: what the accounts are read for.
        tops: account ids, or a queryset of them.
    """
    seen = seen_of(actor, action, tops)
    sql = _OUTER.format(seen=seen.sql) + _PARTS.format(below=_BELOW)
    return Statement(sql, (actor.tenant_id, *seen.params, actor.tenant_id))


def accounts_wanted(actor: Actor, action: Action, accounts: Tops | None) -> Statement:
    """Return ``WITH`` clauses that name ``part`` (account_id): the accounts themselves.

    No statement by itself.

    Args:
        actor: who asks; accounts out of reach are left out.
        action: what the accounts are read for.
        accounts: account ids, or a queryset of them; None for all in reach.
    """
    seen = seen_of(actor, action, accounts)
    return Statement(_THOSE.format(seen=seen.sql), seen.params)


def all_below(actor: Actor, action: Action, tops: Tops | None) -> Statement:
    """Return ``WITH`` clauses that name ``part`` (account_id): all at or below tops, each once.

    No statement by itself.

    Args:
        actor: who asks; tops out of reach are left out.
        action: what the accounts are read for.
        tops: account ids, or a queryset of them; None for all accounts in reach.
    """
    if tops is None:
        return accounts_wanted(actor, action, None)
    seen = seen_of(actor, action, tops)
    sql = _OUTER.format(seen=seen.sql) + _ALL.format(below=_BELOW)
    return Statement(sql, (actor.tenant_id, *seen.params, actor.tenant_id))


def merged_by_account(rows: Iterable[Sequence[Any]]) -> Iterator[tuple[UUID, bool, Sequence[Any]]]:
    """Return the sums of parts for each top that they lie in.

    Args:
        rows: account_id, tree_id, first, last and sums: tops from ``place``, and sums of parts
            with no account and their part as first and last.

    Returns:
        the top, whether the part is the top itself, and the sums.
    """
    open_tops: list[Sequence[Any]] = []
    for row in sorted(rows, key=lambda one: (one[1], one[2], one[0] is None)):
        account_id, tree_id, first, _last, *sums = row
        while open_tops and (open_tops[-1][1] != tree_id or open_tops[-1][3] < first):
            open_tops.pop()
        if account_id is not None:
            open_tops.append(row)
            continue
        for top in open_tops:
            yield top[0], top[2] == first, sums


def seen_of(actor: Actor, action: Action, tops: Tops | None) -> Statement:
    """Return the ids of accounts in reach."""
    reached = access.reach(actor, action)
    if tops is not None:
        reached = reached.filter(pk__in=tops if isinstance(tops, QuerySet) else list(tops))
    return chosen(reached.values("pk"), otherwise="SELECT NULL::uuid WHERE false")


def chosen(found: QuerySet[Any, Any], *, otherwise: str) -> Statement:
    """Return what a queryset reads, or ``otherwise`` where it can find nothing."""
    try:
        return Statement(*found.order_by().query.sql_with_params())
    except EmptyResultSet:
        return Statement(otherwise, ())


# Tops below another top are dropped for finding what lies below: a top is outermost where no
# interval that began before it reaches as far.
_OUTER = """
    WITH top AS MATERIALIZED (
        SELECT node.account_id, node.tree_id, node.lft, node.rght
        FROM accounts_accountnode AS node
        WHERE node.tenant_id = %s AND node.account_id IN ({seen})
    ), outermost AS MATERIALIZED (
        SELECT tree_id, lft, rght FROM (
            SELECT tree_id, lft, rght, max(rght) OVER (
                PARTITION BY tree_id ORDER BY lft
                ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
            ) AS reached FROM top
        ) AS every WHERE reached IS NULL OR reached < lft
    )
"""
# OFFSET 0 keeps the planner from comparing every top with every account of its tree: it looks each
# stretch up in the index, and expects about as many accounts as there are.
_BELOW = """
    JOIN LATERAL (
        SELECT account_id, lft FROM accounts_accountnode
        WHERE tenant_id = %s AND tree_id = outermost.tree_id
            AND lft BETWEEN outermost.lft AND outermost.rght
        OFFSET 0
    ) AS node ON true
"""
_THOSE = "WITH part AS (SELECT id AS account_id FROM ({seen}) AS seen (id))"
_ALL = ", part AS (SELECT node.account_id FROM outermost {below})"
_PARTS = """, cut AS MATERIALIZED (
        SELECT tree_id, array_agg(DISTINCT at ORDER BY at) AS cuts
        FROM top, LATERAL (VALUES (lft), (lft + 1), (rght + 1)) AS every (at)
        GROUP BY tree_id
    ), place AS (
        SELECT top.account_id, top.tree_id, width_bucket(top.lft, cut.cuts) AS first,
            width_bucket(top.rght, cut.cuts) AS last
        FROM top JOIN cut ON cut.tree_id = top.tree_id
    ), part AS MATERIALIZED (
        SELECT node.account_id, cut.tree_id, width_bucket(node.lft, cut.cuts) AS part
        FROM outermost JOIN cut ON cut.tree_id = outermost.tree_id
    {below})
"""
