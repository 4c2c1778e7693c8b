"""Trees as the explorer reads them: a top and its branches, who is invoiced and who pays there.

What is read does not grow with the tree: of a large one the top and one level, the rest by its
intervals.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Final
from uuid import UUID

from django.db.models import Count, F, OuterRef, Q, QuerySet, Subquery, Value

from accounts import access, tree
from accounts.access import Action
from accounts.actor import Actor
from accounts.errors import NotFound
from accounts.models import Account
from accounts.queries.settings import setting_history

WHOLE_TREE: Final = 500
"""A tree of at most as many accounts is read at once."""
MANY_CHILDREN: Final = 50
"""Of an account with more the children are read when it is opened."""
CHILDREN_AT_ONCE: Final = 200


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
    """Some rows of a tree depth first; ``next_start`` is where the top's children go on."""

    rows: list[TreeRow]
    next_start: int | None = None
    hits: frozenset[UUID] = frozenset()


@dataclass(frozen=True, slots=True)
class Responsibility:
    """To whom an account's charges are invoiced, and who pays that."""

    bill_to_id: UUID
    bill_to_name: str
    payer_id: UUID
    payer_name: str


def customers(
    actor: Actor,
    *,
    flat: bool = False,
    within: UUID | None = None,
    kind: str | None = None,
    text: str | None = None,
) -> QuerySet[Account]:
    """Return customers: roots, or all accounts. Not ordered yet; one statement.

    Each carries ``below``, the number of accounts under it, ``above``, the name of its parent,
    and ``found``, how many customers there are in all.

    Args:
        actor: who asks.
        flat: all accounts, not the roots alone.
        within: only this account and those below it.
        kind: only this kind.
        text: only those whose name, external id or VAT id contains it, in any case.
    """
    found = access.reach(actor, Action.VIEW_ACCOUNT)
    if not flat:
        found = found.filter(node__parent=None)
    if within is not None:
        found = found.filter(tree.lies_below(actor.tenant_id, [within]))
    if kind is not None:
        found = found.filter(kind=kind)
    if text:
        found = found.filter(_contains(text))
    above = access.reach(actor, Action.VIEW_ACCOUNT).filter(pk=OuterRef("node__parent_id"))
    counted = found.order_by().annotate(one=Value(1)).values("one").annotate(count=Count("pk"))
    return found.annotate(
        below=_BELOW,
        above=Subquery(above.order_by().values("name")[:1]),
        found=Subquery(counted.values("count")),
    )


def found_accounts(actor: Actor, text: str, *, limit: int, tops: bool = False) -> list[Account]:
    """Return the first accounts by name that contain ``text``. One statement.

    Args:
        actor: who asks.
        text: a part of the name, the external id or the VAT id.
        limit: how many at most.
        tops: only those at the top of a tree.
    """
    found = access.reach(actor, Action.VIEW_ACCOUNT).filter(_contains(text))
    if tops:
        found = found.filter(node__parent=None)
    return list(found.order_by("sort_key", "id")[:limit])


def open_tree(actor: Actor, top_id: UUID) -> Branch:
    """Return an account with all below it, of a large tree with its first children alone.

    Three statements at most.

    Raises:
        NotFound: the account does not exist or is out of sight.
    """
    top = _top(actor, top_id)
    if top.below > WHOLE_TREE:
        branch = _children(actor, top, 0)
        return replace(branch, rows=[replace(top, is_open=True), *branch.rows])
    found = _rows(actor, tree.lies_below(actor.tenant_id, [top_id]))
    return Branch(_depth_first(found, top_id))


def children_of(actor: Actor, parent_id: UUID, *, start: int = 0) -> Branch:
    """Return some accounts directly below one, by name. Three statements.

    Raises:
        NotFound: the account above does not exist or is out of sight.
    """
    return _children(actor, _top(actor, parent_id), start)


def matching(actor: Actor, top_id: UUID, text: str) -> Branch:
    """Return the accounts below a top that contain ``text``, with all above them. Two statements.

    Raises:
        NotFound: the account does not exist or is out of sight.
    """
    below = tree.lies_below(actor.tenant_id, [top_id])
    found = access.reach(actor, Action.VIEW_ACCOUNT).filter(below, _contains(text))
    ids = found.order_by("sort_key", "id").values_list("pk", flat=True)
    hits = frozenset(ids[:CHILDREN_AT_ONCE])
    rows = _rows(actor, below & tree.lies_above(actor.tenant_id, [*hits, top_id]))
    if top_id not in {row.id for row in rows}:
        raise NotFound
    return Branch(_depth_first(rows, top_id, most_children=len(rows)), hits=hits)


