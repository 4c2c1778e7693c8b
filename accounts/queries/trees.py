"""Trees as the explorer reads them: a top and its branches.

What is read does not grow with the tree: of a large one the top and one level.
"""

from dataclasses import replace
from functools import reduce
from operator import or_
from typing import Final
from uuid import UUID

from django.db.models import (
    Case,
    Count,
    Exists,
    F,
    OuterRef,
    Q,
    QuerySet,
    SmallIntegerField,
    Subquery,
    Value,
    When,
    Window,
)  # fmt: skip
from django.db.models.expressions import CombinedExpression

from accounts import access, tree
from accounts.access import Action
from accounts.models import Account, AccountNode
from accounts.queries import _shaping as shaping
from accounts.queries._shaping import CHILDREN_AT_ONCE, FOUND_AT_ONCE, WHOLE_TREE, Branch, TreeRow
from accounts.queries.searching import has_words
from accounts.queries.tags import has_tag
from billing_rules.searching import spellings
from tenancy.actor import Actor

__all__ = [
    "CHILDREN_AT_ONCE",
    "COLUMNS",
    "FOUND_AT_ONCE",
    "HUGE_TREE",
    "IN_USE",
    "MANY_FOUND",
    "WHOLE_TREE",
    "Branch",
    "TreeRow",
    "below_each",
    "children_of",
    "customers",
    "everything",
    "found_accounts",
    "matching",
    "open_tree",
    "row_of",
    "used_below",
    "whole_tree",
]


def customers(
    actor: Actor,
    *,
    flat: bool = False,
    within: UUID | None = None,
    kind: str | None = None,
    text: str | None = None,
    tag: str | None = None,
) -> QuerySet[Account]:
    """Return customers: roots, or all accounts. Not ordered yet; one statement.

    Each carries ``below``, the number of accounts under it, ``above`` and ``above_id``, the name
    and key of its parent, and ``found``, how many customers there are in all.

    Args:
        actor: who asks.
        flat: all accounts, not the roots alone.
        within: only this account and those below it.
        kind: only this kind.
        text: only those that have its words in name, customer number, VAT id or e-mail.
        tag: only those that have this tag.
    """
    found = access.reach(actor, Action.VIEW_ACCOUNT)
    if not flat:
        found = found.filter(node__parent=None)
    if within is not None:
        found = found.filter(tree.lies_below(actor.tenant_id, [within]))
    if kind is not None:
        found = found.filter(kind=kind)
    if text:
        found = found.filter(has_words(text, "search_key", otherwise="name"))
    if tag is not None:
        found = found.filter(has_tag(actor, tag))
    above = access.reach(actor, Action.VIEW_ACCOUNT).filter(pk=OuterRef("node__parent_id"))
    counted = found.order_by().annotate(one=Value(1)).values("one").annotate(count=Count("pk"))
    return found.annotate(
        below=below_each(),
        above=Subquery(above.order_by().values("name")[:1]),
        above_id=Subquery(above.order_by().values("pk")[:1]),
        found=Subquery(counted.values("count")),
    )


def found_accounts(actor: Actor, text: str, *, limit: int, tops: bool = False) -> list[Account]:
    """Return the accounts that contain ``text``, those that it names best first. One statement.

    Before those that have it somewhere come those that are called so, those that begin so, and
    those of which a word begins so; among equals the higher in their trees, then by name.

    Args:
        actor: who asks.
        text: parts of name, customer number, VAT id or e-mail.
        limit: how many at most.
        tops: only those at the top of a tree.
    """
    found = access.reach(actor, Action.VIEW_ACCOUNT).filter(
        has_words(text, "search_key", otherwise="name")
    )
    if tops:
        found = found.filter(node__parent=None)
    if text:
        found = found.order_by(_closeness(text), "node__level", "sort_key", "id")
    else:
        found = found.order_by("sort_key", "id")
    return list(found[:limit])


def _closeness(text: str) -> Case:
    text = text.replace("\x00", "")
    is_it = Q(name__iexact=text) | Q(external_id__iexact=text) | Q(vat_id__iexact=text)
    spelt = spellings(text)
    begins, inside = (
        reduce(or_, (Q(search_key__contains=f"{before}{one}") for one in spelt))
        for before in ("\n", " ")
    )
    return Case(
        When(is_it, then=0),
        When(begins, then=1),
        When(inside, then=2),
        default=3,
        output_field=SmallIntegerField(),
    )


def row_of(actor: Actor, account: Account) -> TreeRow:
    """Return an account that ``path_of`` has returned as a row. No statement."""
    node = account.node
    return TreeRow(
        account.pk,
        node.parent_id,
        node.level,
        (node.rght - node.lft - 1) // 2,
        account.name,
        account.kind,
        account.status,
        account.external_id,
    )


