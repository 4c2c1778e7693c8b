"""The shape in which rows of a tree are shown: depth first, numbered among their siblings."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final
from uuid import UUID

from accounts.models import Account

WHOLE_TREE: Final = 500
"""A tree of at most as many accounts is read at once."""
MANY_CHILDREN: Final = 50
"""Of an account with more the children are read when it is opened."""
CHILDREN_AT_ONCE: Final = 200
FOUND_AT_ONCE: Final = 25
"""So many accounts that a search found are shown, each with all above it."""


@dataclass(frozen=True, slots=True)
class TreeRow:
    """One account of a tree: ``below`` accounts lie under it, it is ``position`` of ``siblings``.

    ``is_open`` says that its children are among the rows as well.
    """

    id: UUID
    parent_id: UUID | None
    level: int
    below: int
    name: str
    kind: str
    status: str
    external_id: str | None
    position: int = 1
    siblings: int = 1
    is_open: bool = False


@dataclass(frozen=True, slots=True)
class Branch:
    """Some rows of a tree depth first; ``next_start`` is where the top's children go on.

    ``hits`` are those that a search found, of ``found`` in all.
    """

    rows: list[TreeRow]
    next_start: int | None = None
    hits: frozenset[UUID] = frozenset()
    found: int = 0


def depth_first(
    rows: Sequence[TreeRow], top_id: UUID, *, most_children: int = MANY_CHILDREN
) -> list[TreeRow]:
    """Return rows depth first; of accounts with many children those are left out, the top's aside.

    Args:
        rows: parents first, siblings in their order.
        top_id: where to begin.
        most_children: how many children an open account has at most.
    """
    children: Mapping[UUID | None, list[TreeRow]] = by_parent(rows)
    top = next(row for row in rows if row.id == top_id)
    ordered: list[TreeRow] = []
    stack = [replace(top, position=1, siblings=1)]
    while stack:
        row = stack.pop()
        below = children.get(row.id, [])
        is_open = bool(below) and (row.id == top_id or len(below) <= most_children)
        ordered.append(replace(row, is_open=is_open))
        if is_open:
            stack.extend(reversed(_numbered(below, 0, len(below))))
    return ordered


def some_children(rows: Sequence[TreeRow], start: int, count: int) -> Branch:
    """Return children from a place on, as rows of a branch; ``count`` is how many there are."""
    end = start + len(rows)
    return Branch(_numbered(rows, start, count), next_start=end if end < count else None)


def without_closed(rows: Sequence[TreeRow], top_id: UUID) -> list[TreeRow]:
    """Return rows, parents first, without the archived ones under which nothing is in use."""
    used: set[UUID | None] = {top_id}
    for row in reversed(rows):
        if row.status == Account.Status.ACTIVE or row.id in used:
            used |= {row.id, row.parent_id}
    parents = {row.parent_id for row in rows if row.id in used}
    return [row if row.id in parents else replace(row, below=0) for row in rows if row.id in used]


def by_parent(rows: Iterable[TreeRow]) -> dict[UUID | None, list[TreeRow]]:
    """Return rows by the account they stand below."""
    children: dict[UUID | None, list[TreeRow]] = defaultdict(list)
    for row in rows:
        children[row.parent_id].append(row)
    return children


def _numbered(rows: Sequence[TreeRow], start: int, count: int) -> list[TreeRow]:
    places = enumerate(rows, start=start + 1)
    return [replace(row, position=place, siblings=count) for place, row in places]
