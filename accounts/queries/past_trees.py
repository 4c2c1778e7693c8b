"""Trees as they stood on another day, by dated placements."""

from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import date
from uuid import UUID

from django.db.models import Q

from accounts import access
from accounts.access import Action
from accounts.models import Account, Placement
from accounts.queries import _shaping as shaping
from accounts.queries._shaping import CHILDREN_AT_ONCE, FOUND_AT_ONCE, WHOLE_TREE, Branch, TreeRow
from accounts.queries.settings import path_ids_then
from accounts.queries.subtrees import subtree
from tenancy.actor import Actor
from tenancy.errors import NotFound


def stood_still(actor: Actor, one: date, other: date) -> bool:
    """Return whether all accounts in reach stood in the same place on two days. One statement."""
    first, last = sorted((one, other))
    moved = Placement.objects.filter(
        Q(valid_from__gt=first, valid_from__lte=last) | Q(valid_to__gt=first, valid_to__lte=last),
        tenant_id=actor.tenant_id,
        account__in=access.reach(actor, Action.VIEW_ACCOUNT),
    )
    return first == last or not moved.exists()


def path_then(actor: Actor, account_id: UUID, day: date) -> list[Account]:
    """Return the accounts from the root down to this one as they stood on a day. Two statements.

    Raises:
        NotFound: the account had no place then or is out of sight.
    """
    ids = path_ids_then(actor, account_id, day)
    reached = access.reach(actor, Action.VIEW_ACCOUNT).select_related("contract_party")
    seen = reached.in_bulk(ids)
    if account_id not in seen:
        raise NotFound
    return [seen[key] for key in ids if key in seen]


def tree_then(actor: Actor, account_id: UUID, day: date, *, closed: bool = True) -> list[TreeRow]:
    """Return an account and all below it as they stood on a day, depth first. Two statements.

    History keeps parents alone, so all of it is read, however large the tree.

    Args:
        actor: who asks.
        account_id: the top.
        day: the day.
        closed: whether archived accounts are shown, under which nothing is in use.

    Raises:
        NotFound: the account does not exist, had no place then or is out of sight.
    """
    found = subtree(actor, account_id, as_of=day)
    below: dict[UUID | None, int] = {}
    for row in reversed(found):
        below[row.parent_id] = below.get(row.parent_id, 0) + below.get(row.id, 0) + 1
    rows = [
        TreeRow(
            row.id,
            row.parent_id,
            row.depth,
            below.get(row.id, 0),
            row.name,
            row.kind,
            row.status,
            row.external_id,
        )
        for row in found
    ]
    return rows if closed else shaping.without_closed(rows, account_id)


def open_then(actor: Actor, rows: Sequence[TreeRow], *, start: int = 0) -> Branch:
    """Return what is shown of a tree at first, of a large one its first children. No statement.

    Args:
        actor: who asks.
        rows: as ``tree_then`` returns them.
        start: where the children begin; above 0 they come without the top.
    """
    top, *_below = rows
    if not start and len(rows) <= WHOLE_TREE:
        return Branch(shaping.depth_first(rows, top.id))
    branch = children_then(actor, rows, start=start)
    if start:
        return branch
    first = replace(top, is_open=bool(branch.rows))
    return replace(branch, rows=[first, *branch.rows])


def children_then(actor: Actor, rows: Sequence[TreeRow], *, start: int = 0) -> Branch:
    """Return some of those directly below the first of ``rows``. No statement."""
    children = shaping.by_parent(rows).get(rows[0].id, [])
    some = children[start : start + CHILDREN_AT_ONCE]
    return shaping.some_children(some, start, len(children))


def first_children_then(
    actor: Actor, rows: Sequence[TreeRow], parent_ids: Collection[UUID], *, start: int, count: int
) -> list[TreeRow]:
    """Return some children of each account, as ``first_children`` does. No statement.

    Args:
        actor: who asked for the rows.
        rows: as ``tree_then`` returns them.
        parent_ids: the accounts above.
        start: how many children of each are left out before.
        count: how many of each are returned at most.
    """
    children = shaping.by_parent(row for row in rows if row.parent_id in parent_ids)
    return [
        row
        for key in parent_ids
        for row in shaping.some_children(
            children[key][start : start + count], start, len(children[key])
        ).rows
    ]


def matching_then(actor: Actor, rows: Sequence[TreeRow], text: str) -> Branch:
    """Return the rows whose name or external id contains ``text``, with all above. No statement."""
    wanted = text.casefold()
    hits = [row.id for row in rows if wanted in f"{row.name}\n{row.external_id or ''}".casefold()]
    shown: set[UUID | None] = {rows[0].id, *hits[:FOUND_AT_ONCE]}
    kept = []
    for row in reversed(rows):
        if row.id in shown:
            shown.add(row.parent_id)
            kept.append(row)
    found = shaping.depth_first(kept[::-1], rows[0].id, most_children=len(kept))
    return Branch(found, hits=frozenset(hits[:FOUND_AT_ONCE]), found=len(hits))
