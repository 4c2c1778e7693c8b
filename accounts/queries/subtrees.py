"""What stands below accounts: children, and whole subtrees, now or as they stood on a day."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from django.db.models import Count, OuterRef, QuerySet, Subquery

from accounts import access, tree
from accounts.access import Action
from accounts.models import AccountNode
from accounts.queries.accounts import get_account
from accounts.queries.placements import lies_below, placements_on
from tenancy.actor import Actor
from tenancy.errors import NotFound


@dataclass(frozen=True, slots=True)
class SubtreeRow:
    """One account of a subtree; ``depth`` counts from its top, which has 0."""

    id: UUID
    parent_id: UUID | None
    depth: int
    external_id: str | None
    name: str
    kind: str
    status: str


def children_counts(
    actor: Actor, account_ids: Iterable[UUID], *, as_of: date | None = None
) -> dict[UUID, int]:
    """Return how many accounts stand directly below each, 0 included. One statement."""
    ids = list(account_ids)
    counts = dict.fromkeys(ids, 0)
    seen = access.reach(actor, Action.VIEW_ACCOUNT).values("pk")
    placed: QuerySet[Any] = (
        AccountNode.objects.filter(tenant_id=actor.tenant_id)
        if as_of is None
        else placements_on(actor, as_of)
    )
    rows = (
        placed.filter(parent_id__in=ids, account_id__in=seen)
        .order_by()
        .values_list("parent_id")
        .annotate(Count("account_id"))
    )
    counts.update(rows)
    return counts


def subtree(
    actor: Actor,
    account_id: UUID,
    *,
    depth: int | None = None,
    as_of: date | None = None,
) -> list[SubtreeRow]:
    """Return an account and all below it, depth first, siblings by name. Two statements.

    Args:
        actor: who asks.
        account_id: the top.
        depth: how many levels below the top, None for all.
        as_of: read the tree as it stood on this day.

    Raises:
        NotFound: the account does not exist, had no place then or is out of sight.
    """
    top = get_account(actor, account_id)
    rows = _rows_now(actor, top.pk, depth) if as_of is None else _rows_then(actor, top.pk, as_of)
    by_id = {row[0]: row for row in rows}
    if top.pk not in by_id:
        raise NotFound
    children: dict[UUID | None, list[UUID]] = defaultdict(list)
    for key, parent_id, *_rest in by_id.values():
        if key != top.pk:
            children[parent_id].append(key)
    return _walk(top.pk, by_id, children, depth)


_COLUMNS = ("external_id", "name", "kind", "status")


def _rows_now(actor: Actor, top_id: UUID, depth: int | None) -> Sequence[Any]:
    below = access.reach(actor, Action.VIEW_ACCOUNT).filter(
        tree.lies_below(actor.tenant_id, [top_id])
    )
    if depth is not None:
        level = AccountNode.objects.filter(tenant_id=actor.tenant_id, account_id=top_id)
        below = below.filter(node__level__lte=Subquery(level.values("level")[:1]) + depth)
    return list(below.order_by("sort_key", "id").values_list("pk", "node__parent_id", *_COLUMNS))


def _rows_then(actor: Actor, top_id: UUID, as_of: date) -> Sequence[Any]:
    parent = placements_on(actor, as_of).filter(account_id=OuterRef("pk"))
    return list(
        access.reach(actor, Action.VIEW_ACCOUNT)
        .filter(lies_below(actor, top_id, as_of))
        .annotate(parent_then=Subquery(parent.values("parent_id")[:1]))
        .order_by("sort_key", "id")
        .values_list("pk", "parent_then", *_COLUMNS)
    )


def _walk(
    top_id: UUID,
    by_id: dict[UUID, Any],
    children: dict[UUID | None, list[UUID]],
    depth: int | None,
) -> list[SubtreeRow]:
    found: list[SubtreeRow] = []
    stack = [(top_id, 0)]
    while stack:
        key, level = stack.pop()
        _key, parent_id, *columns = by_id[key]
        found.append(SubtreeRow(key, parent_id if level else None, level, *columns))
        if depth is None or level < depth:
            stack.extend((child, level + 1) for child in reversed(children[key]))
    return found
