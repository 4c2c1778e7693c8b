"""Reading the tree: intervals are compared inside one statement, never read first."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

from django.core.exceptions import EmptyResultSet
from django.db import connection
from django.db.models import BooleanField, Q, QuerySet
from django.db.models.expressions import RawSQL

from accounts.models import AccountNode
from tenancy.database.prepared import Given


def lies_below(
    tenant_id: UUID | Given,
    ids: Iterable[UUID] | QuerySet[Any] | RawSQL,
    field: str = "pk",
) -> Q:
    """Return a condition on accounts: one of ``ids``, or below one of them.

    Args:
        tenant_id: the tenant; intervals of another are never compared.
        ids: account ids, or a statement that reads them; read inside the same statement.
        field: the column of the filtered table that holds the account.
    """
    found = _nodes(tenant_id, ids, "tree_id", "lft", "rght")
    if found is None:
        return Q(**{f"{field}__in": ()})
    sql, params = found
    # Plain SQL, because conditions are put into each other many times over for one page, and
    # Django copies whatever it knows of them each time.
    below = RawSQL(_BELOW.format(tops=sql), (*params, tenant_id))  # noqa: S611 - our own text
    return Q(**{f"{field}__in": below})


def is_below(tenant_id: UUID, top_id: UUID) -> RawSQL:
    """Return the same condition for one top, looked at for each account that others leave.

    For a statement on accounts that asks for little of a large tree, such as a search.
    """
    return _with_bounds(_IS_BELOW, tenant_id, top_id)


def is_among_those_below(tenant_id: UUID, top_id: UUID) -> RawSQL:
    """Return the same condition for one top, all below which are read once beforehand.

    For a statement on accounts that asks for much of a large tree.
    """
    return _with_bounds(_IS_AMONG_THOSE_BELOW, tenant_id, top_id)


def _with_bounds(sql: str, tenant_id: UUID, top_id: UUID) -> RawSQL:
    params = (tenant_id, *(tenant_id, top_id) * 3)
    return RawSQL(sql, params, BooleanField())  # noqa: S611 - our own text


def lies_above(tenant_id: UUID, ids: Iterable[UUID] | QuerySet[Any], field: str = "pk") -> Q:
    """Return a condition on accounts: one of ``ids``, or above one of them.

    It climbs from parent to parent: a few steps, where intervals would be compared with half the
    tree.
    """
    found = _nodes(tenant_id, ids, "account_id", "parent_id")
    if found is None:
        return Q(**{f"{field}__in": ()})
    sql, params = found
    climbed = RawSQL(_ABOVE.format(lowest=sql), (*params, tenant_id))  # noqa: S611 - our own text
    return Q(**{f"{field}__in": climbed})


def _nodes(
    tenant_id: UUID | Given, ids: Iterable[UUID] | QuerySet[Any] | RawSQL, *columns: str
) -> tuple[str, tuple[Any, ...]] | None:
    """Return the statement that reads some nodes, None where there are none."""
    nodes = AccountNode.objects.filter(tenant_id=tenant_id, account_id__in=ids).order_by()
    try:
        sql, params = nodes.values_list(*columns).query.sql_with_params()
    except EmptyResultSet:
        return None
    return sql, tuple(params)


# "OFFSET 0" keeps the order: first the few tops, then what lies below each, by index. Left to
# itself the planner goes through all nodes for each account when it takes the table for empty,
# as it does just after an import: minutes for 1,500 accounts.
_BELOW = """
    SELECT node.account_id FROM ({tops} OFFSET 0) AS top (tree_id, lft, rght)
    CROSS JOIN LATERAL (
        SELECT account_id FROM accounts_accountnode
        WHERE tenant_id = %s AND tree_id = top.tree_id AND lft BETWEEN top.lft AND top.rght
        OFFSET 0
    ) AS node
"""
# The top is read once for all accounts.
_BETWEEN_ITS_BOUNDS = """
    tree_id = ({top} tree_id {end}) AND lft >= ({top} lft {end}) AND lft <= ({top} rght {end})
""".format(top="SELECT", end="FROM accounts_accountnode WHERE tenant_id = %s AND account_id = %s")
# "OFFSET 0" keeps this one from becoming the other.
_IS_BELOW = f"""
    EXISTS (
        SELECT FROM accounts_accountnode AS node
        WHERE tenant_id = %s AND account_id = accounts_account.id AND {_BETWEEN_ITS_BOUNDS}
        OFFSET 0
    )
"""
# "IS TRUE" keeps the planner from turning it round, which would look up every account below.
_IS_AMONG_THOSE_BELOW = f"""
    (accounts_account.id IN (
        SELECT account_id FROM accounts_accountnode
        WHERE tenant_id = %s AND {_BETWEEN_ITS_BOUNDS}
    )) IS TRUE
"""  # noqa: S608 - constant text
_ABOVE = """
    WITH RECURSIVE up AS (
        SELECT account_id, parent_id FROM ({lowest}) AS lowest (account_id, parent_id)
        UNION
        SELECT node.account_id, node.parent_id FROM up
        JOIN accounts_accountnode AS node
            ON node.tenant_id = %s AND node.account_id = up.parent_id
    ) SELECT account_id FROM up