def open_tree(actor: Actor, top: TreeRow, *, closed: bool = True) -> Branch:
    """Return an account with all below it, of a large tree with its first children alone.

    Two statements at most.

    Args:
        actor: who asks.
        top: the account, as ``row_of`` returns it.
        closed: whether archived accounts are shown, under which nothing is in use.
    """
    if top.below > WHOLE_TREE:
        branch = children_of(actor, top, closed=closed)
        return replace(branch, rows=[replace(top, is_open=True), *branch.rows])
    return Branch(shaping.depth_first(whole_tree(actor, top, closed=closed), top.id))


def whole_tree(actor: Actor, top: TreeRow, *, closed: bool = True) -> list[TreeRow]:
    """Return an account and all below it, parents first, siblings by name. One statement."""
    rows = _rows(actor, tree.lies_below(actor.tenant_id, [top.id]))
    return rows if closed else shaping.without_closed(rows, top.id)


def everything(actor: Actor, top: TreeRow, *, closed: bool = True) -> Branch:
    """Return an account and all below it, depth first. One statement."""
    rows = whole_tree(actor, top, closed=closed)
    return Branch(shaping.depth_first(rows, top.id, most_children=len(rows)))


def children_of(actor: Actor, top: TreeRow, *, start: int = 0, closed: bool = True) -> Branch:
    """Return some accounts directly below one, by name. One statement."""
    below = access.reach(actor, Action.VIEW_ACCOUNT).filter(node__parent_id=top.id)
    if not closed:
        below = below.filter(IN_USE | Exists(used_below(actor)))
    found = below.annotate(below=below_each(), count=Window(Count("pk"))).order_by("sort_key", "id")
    rows = list(found.values_list(*COLUMNS, "count")[start : start + CHILDREN_AT_ONCE])
    count = rows[0][-1] if rows else 0
    return shaping.some_children([TreeRow(*row[:-1]) for row in rows], start, count)


def matching(actor: Actor, top: TreeRow, text: str, *, closed: bool = True) -> Branch:
    """Return accounts below a top that contain ``text``, with all above them. Two statements.

    Of many the first by name are returned, and how many there are.

    Args:
        actor: who asks.
        top: the account below which is searched.
        text: parts of name, customer number, VAT id or e-mail.
        closed: whether archived accounts are found.
    """
    found = access.reach(actor, Action.VIEW_ACCOUNT).filter(
        has_words(text, "search_key", otherwise="name")
    )
    if not closed:
        found = found.filter(IN_USE)
    found = found.filter(_searched(actor, top, found))
    counted = found.annotate(found=Window(Count("pk"))).order_by("sort_key", "id")
    first = list(counted.values_list("pk", "found")[:FOUND_AT_ONCE])
    hits = frozenset(key for key, _count in first)
    # What stands above the top belongs to the path, not to the tree that is shown.
    rows = _rows(
        actor, Q(node__level__gte=top.level) & tree.lies_above(actor.tenant_id, [*hits, top.id])
    )
    return Branch(shaping.depth_first(rows, top.id, most_children=len(rows)), hits=hits,
                  found=first[0][1] if first else 0)  # fmt: skip


def _searched(actor: Actor, top: TreeRow, found: QuerySet[Account]) -> Q:
    """Return the condition that an account is the top or below it.

    Of most trees every account is looked into for the words. Of a huge one it is asked of all
    accounts that have them: of each where they are few, else whether it is among all below.
    """
    if top.below <= HUGE_TREE:
        return tree.lies_below(actor.tenant_id, [top.id])
    are_many = Exists(found.order_by()[MANY_FOUND : MANY_FOUND + 1])
    among = tree.is_among_those_below(actor.tenant_id, top.id)
    return Q(Case(When(are_many, then=among), default=tree.is_below(actor.tenant_id, top.id)))


MANY_FOUND: Final = 5_000
HUGE_TREE: Final = 10_000
IN_USE = Q(status=Account.Status.ACTIVE)
COLUMNS = (
    "pk",
    "node__parent_id",
    "node__level",
    "below",
    "name",
    "kind",
    "status",
    "external_id",
)


def _rows(actor: Actor, which: Q) -> list[TreeRow]:
    found = access.reach(actor, Action.VIEW_ACCOUNT).filter(which).annotate(below=below_each())
    rows = found.order_by("node__level", "sort_key", "id").values_list(*COLUMNS)
    return [TreeRow(*row) for row in rows]


def below_each() -> CombinedExpression:
    """Return how many accounts lie below each, as an expression. No statement."""
    return (F("node__rght") - F("node__lft") - 1) / 2


def used_below(actor: Actor) -> QuerySet[AccountNode]:
    """Return what is in use below an account of the statement around. No statement by itself."""
    return AccountNode.objects.filter(
        tenant_id=actor.tenant_id,
        tree_id=OuterRef("node__tree_id"),
        lft__gt=OuterRef("node__lft"),
        lft__lt=OuterRef("node__rght"),
        account__status=Account.Status.ACTIVE,
    ).order_by()
