"""Sums over subtrees as they stood on another day.

Few accounts stand elsewhere today than they did then. So trees of today are cut where a moved
account begins and ends, and where a wanted top does: of every stretch between two cuts all stood
together then too, below the same cut. Which cut stood below which one is read from the history of
those few, and accounts are read from trees of today by their intervals, each once.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from typing import Any
from uuid import UUID

from accounts import access
from accounts.access import Action
from accounts.queries.sums import Statement, Tops, seen_of
from accounts.tree import MAX_DEPTH
from tenancy.actor import Actor


def parts_then(actor: Actor, action: Action, tops: Tops, day: date) -> Statement:
    """Return ``WITH`` clauses that name parts of trees as they stood on a day.

    No statement by itself. They name ``part`` (account_id, top_id), every account at or below the
    tops once, with the nearest top at or above it, and ``above`` (top_id, above_id): each top that
    stands below another one, with the nearest.

    Args:
        actor: who asks; accounts out of reach are left out.
        action: what the accounts are read for.
        tops: account ids, or a queryset of them.
        day: the day.
    """
    stretches = _stretches(actor, seen_of(actor, action, tops), day)
    sql, params = stretches.sql + _PARTS.format(below=_BELOW), (*stretches.params, actor.tenant_id)
    if access.allows_everywhere(actor, action):
        # Nothing is out of reach: 50,000 accounts need not be looked up to learn that.
        return Statement(f"{sql})", params)
    reached = seen_of(actor, action, None)
    return Statement(f"{sql}{_SEEN.format(seen=reached.sql)})", (*params, *reached.params))


def all_below_then(actor: Actor, top_id: UUID, day: date) -> Statement:
    """Return a statement that reads all at or below an account on a day, in sight or not."""
    stretches = _stretches(actor, Statement("SELECT %s::uuid", (top_id,)), day)
    return Statement(stretches.sql + _ALL, (*stretches.params, actor.tenant_id))


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


def _stretches(actor: Actor, begun: Statement, day: date) -> Statement:
    """Return ``WITH`` clauses that name ``stretch`` and ``above``. No statement by itself."""
    tenant_id = actor.tenant_id
    held = (tenant_id, day, day)
    return Statement(
        _STRETCHES.format(begun=begun.sql),
        (*begun.params, *held, tenant_id, day, tenant_id, tenant_id, MAX_DEPTH),
    )


# Whoever stands since a later day where it stands now stood elsewhere, or nowhere: all others
# stood below their parent of today. OFFSET 0 keeps the planner from reading all of a table where
# a few rows are looked up.
#
# ``cut``: the accounts at which trees of today are cut, with the parent of today (inside_id), and
# that of the day (above_id). ``climbed`` goes up from these to the nearest cut, ``holder`` is what
# it has found. ``below`` goes down from each top over cuts, until it meets another top: such a row
# says below which, and nothing is walked from it. ``point`` is where a stretch begins, with the
# cut that it belongs to: at a cut this cut, after its end that around it.
_STRETCHES = """
    WITH RECURSIVE top (id) AS MATERIALIZED ({begun}), moved AS MATERIALIZED (
        SELECT now.account_id, held.parent_id, held.account_id IS NOT NULL AS is_placed
        FROM accounts_placement AS now LEFT JOIN LATERAL (
            SELECT account_id, parent_id FROM accounts_placement
            WHERE account_id = now.account_id AND tenant_id = %s
                AND valid_from <= %s AND valid_to > %s
            OFFSET 0
        ) AS held ON true
        WHERE now.tenant_id = %s AND now.valid_to IS NULL AND now.valid_from > %s
    ), cut AS MATERIALIZED (
        SELECT node.account_id, node.tree_id, node.lft, node.rght, node.parent_id AS inside_id,
            CASE WHEN moved.account_id IS NULL THEN node.parent_id ELSE moved.parent_id END
                AS above_id,
            coalesce(moved.is_placed, true) AS is_placed, top.id IS NOT NULL AS is_top
        FROM (SELECT id FROM top UNION SELECT account_id FROM moved) AS one (id)
        JOIN LATERAL (
            SELECT account_id, tree_id, lft, rght, parent_id FROM accounts_accountnode
            WHERE account_id = one.id AND tenant_id = %s
            OFFSET 0
        ) AS node ON true
        LEFT JOIN top ON top.id = one.id
        LEFT JOIN moved ON moved.account_id = one.id
    ), climbed AS (
        SELECT id AS start_id, id AS at_id
        FROM (SELECT inside_id FROM cut UNION SELECT above_id FROM cut) AS every (id)
        WHERE id IS NOT NULL
        UNION ALL
        SELECT climbed.start_id, node.parent_id
        FROM climbed JOIN LATERAL (
            SELECT parent_id FROM accounts_accountnode
            WHERE account_id = climbed.at_id AND tenant_id = %s
            OFFSET 0
        ) AS node ON node.parent_id IS NOT NULL
        WHERE climbed.at_id NOT IN (SELECT account_id FROM cut)
    ), holder AS MATERIALIZED (
        SELECT start_id, at_id AS cut_id FROM climbed
        WHERE at_id IN (SELECT account_id FROM cut)
    ), held AS MATERIALIZED (
        SELECT cut.account_id, cut.is_top, holder.cut_id AS above_id
        FROM cut JOIN holder ON holder.start_id = cut.above_id
        WHERE cut.is_placed
    ), below AS (
        SELECT account_id AS cut_id, account_id AS top_id, NULL::uuid AS above_id, 0 AS steps
        FROM cut WHERE is_top AND is_placed
        UNION ALL
        SELECT held.account_id, CASE WHEN held.is_top THEN held.account_id ELSE below.top_id END,
            CASE WHEN held.is_top THEN below.top_id END, below.steps + 1
        FROM below JOIN held ON held.above_id = below.cut_id
        WHERE below.above_id IS NULL AND below.steps < %s
    ), above AS (
        SELECT top_id, above_id FROM below WHERE above_id IS NOT NULL
    ), point AS (
        SELECT DISTINCT ON (tree_id, at) tree_id, at, cut_id FROM (
            SELECT tree_id, lft, account_id, true FROM cut
            UNION ALL
            SELECT cut.tree_id, cut.rght + 1, holder.cut_id, false
            FROM cut LEFT JOIN holder ON holder.start_id = cut.inside_id
        ) AS every (tree_id, at, cut_id, is_begun)
        ORDER BY tree_id, at, is_begun DESC
    ), stretch AS MATERIALIZED (
        SELECT one.tree_id, one.at AS first, one.next_at - 1 AS last, below.top_id
        FROM (
            SELECT tree_id, at, cut_id, lead(at) OVER (PARTITION BY tree_id ORDER BY at) AS next_at
            FROM point
        ) AS one JOIN below ON below.cut_id = one.cut_id AND below.above_id IS NULL
    )
"""
_BELOW = """
    JOIN LATERAL (
        SELECT account_id FROM accounts_accountnode
        WHERE tenant_id = %s AND tree_id = stretch.tree_id
            AND lft BETWEEN stretch.first AND stretch.last
        OFFSET 0
    ) AS node ON true
"""
_ALL = f"SELECT node.account_id FROM stretch {_BELOW}"  # noqa: S608 - our own text
_PARTS = """, part AS MATERIALIZED (
        SELECT node.account_id, stretch.top_id FROM stretch {below}
"""
_SEEN = "JOIN ({seen}) AS seen (id) ON seen.id = node.account_id"