def responsibilities(
    actor: Actor, path: Sequence[Account], rows: Iterable[TreeRow], as_of: date
) -> dict[UUID, Responsibility]:
    """Return who is invoiced and who pays on every account of a path and of rows below its end.

    Three statements, whatever the depth.

    Args:
        actor: who asks.
        path: the accounts from the root down, as ``path_of`` returns them.
        rows: accounts below the end of the path, parents first.
        as_of: the day.

    Raises:
        Forbidden: the actor may not read the settings of the whole tenant.
    """
    access.require_everywhere(actor, Action.VIEW_SETTINGS)
    members: dict[UUID, UUID | None] = {}
    names: dict[UUID, str] = {}
    above: UUID | None = None
    for account in path:
        members[account.pk], names[account.pk] = above, account.name
        above = account.pk
    for row in rows:
        members.setdefault(row.id, row.parent_id)
        names[row.id] = row.name
    settings = setting_history(actor, list(members.items())).on(as_of)
    decided = {key: settings.bill_tos[key][0] for key in members}
    payers = {key: settings.payers[key][0] for key in decided.values() if key in settings.payers}
    _name_the_rest(actor, names, {*decided.values(), *payers.values()})
    return {
        key: Responsibility(
            bill_to,
            names[bill_to],
            payers.get(bill_to, bill_to),
            names[payers.get(bill_to, bill_to)],
        )
        for key, bill_to in decided.items()
    }


_BELOW = (F("node__rght") - F("node__lft") - 1) / 2
_COLUMNS = (
    "pk",
    "node__parent_id",
    "node__level",
    "below",
    "name",
    "kind",
    "status",
    "external_id",
)


def _contains(text: str) -> Q:
    # PostgreSQL has no NUL in text, so nothing can contain one.
    wanted = text.replace("\x00", "")
    packed = "".join(wanted.split())
    return (
        Q(name__icontains=wanted)
        | Q(legal_name__icontains=wanted)
        | Q(external_id__icontains=wanted)
        | Q(vat_id__icontains=packed)
    )


def _rows(actor: Actor, which: Q) -> list[TreeRow]:
    found = access.reach(actor, Action.VIEW_ACCOUNT).filter(which).annotate(below=_BELOW)
    rows = found.order_by("node__level", "sort_key", "id").values_list(*_COLUMNS)
    return [TreeRow(*row) for row in rows]


def _top(actor: Actor, top_id: UUID) -> TreeRow:
    found = _rows(actor, Q(pk=top_id))
    if not found:
        raise NotFound
    return found[0]


def _children(actor: Actor, top: TreeRow, start: int) -> Branch:
    below = access.reach(actor, Action.VIEW_ACCOUNT).filter(node__parent_id=top.id)
    found = below.annotate(below=_BELOW).order_by("sort_key", "id").values_list(*_COLUMNS)
    rows = [TreeRow(*row) for row in found[start : start + CHILDREN_AT_ONCE]]
    count = below.count() if start or len(rows) == CHILDREN_AT_ONCE else len(rows)
    end = start + len(rows)
    placed = [
        replace(row, position=start + place, siblings=count)
        for place, row in enumerate(rows, start=1)
    ]
    return Branch(placed, next_start=end if end < count else None)


def _depth_first(
    rows: Sequence[TreeRow], top_id: UUID, *, most_children: int = MANY_CHILDREN
) -> list[TreeRow]:
    """Return rows depth first; of accounts with many children those are left out, the top's aside.

    Args:
        rows: parents first, siblings in their order.
        top_id: where to begin.
        most_children: how many children an open account has at most.
    """
    children: Mapping[UUID | None, list[TreeRow]] = _by_parent(rows)
    top = next(row for row in rows if row.id == top_id)
    ordered: list[TreeRow] = []
    stack = [replace(top, position=1, siblings=1)]
    while stack:
        row = stack.pop()
        below = children.get(row.id, [])
        is_open = bool(below) and (row.id == top_id or len(below) <= most_children)
        ordered.append(replace(row, is_open=is_open))
        if is_open:
            placed = enumerate(below, start=1)
            numbered = [replace(child, position=at, siblings=len(below)) for at, child in placed]
            stack.extend(reversed(numbered))
    return ordered


def _by_parent(rows: Iterable[TreeRow]) -> dict[UUID | None, list[TreeRow]]:
    children: dict[UUID | None, list[TreeRow]] = defaultdict(list)
    for row in rows:
        children[row.parent_id].append(row)
    return children


def _name_the_rest(actor: Actor, names: dict[UUID, str], wanted: set[UUID]) -> None:
    missing = wanted - names.keys()
    if missing:
        found = Account.objects.filter(tenant_id=actor.tenant_id, pk__in=missing)
        names.update(found.values_list("pk", "name"))
