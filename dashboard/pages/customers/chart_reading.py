"""Which accounts an org chart shows: as many as can be looked at, however large the tree is."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final
from uuid import UUID

from accounts.queries.trees import TreeRow
from dashboard.pages.customers.tree_reading import Tree

DEEPEST: Final = 4
"""How many levels below the top are drawn at most."""
OF_THE_TOP: Final = 24
"""How many children of the top are drawn at once, and of any other account half as many."""
OF_OTHERS: Final = 12
_OPEN_LEVELS: Final = 2
_OPENED_BY_ITSELF: Final = 48
MOST: Final = 150
"""How many accounts are drawn at most."""


@dataclass(frozen=True, slots=True)
class Opened:
    """What the reader has opened and shut, and with which child of the top the chart begins."""

    opened: frozenset[UUID] = frozenset()
    shut: frozenset[UUID] = frozenset()
    start: int = 0


@dataclass(frozen=True, slots=True)
class Selection:
    """The rows of a chart, depth first; ``is_cut`` says that something asked for has no room."""

    rows: list[TreeRow]
    is_cut: bool = False


def selection(tree: Tree, asked: Opened) -> Selection:
    """Return what is drawn of a tree. At most four statements.

    Levels open by themselves while there are few accounts; below that what the reader opened.
    """
    level = [replace(tree.top, position=1, siblings=1)]
    found, opened, is_cut = list(level), set[UUID](), False
    for depth in range(1, DEEPEST + 1):
        parents, has_no_room = _to_open(level, asked, depth, len(found))
        is_cut = is_cut or has_no_room
        if not parents:
            break
        start, count = (asked.start, OF_THE_TOP) if depth == 1 else (0, OF_OTHERS)
        level = tree.first_children(parents, level=depth, start=start, count=count)
        opened |= {row.parent_id for row in level if row.parent_id}
        found += level
    return Selection(_depth_first(found, opened), is_cut)


def _to_open(
    level: Sequence[TreeRow], asked: Opened, depth: int, drawn: int
) -> tuple[list[UUID], bool]:
    """Return which accounts of a level are opened, and whether one that should be has no room."""
    if depth == 1:
        return [row.id for row in level if row.below and row.id not in asked.shut], False
    wanted = [row for row in level if row.below and row.id not in asked.shut]
    need = drawn + sum(min(row.below, OF_OTHERS) for row in wanted)
    by_itself = depth <= _OPEN_LEVELS and need <= _OPENED_BY_ITSELF
    parents, has_no_room = [], False
    for row in wanted:
        if not (by_itself or row.id in asked.opened):
            continue
        drawn += min(row.below, OF_OTHERS)
        if drawn > MOST:
            has_no_room = True
            break
        parents.append(row.id)
    return parents, has_no_room


def _depth_first(found: Sequence[TreeRow], opened: set[UUID]) -> list[TreeRow]:
    below: dict[UUID | None, list[TreeRow]] = {}
    for row in found[1:]:
        below.setdefault(row.parent_id, []).append(row)
    ordered, waiting = [], [found[0]]
    while waiting:
        row = waiting.pop()
        ordered.append(replace(row, is_open=row.id in opened))
        waiting.extend(reversed(below.get(row.id, [])))
    return ordered
