"""Reading what a tree table shows: the tree of a day, and what its accounts bring in and owe."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from accounts.models import Account
from accounts.queries import past_trees, trees
from accounts.queries.children import first_children
from accounts.queries.past_trees import PastTree
from accounts.queries.paths import path_of
from accounts.queries.responsibilities import responsibilities
from accounts.queries.trees import Branch, TreeRow
from dashboard.pages.customers.tree_table import Entry, path_of_each
from invoicing.queries.balances import Balance, balances
from subscriptions.queries.mrr import Mrr, mrr_of, mrr_then
from tenancy.actor import Actor


@dataclass(frozen=True, slots=True)
class Tree:
    """A tree as it stood on a day.

    ``past`` is how it stood where something has moved between that day and today; None where the
    tree of today is the tree of that day.
    """

    actor: Actor
    path: list[Account]
    day: date
    closed: bool
    past: PastTree | None = None

    @property
    def top(self) -> TreeRow:
        """The account that all others lie below."""
        return self.past.top if self.past else trees.row_of(self.actor, self.path[-1])

    @property
    def size(self) -> int:
        """How many accounts it has."""
        return self.top.below + 1

    def opened(self) -> Branch:
        """Return what is shown at first."""
        if self.past is not None:
            return past_trees.open_then(self.past)
        return trees.open_tree(self.actor, self.top, closed=self.closed)

    def children(self, start: int) -> Branch:
        """Return some of those directly below the top."""
        if self.past is not None:
            return past_trees.children_then(self.past, start=start)
        return trees.children_of(self.actor, self.top, start=start, closed=self.closed)

    def first_children(
        self, parent_ids: Collection[UUID], *, level: int, start: int, count: int
    ) -> list[TreeRow]:
        """Return some children of each of the accounts, all ``level`` levels below the top."""
        if self.past is not None:
            return past_trees.first_children_then(
                self.past, parent_ids, level=level, start=start, count=count
            )
        return first_children(self.actor, parent_ids, start=start, count=count, closed=self.closed)

    def matching(self, text: str) -> Branch:
        """Return what contains ``text``, with all above it."""
        if self.past is not None:
            return past_trees.matching_then(self.past, text)
        return trees.matching(self.actor, self.top, text, closed=self.closed)

    def whole(self) -> Branch:
        """Return all of it, depth first."""
        if self.past is not None:
            return past_trees.everything_then(self.past)
        return trees.everything(self.actor, self.top, closed=self.closed)


def tree_on(actor: Actor, account_id: UUID, day: date, *, closed: bool) -> Tree:
    """Return a tree to read from. One statement for today, four for another day.

    Args:
        actor: who asks.
        account_id: its top.
        day: the day.
        closed: whether archived accounts are shown, under which nothing is in use.

    Raises:
        NotFound: the account does not exist, had no place then or is out of sight.
    """
    if past_trees.stood_still(actor, actor.today, day):
        path = path_of(actor, account_id)
        return Tree(actor, path, day, closed)
    path = past_trees.path_then(actor, account_id, day)
    return Tree(actor, path, day, closed, PastTree(actor, path[-1], day, closed))


def entries(tree: Tree, rows: Sequence[TreeRow], main: str) -> list[Entry]:
    """Return rows with all that is known of them. Four statements at most.

    Args:
        tree: the tree that they belong to.
        rows: some of it, in the order they are shown.
        main: the currency that the heads name.
    """
    if not rows:
        return []
    held = responsibilities(
        tree.actor, tree.path, sorted(rows, key=lambda row: row.level), tree.day
    )
    mrrs, owed = mrrs_in(tree, rows), _owed(tree, rows)
    above = [account.name for account in tree.path]
    paths = path_of_each(rows, above[:-1] if rows[0].id == tree.path[-1].pk else above)
    highest = 0 if tree.past else tree.top.level
    return [
        Entry(
            place=row,
            level=row.level - highest + 1,
            path=path,
            responsible=held.by_account[row.id],
            settings=held.settings,
            mrr=mrrs[row.id],
            owed=owed.get(row.id),
            main=main,
        )
        for row, path in zip(rows, paths, strict=True)
    ]


def mrrs_in(tree: Tree, rows: Sequence[TreeRow]) -> Mapping[UUID, Mrr]:
    """Return what accounts of a tree bring in a month on its day. One statement."""
    if tree.past is None:
        return mrr_of(tree.actor, [row.id for row in rows], tree.day)
    return mrr_then(tree.actor, [row.id for row in rows], tree.day)


def _owed(tree: Tree, rows: Sequence[TreeRow]) -> Mapping[UUID, Balance]:
    if tree.day != tree.actor.today:
        return {}
    return balances(tree.actor, [row.id for row in rows], today=tree.day)
