"""Writing the tree: each write locks, then reads, then acts."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.utils.translation import gettext_lazy as _

from accounts.models import AccountNode
from accounts.tree import locking
from accounts.tree.intervals import MAX_DEPTH, TreeTooDeep, next_tree_ids, number_tree, renumber
from accounts.tree.shifting import (
    open_gap,
    shift_between,
    shift_children_beside,
    shift_within,
)
from tenancy.database.inserting import insert_rows
from tenancy.errors import Invalid, NotFound


class TreeCycle(Invalid):
    """An account would come to stand below itself."""

    code = "tree_cycle"
    message = _("An account cannot stand below itself.")


_NODES_AT_ONCE = 5_000


@dataclass(frozen=True, slots=True)
class _Node:
    """A new place in a tree, named as the model's columns are."""

    account_id: UUID
    parent_id: UUID | None
    lft: int
    rght: int
    level: int
    tree_id: int


def insert(tenant_id: UUID, account_id: UUID, parent_id: UUID | None) -> None:
    """Put a new account below ``parent_id``, or make it a root.

    Raises:
        NotFound: there is no such parent in the tenant.
        TreeTooDeep: the new level is beyond the limit.
    """
    graft(tenant_id, {account_id: None}, parent_id)


def graft(
    tenant_id: UUID, parents: Mapping[UUID, UUID | None], below_id: UUID | None = None
) -> None:
    """Put new accounts below one, with what stands below them; or make them trees of their own.

    The intervals are computed in memory. Of a tree that exists only the rows behind the new ones
    are written, in one statement however many there are.

    Args:
        tenant_id: whose accounts they are.
        parents: each new account with its parent among them, None for those on top.
        below_id: what those on top are put below; None makes each the root of a new tree.

    Raises:
        NotFound: there is no such account to put them below in the tenant.
        TreeCycle: the parents lead round in a circle.
        TreeTooDeep: a level would be beyond the limit; nothing is written then.
    """
    parent = None
    if below_id is not None:
        locking.lock_families(tenant_id, [below_id])
        parent = _node(tenant_id, below_id)
    children: dict[UUID | None, list[UUID]] = defaultdict(list)
    for account_id, above_id in parents.items():
        children[above_id].append(account_id)
    levels_above = 0 if parent is None else parent.level + 1
    _check_reached(children, len(parents), levels_above)
    if parent is None:
        places = _new_trees(children)
    else:
        places = _branch(children, parent)
        open_gap(parent, 2 * len(parents))
    said = {key: above_id or below_id for key, above_id in parents.items()}
    _write(tenant_id, said, {}, places)


def _new_trees(
    children: Mapping[UUID | None, Sequence[UUID]],
) -> dict[UUID, tuple[int, int, int, int]]:
    places: dict[UUID, tuple[int, int, int, int]] = {}
    for root_id, tree_id in zip(children[None], next_tree_ids(len(children[None])), strict=True):
        number_tree(root_id, tree_id, children, places)
    return places


def _branch(
    children: Mapping[UUID | None, Sequence[UUID]], parent: AccountNode
) -> dict[UUID, tuple[int, int, int, int]]:
    """Return the places of new nodes at the end of a parent's children, one top after another."""
    places: dict[UUID, tuple[int, int, int, int]] = {}
    before, deeper = parent.rght - 1, parent.level + 1
    for top_id in children[None]:
        own: dict[UUID, tuple[int, int, int, int]] = {}
        number_tree(top_id, parent.tree_id, children, own)
        for key, (left, right, level, tree_id) in own.items():
            places[key] = (left + before, right + before, level + deeper, tree_id)
        before += 2 * len(own)
    return places


def move(tenant_id: UUID, account_id: UUID, parent_id: UUID | None) -> None:
    """Put an account and everything below it under ``parent_id``, or make it a root.

    Raises:
        NotFound: the account or the parent does not exist in the tenant.
        TreeCycle: the parent is the account itself or lies below it.
        TreeTooDeep: its lowest level would be beyond the limit.
    """
    locking.lock_families(tenant_id, [account_id] if parent_id is None else [account_id, parent_id])
    node = _node(tenant_id, account_id)
    if parent_id is None:
        if node.parent_id is not None:
            shift_between(node, None, *next_tree_ids(1))
        return
    parent = _node(tenant_id, parent_id)
    same = parent.tree_id == node.tree_id
    if same and node.lft <= parent.lft and node.rght >= parent.rght:
        raise TreeCycle
    height = _height(tenant_id, node)
    if parent.level + 1 + height >= MAX_DEPTH:
        raise TreeTooDeep(limit=MAX_DEPTH)
    if same:
        shift_within(node, parent)
    else:
        shift_between(node, parent, parent.tree_id)


def put_children_beside(tenant_id: UUID, account_id: UUID) -> tuple[UUID, list[UUID]]:
    """Let everything directly below an account stand beside it, in one statement.

    Returns:
        Below which account they stand now, and which they are.

    Raises:
        NotFound: the account does not exist in the tenant, or nothing is above it.
    """
    locking.lock_families(tenant_id, [account_id])
    node = _node(tenant_id, account_id)
    above_id: UUID | None = node.parent_id
    if above_id is None:
        raise NotFound
    below = AccountNode.objects.filter(tenant_id=tenant_id, parent_id=account_id)
    children = list(below.order_by("lft").values_list("account_id", flat=True))
    if children:
        shift_children_beside(node)
    return above_id, children


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
    locking.lock_families(tenant_id, outside)
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
    _check_reached(children, len(stored) + len(parents))
    numbers = next_tree_ids(len(new_roots))
    for root_id in children[None]:
        tree_id = stored[root_id][4] if root_id in stored else next(numbers)
        number_tree(root_id, tree_id, children, places)
        if len(places) >= _NODES_AT_ONCE:
            _write(tenant_id, parents, stored, places)
            places.clear()
    _write(tenant_id, parents, stored, places)


def _check_reached(
    children: Mapping[UUID | None, Sequence[UUID]], count: int, levels_above: int = 0
) -> None:
    """Refuse circles, which no root leads to, and trees too deep, before any is written."""
    level, reached, depth = list(children.get(None, ())), 0, levels_above
    while level:
        if depth >= MAX_DEPTH:
            raise TreeTooDeep(limit=MAX_DEPTH)
        reached, depth = reached + len(level), depth + 1
        level = [child for above in level for child in children.get(above, ())]
    if reached < count:
        raise TreeCycle


def _write(
    tenant_id: UUID,
    parents: Mapping[UUID, UUID | None],
    stored: Mapping[UUID, tuple[Any, ...]],
    places: Mapping[UUID, tuple[int, int, int, int]],
) -> None:
    """Write whole trees: old nodes that have moved aside, and new ones."""
    renumber(
        {key: place for key, place in places.items() if key in stored and place != stored[key][1:]}
    )
    new = sorted((key for key in places if key in parents), key=lambda key: places[key][2])
    for start in range(0, len(new), _NODES_AT_ONCE):
        insert_rows(
            [_Node(key, parents[key], *places[key]) for key in new[start : start + _NODES_AT_ONCE]],
            into=AccountNode,
            tenant_id=tenant_id,
        )


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
