"""Comparing intervals with parents, and computing them anew."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from accounts.models import AccountNode
from accounts.tree import locking
from accounts.tree.intervals import next_tree_ids, number_tree, renumber


@dataclass(frozen=True, slots=True)
class Fault:
    """One node whose stored place disagrees with its parent."""

    account_id: UUID
    kind: str
    detail: str


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
        locking.lock_families(tenant_id, ids)
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
        number_tree(root_id, rows[root_id][5], children, places)
    placeless = ids & {*rows} - {*places}
    taken = {rows[account_id][5] for account_id in placeless}
    for root_id in roots_of_these:
        tree_id = rows[root_id][5]
        if tree_id in taken:
            (tree_id,) = next_tree_ids(1)
            number_tree(root_id, tree_id, children, places)
        taken.add(tree_id)
    changed = {key: place for key, place in places.items() if place != rows[key][2:]}
    renumber(changed)
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
