"""What stands above accounts: parents, and paths from the root down."""

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any
from uuid import UUID

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import OuterRef, QuerySet
from django.db.models.expressions import BaseExpression

from accounts import access, tree
from accounts.access import Action
from accounts.models import Account, AccountNode, AccountTag
from accounts.queries.placements import placements_on
from tenancy.actor import Actor
from tenancy.errors import NotFound

_TAGS = (
    AccountTag.objects.filter(tenant_id=OuterRef("tenant_id"), account_id=OuterRef("pk"))
    .order_by()
    .values("name")
)


def path_of(actor: Actor, account_id: UUID, **beside: BaseExpression) -> list[Account]:
    """Return the accounts from the root down to this one. One statement.

    For those who reach only a part of the tree the path begins where their reach begins. Each
    account carries ``tags``, its tags in no order, and what is read ``beside`` by its name.

    Raises:
        NotFound: the account does not exist or is out of sight.
    """
    path: list[Account] = list(
        access.reach(actor, Action.VIEW_ACCOUNT)
        .filter(tree.lies_above(actor.tenant_id, [account_id]))
        .select_related("node", "contract_party")
        .annotate(tags=ArraySubquery(_TAGS), **beside)
        .order_by("node__level")
    )
    if not path or path[-1].pk != account_id:
        raise NotFound
    return path


def paths_of(actor: Actor, account_ids: Iterable[UUID]) -> dict[UUID, list[tuple[UUID, str]]]:
    """Return the path of each account as ids and names, from the top down. One statement.

    Accounts out of sight are left out; a path begins where the actor's reach begins.
    """
    ids = list(account_ids)
    rows = (
        access.reach(actor, Action.VIEW_ACCOUNT)
        .filter(tree.lies_above(actor.tenant_id, ids))
        .order_by()
        .values_list("pk", "name", "node__parent_id")
    )
    known = {key: (name, parent_id) for key, name, parent_id in rows}
    return {key: _climb(key, known) for key in ids if key in known}


def _climb(
    account_id: UUID, known: Mapping[UUID, tuple[str, UUID | None]]
) -> list[tuple[UUID, str]]:
    path: list[tuple[UUID, str]] = []
    step: UUID | None = account_id
    while step is not None and step in known:
        name, above = known[step]
        path.append((step, name))
        step = above
    return path[::-1]


def parents_of(
    actor: Actor, account_ids: Iterable[UUID], *, as_of: date | None = None
) -> dict[UUID, Account]:
    """Return the parent of each account that has one in sight. Two statements."""
    placed: QuerySet[Any] = (
        AccountNode.objects.filter(tenant_id=actor.tenant_id)
        if as_of is None
        else placements_on(actor, as_of)
    )
    parents: dict[UUID, UUID] = dict(
        placed.filter(account_id__in=list(account_ids), parent__isnull=False)
        .order_by()
        .values_list("account_id", "parent_id")
    )
    seen = access.reach(actor, Action.VIEW_ACCOUNT).in_bulk(set(parents.values()))
    return {key: seen[parent_id] for key, parent_id in parents.items() if parent_id in seen}
