"""Trees as they stood on another day, by dated placements.

What lies below an account on a day is counted by the database; what is read from it does not grow
with the tree.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import cached_property
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import Count, F, OuterRef, Q, QuerySet, Subquery, Window
from django.db.models.functions import RowNumber

from accounts import access
from accounts.access import Action
from accounts.models import Account, Placement
from accounts.queries import _shaping as shaping
from accounts.queries._shaping import CHILDREN_AT_ONCE, FOUND_AT_ONCE, WHOLE_TREE, Branch, TreeRow
from accounts.queries.placements import (
    is_below,
    lies_above,
    lies_below,
    path_ids_then,
    placements_on,
)
from accounts.queries.searching import has_words
from accounts.queries.subtrees import subtree
from accounts.queries.sums import Tops
from accounts.queries.sums_then import merged_by_top, parts_then
from accounts.queries.trees import HUGE_TREE, IN_USE, row_of
from tenancy.actor import Actor
from tenancy.errors import NotFound


@dataclass(frozen=True, slots=True)
class Under:
    """How many accounts lie below one on a day, and how many of those are in use."""

    count: int = 0
    used: int = 0


@dataclass(frozen=True)
class PastTree:
    """An account and all below it as they stood on a day.

    ``closed`` says whether archived accounts are shown, under which nothing is in use.
    """

    actor: Actor
    account: Account
    day: date
    closed: bool

    @cached_property
    def children(self) -> Mapping[UUID, Under]:
        """All directly below the top, with what lies below each. One statement."""
        children = _children(self.actor, [self.account.pk], self.day)
        return under_each(self.actor, children.values("pk"), self.day)

    @cached_property
    def top(self) -> TreeRow:
        """The account as a row. One statement, if ``children`` are not known yet."""
        below = sum(1 + one.count for one in self.children.values())
        return _row([getattr(self.account, name) for name in _COLUMNS], None, 0, below)

    @cached_property
    def rows(self) -> list[TreeRow]:
        """All of it, depth first. Two statements, and as much memory as it is large."""
        return _whole(self)

    @property
    def is_small(self) -> bool:
        """Whether all of it may be read at once."""
        return self.top.below <= WHOLE_TREE


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
    reached = access.reach(actor, Action.VIEW_ACCOUNT).select_related("contract_party", "node")
    seen = reached.in_bulk(ids)
    if account_id not in seen:
        raise NotFound
    return [seen[key] for key in ids if key in seen]


def under_each(actor: Actor, tops: Tops, day: date) -> dict[UUID, Under]:
    """Return what lay below accounts in reach on a day. One statement.

    Args:
        actor: who asks.
        tops: account ids, or a queryset of them; they may stand below each other.
        day: the day.
    """
    parts = parts_then(actor, Action.VIEW_ACCOUNT, tops, day)
    with connection.cursor() as cursor:
        params = [*parts.params, actor.tenant_id, Account.Status.ACTIVE.value]
        cursor.execute(parts.sql + _COUNTED, params)
        rows = cursor.fetchall()
    under: dict[UUID, Under] = defaultdict(Under)
    for top_id, is_own, (count, used) in merged_by_top(rows):
        held = under[top_id]
        if not is_own:
            under[top_id] = Under(held.count + count, held.used + used)
    return under


def open_then(past: PastTree) -> Branch:
    """Return a tree, of a large one the top and its first children. Two statements at most."""
    if past.is_small:
        return Branch(shaping.depth_first(past.rows, past.top.id))
    branch = children_then(past)
    return replace(branch, rows=[replace(past.top, is_open=bool(branch.rows)), *branch.rows])


def everything_then(past: PastTree) -> Branch:
    """Return a tree depth first, however large. Two statements."""
    found = shaping.depth_first(past.rows, past.top.id, most_children=len(past.rows))
    return Branch(found)


def children_then(past: PastTree, *, start: int = 0) -> Branch:
    """Return some of those directly below the top, by name. One statement."""
    found = _children(past.actor, [past.top.id], past.day)
    if not past.closed:
        found = found.filter(IN_USE | Q(pk__in=_used(past.children)))
    counted = found.annotate(count=Window(Count("pk"))).order_by("sort_key", "id")
    some = list(counted.values_list(*_COLUMNS, "count")[start : start + CHILDREN_AT_ONCE])
    rows = [_row(row[:-1], past.top.id, 1, _shown(past, past.children[row[0]])) for row in some]
    return shaping.some_children(rows, start, some[0][-1] if some else 0)


def first_children_then(
    past: PastTree, parent_ids: Collection[UUID], *, level: int, start: int, count: int
) -> list[TreeRow]:
    """Return some children of each account, as ``first_children`` does. Two statements at most.

    Args:
        past: the tree.
        parent_ids: the accounts above.
        level: how far those returned stand below the top.
        start: how many children of each are left out before.
        count: how many of each are returned at most.
    """
    if past.is_small:
        children = shaping.by_parent(row for row in past.rows if row.parent_id in parent_ids)
        return [
            row
            for key in parent_ids
            for row in shaping.some_children(
                children[key][start : start + count], start, len(children[key])
            ).rows
        ]
    found = _children(past.actor, parent_ids, past.day)
    at_top = list(parent_ids) == [past.top.id]
    under = past.children if at_top else under_each(past.actor, found.values("pk"), past.day)
    if not past.closed:
        found = found.filter(IN_USE | Q(pk__in=_used(under)))
    held = placements_on(past.actor, past.day).filter(account__in=found, parent_id__in=parent_ids)
    names = ["account__sort_key", "account_id"]
    numbered = held.annotate(
        place=Window(RowNumber(), partition_by=[F("parent_id")], order_by=names),
        count=Window(Count("pk"), partition_by=[F("parent_id")]),
    ).filter(place__gt=start, place__lte=start + count)
    rows = numbered.order_by("parent_id", "place")
    columns = ("account_id", *(f"account__{name}" for name in _COLUMNS[1:]))
    return [
        replace(
            _row(found, parent_id, level, _shown(past, under[found[0]])),
            position=place,
            siblings=siblings,
        )
        for *found, parent_id, place, siblings in rows.values_list(
            *columns, "parent_id", "place", "count"
        )
    ]


def matching_then(past: PastTree, text: str) -> Branch:
    """Return accounts below the top that contain ``text``, with all above. Three statements."""
    actor, day, top_id = past.actor, past.day, past.account.pk
    reached = access.reach(actor, Action.VIEW_ACCOUNT)
    # As large as it is today it was then, or nearly: enough to choose how it is searched.
    is_huge = row_of(actor, past.account).below > HUGE_TREE
    below = is_below(actor, top_id, day) if is_huge else lies_below(actor, top_id, day)
    found = reached.filter(below, has_words(text, "search_key", otherwise="name"))
    if not past.closed:
        found = found.filter(IN_USE)
    counted = found.annotate(found=Window(Count("pk"))).order_by("sort_key", "id")
    first = list(counted.values_list("pk", "found")[:FOUND_AT_ONCE])
    hits = frozenset(key for key, _count in first)
    parent = placements_on(actor, day).filter(account_id=OuterRef("pk")).values("parent_id")
    above = reached.filter(lies_above(actor, [*hits, top_id], day)).order_by("sort_key", "id")
    columns = {
        row[0]: row
        for row in above.annotate(above=Subquery(parent[:1])).values_list(*_COLUMNS, "above")
    }
    parents = {key: row[-1] for key, row in columns.items()}
    levels = _levels(parents, top_id)
    under = under_each(actor, levels, day)
    rows = [
        _row(columns[key][:-1], parents[key], levels[key], _shown(past, under[key]))
        for key in sorted((one for one in columns if one in levels), key=lambda key: levels[key])
    ]
    return Branch(shaping.depth_first(rows, top_id, most_children=len(rows)), hits=hits,
                  found=first[0][1] if first else 0)  # fmt: skip


_COLUMNS = ("pk", "name", "kind", "status", "external_id")


def _whole(past: PastTree) -> list[TreeRow]:
    found = subtree(past.actor, past.top.id, as_of=past.day)
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
    return rows if past.closed else shaping.without_closed(rows, past.top.id)


def _row(columns: Sequence[Any], parent_id: UUID | None, level: int, below: int) -> TreeRow:
    key, *others = columns
    return TreeRow(key, parent_id, level, below, *others)


def _children(actor: Actor, parent_ids: Collection[UUID], day: date) -> QuerySet[Account]:
    then = placements_on(actor, day).filter(parent_id__in=parent_ids)
    return access.reach(actor, Action.VIEW_ACCOUNT).filter(pk__in=then.values("account_id"))


def _used(under: Mapping[UUID, Under]) -> list[UUID]:
    return [key for key, one in under.items() if one.used]


def _shown(past: PastTree, under: Under) -> int:
    """Return how many lie below an account, none where all of them are left out."""
    return under.count if past.closed or under.used else 0


def _levels(parents: Mapping[UUID, UUID | None], top_id: UUID) -> dict[UUID, int]:
    """Return how far each account stands below the top; those above the top are left out."""
    levels = {top_id: 0}
    for key in parents:
        climbed, step = [], key
        while step not in levels and (above := parents.get(step)) is not None:
            climbed.append(step)
            step = above
        if step in levels:
            for number, one in enumerate(reversed(climbed), start=levels[step] + 1):
                levels[one] = number
    return levels


_COUNTED = """
    SELECT part.top_id, NULL::uuid, part.account_id = part.top_id, count(*),
        count(*) FILTER (WHERE closed.id IS NULL)
    FROM part LEFT JOIN (
        SELECT id FROM accounts_account WHERE tenant_id = %s AND status <> %s
    ) AS closed ON closed.id = part.account_id
    GROUP BY part.top_id, part.account_id = part.top_id
    UNION ALL
    SELECT top_id, above_id, NULL, NULL, NULL FROM above
"""
