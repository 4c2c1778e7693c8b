"""Computing intervals in memory, and writing them in one statement."""

from collections.abc import Iterator, Mapping, Sequence
from uuid import UUID

from django.db import connection
from django.utils.translation import gettext_lazy as _

from tenancy.errors import Invalid

MAX_DEPTH = 100
"""Companies are a dozen levels deep; what is deeper than this is a mistake in a file."""


class TreeTooDeep(Invalid):
    """The tree would have more levels than are kept."""

    code = "tree_too_deep"
    message = _("A tree has at most %(limit)s levels.")


def number_tree(
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


def renumber(places: Mapping[UUID, tuple[int, int, int, int]]) -> None:
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


def next_tree_ids(count: int) -> Iterator[int]:
    """Return new numbers for trees, from the sequence."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT nextval('accounts_tree_id') FROM generate_series(1, %s)", [count])
        return iter([int(row[0]) for row in cursor.fetchall()])
