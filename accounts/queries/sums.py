"""Sums over subtrees: the part of a statement that says which account counts for which top.

A tree is a row of accounts in the order of ``lft``, a subtree is a stretch of it. Cut the row where
the wanted subtrees begin and end: each top is then a range of parts, and every account lies in one
part. So the database adds each account up once, into as many sums as there are parts, however deep
the tops stand below each other; what a top has is put together here from its parts.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from django.core.exceptions import EmptyResultSet
from django.db.models import QuerySet

from accounts import access
from accounts.access import Action
from accounts.tree import MAX_DEPTH
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
    seen = _seen(actor, action, tops)
    sql = _OUTER.format(seen=seen.sql) + _PARTS.format(below=_BELOW)
    return Statement(sql, (actor.tenant_id, *seen.params, actor.tenant_id))


def parts_then(actor: Actor, action: Action, tops: Tops, day: date) -> Statement:
    """Return ``WITH`` clauses that name parts of trees as they stood on a day.

    No statement by itself. They name ``part`` (account_id, status, top_id), every account at or
    below the tops once, with the nearest top at or above it, and ``above`` (top_id, above_id): each
    top that stands below another one, with the nearest.

    Args:
        actor: who asks; accounts out of reach are left out.
        action: what the accounts are read for.
        tops: account ids, or a queryset of them.
        day: the day.
    """
    begun, seen = _seen(actor, action, tops), _reached(actor, action)
    held = (actor.tenant_id, day, day)
    sql = _PARTS_THEN.format(begun=begun.sql, seen=seen.sql)
    return Statement(sql, (*begun.params, *held, *held, MAX_DEPTH, *seen.params))


def accounts_wanted(actor: Actor, action: Action, accounts: Tops | None) -> Statement:
    """Return ``WITH`` clauses that name ``part`` (account_id): the accounts themselves.

    No statement by itself.

    Args:
        actor: who asks; accounts out of reach are left out.
        action: what the accounts are read for.
        accounts: account ids, or a queryset of them; None for all in reach.
    """
    seen = _seen(actor, action, accounts)
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
    seen = _seen(actor, action, tops)
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


def merged_by_top(rows: Iterable[Sequence[Any]]) -> Iterator[tuple[UUID, bool, Sequence[Any]]]:
    """Return the sums of parts of another day for each top that they lie in.

    Args:
        rows: top_id, above_id, whether it is the top itself, and sums: what ``above`` says with
            nothing else, and sums of parts without an above_id.

    Returns:
        as ``merged_by_account``.
    """
    above, parts = {}, []
    for top_id, above_id, is_own, *sums in rows:
        if above_id is not None:
            above[top_id] = above_id
        else:
            parts.append((top_id, is_own, sums))
    for top_id, is_own, sums in parts:
        yield top_id, is_own, sums
        step = above.get(top_id)
        while step is not None:
            yield step, False, sums
            step = above.get(step)


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
# Each top begins by itself, and is found again below another one: that row says below which, and
# nothing is walked from it. OFFSET 0 as above: else all placements are read for each level.
_PARTS_THEN = """
    WITH RECURSIVE top (id) AS MATERIALIZED ({begun}), below AS (
        SELECT account_id, account_id AS top_id, NULL::uuid AS above_id, 0 AS steps
        FROM accounts_placement
        WHERE account_id IN (SELECT id FROM top) AND tenant_id = %s
            AND valid_from <= %s AND (valid_to IS NULL OR valid_to > %s)
        UNION ALL
        SELECT placed.account_id, coalesce(top.id, below.top_id),
            CASE WHEN top.id IS NOT NULL THEN below.top_id END, below.steps + 1
        FROM below
        JOIN LATERAL (
            SELECT account_id FROM accounts_placement
            WHERE parent_id = below.account_id AND tenant_id = %s
                AND valid_from <= %s AND (valid_to IS NULL OR valid_to > %s)
            OFFSET 0
        ) AS placed ON true
        LEFT JOIN top ON top.id = placed.account_id
        WHERE below.above_id IS NULL AND below.steps < %s
    ), above AS (
        SELECT top_id, above_id FROM below WHERE above_id IS NOT NULL
    ), part AS (
        SELECT below.account_id, seen.status, below.top_id
        FROM below JOIN ({seen}) AS seen (id, status) ON seen.id = below.account_id
        WHERE below.above_id IS NULL
    )
"""


def _seen(actor: Actor, action: Action, tops: Tops | None) -> Statement:
    """Return the ids of accounts in reach."""
    reached = access.reach(actor, action)
    if tops is not None:
        reached = reached.filter(pk__in=tops if isinstance(tops, QuerySet) else list(tops))
    return _chosen(reached.values("pk"), otherwise="SELECT NULL::uuid WHERE false")


def _reached(actor: Actor, action: Action) -> Statement:
    """Return the ids of all accounts in reach, with their status."""
    nobody = "SELECT NULL::uuid, NULL::text WHERE false"
    return _chosen(access.reach(actor, action).values("pk", "status"), otherwise=nobody)


def _chosen(found: QuerySet[Any, Any], *, otherwise: str) -> Statement:
    try:
        return Statement(*found.order_by().query.sql_with_params())
    except EmptyResultSet:
        return Statement(otherwise, ())
