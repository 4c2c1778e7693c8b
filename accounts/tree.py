"""The account tree: the only module that calls django-mptt.

django-mptt corrupts silently when two write at once, so every write takes the lock of the tree
(or of both, in ascending order) before it reads a node. Reads that decide money or rights compare
intervals inside one statement; a node loaded earlier may have moved since.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import connection, transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils.translation import gettext_lazy as _
from mptt.exceptions import InvalidMove

from accounts.errors import Conflict, Invalid, NotFound
from accounts.models import AccountNode

_LOCK_NAMESPACE = 0x7EE  # the first half of the two-part advisory lock; the second is the tree
_LOCK_TRIES = 20
MAX_DEPTH = 20


class TreeCycle(Invalid):
    """An account would come to stand below itself."""

    code = "tree_cycle"
    message = _("An account cannot stand below itself.")


class TreeTooDeep(Invalid):
    """The tree would have more levels than are kept."""

    code = "tree_too_deep"
    message = _("A tree has at most %(limit)s levels.")


class TreeBusy(Conflict):
    """The tree changed again and again while it was waited for."""

    code = "tree_busy"
    message = _("This tree is being changed by others. Try again.")


@dataclass(frozen=True, slots=True)
class Fault:
    """One node whose stored place disagrees with its parent."""

    account_id: UUID
    kind: str
    detail: str


# -- reading ---------------------------------------------------------------------------------


def lies_below(tenant_id: UUID, ids: Iterable[UUID] | QuerySet[Any], field: str = "pk") -> Q:
    """Return a condition on accounts: one of ``ids``, or below one of them.

    Args:
        tenant_id: the tenant; intervals of another are never compared.
        ids: account ids, or a queryset of them; read inside the same statement.
        field: the column of the filtered table that holds the account.
    """
    tops = AccountNode.objects.filter(
        tenant_id=tenant_id,
        account_id__in=ids,
        tree_id=OuterRef("tree_id"),
        lft__lte=OuterRef("lft"),
        rght__gte=OuterRef("rght"),
    )
    below = AccountNode.objects.filter(Exists(tops.order_by()), tenant_id=tenant_id)
    return Q(**{f"{field}__in": below.order_by().values("account_id")})


def lies_above(tenant_id: UUID, ids: Iterable[UUID] | QuerySet[Any], field: str = "pk") -> Q:
    """Return a condition on accounts: one of ``ids``, or above one of them."""
    below = AccountNode.objects.filter(
        tenant_id=tenant_id,
        account_id__in=ids,
        tree_id=OuterRef("tree_id"),
        lft__gte=OuterRef("lft"),
        rght__lte=OuterRef("rght"),
    )
    above = AccountNode.objects.filter(Exists(below.order_by()), tenant_id=tenant_id)
    return Q(**{f"{field}__in": above.order_by().values("account_id")})


def path_ids(tenant_id: UUID, account_id: UUID) -> list[UUID]:
    """Return the accounts from the root down to ``account_id`` itself. One statement."""
    sql = """
        SELECT up.account_id FROM accounts_accountnode AS down
        JOIN accounts_accountnode AS up ON up.tenant_id = down.tenant_id
            AND up.tree_id = down.tree_id AND up.lft <= down.lft AND up.rght >= down.rght
        WHERE down.tenant_id = %s AND down.account_id = %s ORDER BY up.level
    """
    with connection.cursor() as cursor:
        cursor.execute(sql, [tenant_id, account_id])
        return [row[0] for row in cursor.fetchall()]


def roots(tenant_id: UUID) -> QuerySet[AccountNode]:
    """Return the nodes without parent."""
    return AccountNode.objects.filter(tenant_id=tenant_id, parent=None).order_by("account_id")


def families(
    tenant_id: UUID, root_ids: Iterable[UUID]
) -> dict[UUID, list[tuple[UUID, UUID | None]]]:
    """Return, for each root, its accounts with their parents, parents first. One statement.

    Within a parent the order is by the accounts' stored sort key (R26).
    """
    tops = AccountNode.objects.filter(
        tenant_id=tenant_id, account_id__in=root_ids, tree_id=OuterRef("tree_id")
    )
    rows = (
        AccountNode.objects.filter(Exists(tops.order_by()), tenant_id=tenant_id)
        .order_by("tree_id", "level", "account__sort_key", "account_id")
        .values_list("tree_id", "account_id", "parent_id")
    )
    by_tree: dict[int, list[tuple[UUID, UUID | None]]] = defaultdict(list)
    for tree_id, account_id, parent_id in rows:
        by_tree[tree_id].append((account_id, parent_id))
    return {members[0][0]: members for members in by_tree.values()}


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


# -- writing ---------------------------------------------------------------------------------


def insert(tenant_id: UUID, account_id: UUID, parent_id: UUID | None) -> None:
    """Put a new account below ``parent_id``, or make it a root.

    Raises:
        NotFound: there is no such parent in the tenant.
        TreeTooDeep: the new level is beyond the limit.
    """
    node = AccountNode(account_id=account_id, tenant_id=tenant_id)
    if parent_id is None:
        AccountNode.objects.insert_node(node, None, save=True)
        return
    _lock(tenant_id, [parent_id])
    parent = _node(tenant_id, parent_id)
    if parent.level + 1 >= MAX_DEPTH:
        raise TreeTooDeep(limit=MAX_DEPTH)
    AccountNode.objects.insert_node(node, parent, position="last-child", save=True)


def move(tenant_id: UUID, account_id: UUID, parent_id: UUID | None) -> None:
    """Put an account and everything below it under ``parent_id``, or make it a root.

    Raises:
        NotFound: the account or the parent does not exist in the tenant.
        TreeCycle: the parent is the account itself or lies below it.
        TreeTooDeep: its lowest level would be beyond the limit.
    """
    _lock(tenant_id, [account_id] if parent_id is None else [account_id, parent_id])
    node = _node(tenant_id, account_id)
    if parent_id is None:
        if node.parent_id is not None:
            AccountNode.objects.move_node(node, None)
        return
    parent = _node(tenant_id, parent_id)
    same = parent.tree_id == node.tree_id
    if same and node.lft <= parent.lft and node.rght >= parent.rght:
        raise TreeCycle
    height = _height(tenant_id, node)
    if parent.level + 1 + height >= MAX_DEPTH:
        raise TreeTooDeep(limit=MAX_DEPTH)
    try:
        AccountNode.objects.move_node(node, parent, position="last-child")
    except InvalidMove as error:
        raise TreeCycle from error


def bulk_load(tenant_id: UUID, parents: Mapping[UUID, UUID | None]) -> None:
    """Put many new accounts into the tree at once.

    The intervals are computed in memory and written once: new trees as plain inserts, trees that
    already exist renumbered under their lock.

    Args:
        tenant_id: whose accounts they are.
        parents: each new account with its parent: another new one, one in the tree, or None.

    Raises:
        NotFound: a parent is neither new nor in the tenant's tree.
        TreeCycle: the parents lead round in a circle.
        TreeTooDeep: a level would be beyond the limit.
    """
    outside = {p for p in parents.values() if p is not None and p not in parents}
    _lock(tenant_id, outside)
    trees = dict(
        AccountNode.objects.filter(tenant_id=tenant_id, account_id__in=outside).values_list(
            "account_id", "tree_id"
        )
    )
    if len(trees) < len(outside):
        raise NotFound
    stored = {
        row[0]: row[1:]
        for row in AccountNode.objects.filter(tenant_id=tenant_id, tree_id__in=set(trees.values()))
        .order_by("tree_id", "lft")
        .values_list("account_id", "parent_id", "lft", "rght", "level", "tree_id")
    }
    children: dict[UUID | None, list[UUID]] = defaultdict(list)
    for account_id, (parent_id, *_place) in stored.items():
        children[parent_id].append(account_id)
    for account_id, parent_id in parents.items():
        children[parent_id].append(account_id)
    places: dict[UUID, tuple[int, int, int, int]] = {}
    new_roots = [account_id for account_id in children[None] if account_id not in stored]
    numbers = _next_tree_ids(len(new_roots))
    for root_id in children[None]:
        tree_id = stored[root_id][4] if root_id in stored else next(numbers)
        _number(root_id, tree_id, children, places)
    if len(places) < len(stored) + len(parents):
        raise TreeCycle
    _renumber(
        {key: place for key, place in places.items() if key in stored and place != stored[key][1:]}
    )
    AccountNode.objects.bulk_create(
        [
            AccountNode(
                account_id=account_id,
                tenant_id=tenant_id,
                parent_id=parent_id,
                lft=places[account_id][0],
                rght=places[account_id][1],
                level=places[account_id][2],
                tree_id=places[account_id][3],
            )
            for account_id, parent_id in sorted(
                parents.items(), key=lambda pair: places[pair[0]][2]
            )
        ],
        batch_size=5_000,
    )


def _number(
    root_id: UUID,
    tree_id: int,
    children: Mapping[UUID | None, Sequence[UUID]],
    places: dict[UUID, tuple[int, int, int, int]],
) -> None:
    """Walk one tree without recursion and note left, right, level and tree of each node."""
    counter = 0
    stack: list[tuple[UUID, int, int | None]] = [(root_id, 0, None)]
    while stack:
        account_id, level, left = stack.pop()
        counter += 1
        if left is not None:
            places[account_id] = (left, counter, level, tree_id)
            continue
        if level >= MAX_DEPTH:
            raise TreeTooDeep(limit=MAX_DEPTH)
        stack.append((account_id, level, counter))
        stack.extend((child, level + 1, None) for child in reversed(children.get(account_id, ())))


def _renumber(places: Mapping[UUID, tuple[int, int, int, int]]) -> None:
    """Write new intervals of nodes that exist already, in one statement."""
    if not places:
        return
    ids = list(places)
    columns = [[places[key][n] for key in ids] for n in range(4)]
    sql = """
        UPDATE accounts_accountnode AS node
        SET lft = new.lft, rght = new.rght, level = new.level, tree_id = new.tree_id
        FROM unnest(%s::uuid[], %s::int[], %s::int[], %s::int[], %s::int[])
            AS new (account_id, lft, rght, level, tree_id)
        WHERE node.account_id = new.account_id
    """
    with connection.cursor() as cursor:
        cursor.execute(sql, [[str(key) for key in ids], *columns])


def _next_tree_ids(count: int) -> Iterator[int]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT nextval('accounts_tree_id') FROM generate_series(1, %s)", [count])
        return iter([int(row[0]) for row in cursor.fetchall()])


# -- locking ---------------------------------------------------------------------------------


def lock_families(tenant_id: UUID, account_ids: Iterable[UUID]) -> None:
    """Keep the trees of these accounts as they are until the transaction ends."""
    _lock(tenant_id, account_ids)


def _lock(tenant_id: UUID, account_ids: Iterable[UUID]) -> None:
    """Take the lock of every tree concerned, in ascending order.

    A move by somebody else may carry an account into another tree while this waits, so the trees
    are read again under the locks. If there is a new one, all locks are given back, which rolling
    back to a savepoint does, and taken anew: out of order, two could wait for each other for ever.
    """
    ids = list(account_ids)
    wanted = _trees_of(tenant_id, ids)
    for _attempt in range(_LOCK_TRIES):
        if not wanted:
            return
        before = transaction.savepoint()
        with connection.cursor() as cursor:
            for tree_id in sorted(wanted):
                cursor.execute("SELECT pg_advisory_xact_lock(%s, %s)", [_LOCK_NAMESPACE, tree_id])
        found = _trees_of(tenant_id, ids)
        if found <= wanted:
            transaction.savepoint_commit(before)
            return
        transaction.savepoint_rollback(before)
        wanted = found
    raise TreeBusy


def _trees_of(tenant_id: UUID, account_ids: Iterable[UUID]) -> set[int]:
    nodes = AccountNode.objects.filter(tenant_id=tenant_id, account_id__in=account_ids)
    return set(nodes.order_by().values_list("tree_id", flat=True))


def _node(tenant_id: UUID, account_id: UUID) -> AccountNode:
    found = AccountNode.objects.filter(tenant_id=tenant_id, account_id=account_id)
    node: AccountNode | None = found.first()
    if node is None:
        raise NotFound
    return node


def _height(tenant_id: UUID, node: AccountNode) -> int:
    lowest = (
        AccountNode.objects.filter(
            tenant_id=tenant_id,
            tree_id=node.tree_id,
            lft__gte=node.lft,
            rght__lte=node.rght,
        )
        .order_by("-level")
        .values_list("level", flat=True)
        .first()
    )
    return (lowest if lowest is not None else node.level) - node.level


# -- checking --------------------------------------------------------------------------------


def check(tenant_id: UUID) -> tuple[int, int, list[Fault]]:
    """Compare every stored interval with the parents.

    Returns:
        The number of trees, the number of nodes, and the faults found.
    """
    rows = list(
        AccountNode.objects.filter(tenant_id=tenant_id)
        .order_by("tree_id", "lft")
        .values_list("account_id", "parent_id", "lft", "rght", "level", "tree_id")
    )
    place = {row[0]: row for row in rows}
    faults: list[Fault] = []
    trees: dict[int, list[Any]] = defaultdict(list)
    for row in rows:
        trees[row[5]].append(row)
        faults.extend(_disagreements(row, place.get(row[1]) if row[1] else None))
    for tree_id, members in trees.items():
        used = sorted(number for row in members for number in (row[2], row[3]))
        if used != list(range(1, 2 * len(members) + 1)):
            faults.append(
                Fault(
                    members[0][0],
                    "numbers",
                    f"tree {tree_id}: intervals have gaps or doubles",
                )
            )
        top = [row[0] for row in members if row[1] is None]
        if len(top) != 1:
            faults.append(Fault(members[0][0], "roots", f"tree {tree_id} has {len(top)} roots"))
    return len(trees), len(rows), faults


def _disagreements(row: Any, parent: Any) -> Iterable[Fault]:
    account_id, parent_id, left, right, level, tree_id = row
    if parent_id is None:
        if level != 0 or left != 1:
            yield Fault(account_id, "root", f"a root at level {level}, left {left}")
        return
    if parent is None:
        yield Fault(account_id, "parent", "its parent has no node")
        return
    _id, _parent, parent_left, parent_right, parent_level, parent_tree = parent
    if tree_id != parent_tree:
        yield Fault(account_id, "tree", f"in tree {tree_id}, its parent in {parent_tree}")
    elif not (parent_left < left < right < parent_right):
        yield Fault(
            account_id,
            "interval",
            f"[{left}, {right}] is not inside its parent's [{parent_left}, {parent_right}]",
        )
    if level != parent_level + 1:
        yield Fault(account_id, "level", f"level {level} below level {parent_level}")


def rebuild(tenant_id: UUID, account_ids: Iterable[UUID]) -> int:
    """Compute the intervals of the trees that hold these accounts anew from the parents.

    A wrong number may lie in a tree that the parents know nothing of, so everything is written
    that is tied to these accounts by a parent or by a shared tree number. Accounts that stand
    below each other in a circle have no place and stay as they are.

    Returns:
        The number of nodes written.
    """
    ids, rows = set(account_ids), dict[UUID, Any]()
    while True:
        _lock(tenant_id, ids)
        rows = {
            row[0]: row
            for row in AccountNode.objects.filter(tenant_id=tenant_id)
            .order_by("lft")
            .values_list("account_id", "parent_id", "lft", "rght", "level", "tree_id")
        }
        tied = _tied(rows, ids)
        if tied <= ids:
            break
        ids = tied
    children: dict[UUID | None, list[UUID]] = defaultdict(list)
    for account_id, parent_id, *_place in rows.values():
        children[parent_id].append(account_id)
    places: dict[UUID, tuple[int, int, int, int]] = {}
    roots_of_these = [root_id for root_id in children[None] if root_id in ids]
    for root_id in roots_of_these:
        _number(root_id, rows[root_id][5], children, places)
    taken = {rows[account_id][5] for account_id in ids if account_id not in places}
    for root_id in roots_of_these:
        tree_id = rows[root_id][5]
        if tree_id in taken:
            (tree_id,) = _next_tree_ids(1)
            _number(root_id, tree_id, children, places)
        taken.add(tree_id)
    changed = {key: place for key, place in places.items() if place != rows[key][2:]}
    _renumber(changed)
    return len(changed)


def _tied(rows: Mapping[UUID, Any], ids: Iterable[UUID]) -> set[UUID]:
    """Return the accounts tied to ``ids`` by parents or by a shared tree number."""
    neighbours: dict[object, list[UUID]] = defaultdict(list)
    for account_id, parent_id, _left, _right, _level, tree_id in rows.values():
        neighbours[tree_id].append(account_id)
        if parent_id is not None:
            neighbours[account_id].append(parent_id)
            neighbours[parent_id].append(account_id)
    tied: set[UUID] = set()
    waiting = [account_id for account_id in ids if account_id in rows]
    while waiting:
        account_id = waiting.pop()
        if account_id not in tied:
            tied.add(account_id)
            waiting += neighbours.pop(account_id, ())
            waiting += neighbours.pop(rows[account_id][5], ())
    return tied


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