"""


def path_ids(tenant_id: UUID, account_id: UUID) -> list[UUID]:
    """Return the accounts from the root down to ``account_id`` itself. One statement."""
    nodes = AccountNode.objects.filter(lies_above(tenant_id, [account_id]), tenant_id=tenant_id)
    return list(nodes.order_by("level").values_list("account_id", flat=True))


def paths(tenant_id: UUID, account_ids: Iterable[UUID]) -> dict[UUID, list[UUID]]:
    """Return, for each account, the accounts from the root down to itself. One statement.

    The database says each node once, however many accounts stand below it: paths of a whole import
    would otherwise repeat the ids above ten times over.
    """
    wanted = list(account_ids)
    with connection.cursor() as cursor:
        ids = [str(account_id) for account_id in wanted]
        cursor.execute(_NODES_ABOVE, {"tenant": tenant_id, "ids": ids})
        above: dict[str, str | None] = dict(cursor.fetchall())
    known: dict[str, list[UUID]] = {}
    keys = dict(zip(ids, wanted, strict=True))
    return {
        account_id: _path(text, above, known, keys)
        for account_id, text in zip(wanted, ids, strict=True)
        if text in above
    }


def with_those_above(
    tenant_id: UUID, account_ids: Iterable[UUID]
) -> list[tuple[UUID, UUID | None]]:
    """Return accounts and all above them, each with its parent, parents first. One statement."""
    parents: dict[UUID, UUID | None] = {}
    for path in paths(tenant_id, account_ids).values():
        parents |= {key: path[place - 1] if place else None for place, key in enumerate(path)}
    return list(parents.items())


def _path(
    account: str,
    above: Mapping[str, str | None],
    known: dict[str, list[UUID]],
    keys: Mapping[str, UUID],
) -> list[UUID]:
    """Return one path, and keep those of the accounts above for the next."""
    climbed: list[str] = []
    step: str | None = account
    while step is not None and step not in known:
        climbed.append(step)
        step = above[step]
    path = known[step] if step is not None else []
    for text in reversed(climbed):
        path = known[text] = [*path, keys.get(text) or UUID(text)]
    return path


# "OFFSET 0" looks each of them up by key; a join may read all nodes for each level.
_NODES_ABOVE = """
    WITH RECURSIVE up AS (
        SELECT account_id, parent_id FROM accounts_accountnode
        WHERE tenant_id = %(tenant)s AND account_id = ANY(%(ids)s::uuid[])
        UNION
        SELECT node.account_id, node.parent_id FROM up
        CROSS JOIN LATERAL (
            SELECT account_id, parent_id FROM accounts_accountnode
            WHERE tenant_id = %(tenant)s AND account_id = up.parent_id OFFSET 0
        ) AS node
    ) SELECT account_id::text, parent_id::text FROM up
"""


def roots(tenant_id: UUID) -> QuerySet[AccountNode]:
    """Return the nodes without parent."""
    return AccountNode.objects.filter(tenant_id=tenant_id, parent=None).order_by("account_id")


def families(
    tenant_id: UUID, root_ids: Iterable[UUID]
) -> dict[UUID, list[tuple[UUID, UUID | None]]]:
    """Return, for each root, its accounts with their parents, parents first. One statement.

    Within a parent the order is by the accounts' stored sort key (R26).
    """
    found = _nodes(tenant_id, root_ids, "tree_id")
    if found is None:
        return {}
    sql, params = found
    with connection.cursor() as cursor:
        cursor.execute(_FAMILIES.format(trees=sql), (*params, tenant_id))
        rows = cursor.fetchall()
    families: dict[UUID, list[tuple[UUID, UUID | None]]] = {}
    for account_id, parent_id in rows:
        if parent_id is None:
            family = families[account_id] = []
        family.append((account_id, parent_id))
    return families


_FAMILIES = """
    SELECT node.account_id, node.parent_id FROM accounts_accountnode AS node
    JOIN accounts_account AS account ON account.id = node.account_id
    WHERE node.tree_id IN ({trees}) AND node.tenant_id = %s
    ORDER BY node.tree_id, node.level, account.sort_key, node.account_id
"""


def depth_first(members: Sequence[tuple[UUID, UUID | None]]) -> list[UUID]:
    """Return the accounts of a family depth first, siblings in the order they are given."""
    children: dict[UUID | None, list[UUID]] = defaultdict(list)
    for account_id, parent_id in members:
        children[parent_id].append(account_id)
    order: list[UUID] = []
    stack = list(reversed(children[None]))
    while stack:
        account_id = stack.pop()
        order.append(account_id)
        stack.extend(reversed(children[account_id]))
    return order


def descendants_by_recursion(tenant_id: UUID, account_id: UUID) -> list[UUID]:
    """Return the account and all below it by following parents: the oracle of tests."""
    sql = """
        WITH RECURSIVE below AS (
            SELECT account_id FROM accounts_accountnode
            WHERE tenant_id = %(tenant)s AND account_id = %(top)s
            UNION ALL
            SELECT node.account_id FROM accounts_accountnode AS node
            JOIN below ON node.parent_id = below.account_id WHERE node.tenant_id = %(tenant)s
        ) SELECT account_id FROM below ORDER BY account_id
    """
    with connection.cursor() as cursor:
        cursor.execute(sql, {"tenant": tenant_id, "top": account_id})
        return [row[0] for row in cursor.fetchall()]
