"""Accounts: lists, paths and subtrees, now or as they stood on a day."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from django.db.models import Count, Exists, OuterRef, Q, QuerySet, Subquery
from django.db.models.expressions import RawSQL

from accounts import access, tree
from accounts.access import Action
from accounts.actor import Actor
from accounts.errors import NotFound
from accounts.ids import parse_public_id
from accounts.models import Account, AccountNode, Placement, SettingInterval


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


def accounts(
    actor: Actor,
    *,
    within: UUID | None = None,
    parent: UUID | None = None,
    tops: bool = False,
    kind: str | None = None,
    status: str | None = None,
    text: str | None = None,
    as_of: date | None = None,
) -> QuerySet[Account]:
    """Return the accounts in reach by name. One statement, whatever the depth of the tree.

    Args:
        actor: who asks.
        within: only this account and what lies below it.
        parent: only the children of this account.
        tops: only those with nothing above them that the actor may see: roots, for staff.
        kind: only this kind.
        status: only this status.
        text: only those whose name, external id or e-mail contains it, in any case.
        as_of: read the tree as it stood on this day; accounts without a place then are left out.
    """
    found = access.reach(actor, Action.VIEW_ACCOUNT)
    if as_of is not None:
        placed = _placements(actor, as_of).values("account_id")
        found = found.filter(pk__in=placed)
    if within is not None:
        # Of a top that is out of sight nothing is told, not even what of it is in sight.
        seen = access.reach(actor, Action.VIEW_ACCOUNT).filter(pk=within)
        found = found.filter(Exists(seen), _lies_below(actor, within, as_of))
    if parent is not None:
        found = found.filter(_is_child(actor, [parent], as_of))
    if tops:
        found = found.filter(_is_top(actor))
    if kind is not None:
        found = found.filter(kind=kind)
    if status is not None:
        found = found.filter(status=status)
    if text:
        found = found.filter(_contains(text))
    return found.order_by("sort_key", "id")


def get_account(actor: Actor, account_id: UUID) -> Account:
    """Return one account. One statement.

    Raises:
        NotFound: it does not exist, is out of sight or another tenant's.
    """
    account = access.reach(actor, Action.VIEW_ACCOUNT).filter(pk=account_id).first()
    if account is None:
        raise NotFound
    return account


def resolve_reference(actor: Actor, text: str, *, action: Action = Action.VIEW_ACCOUNT) -> UUID:
    """Return the id of the account that ``acc_…`` or ``ext:…`` names. One statement.

    Args:
        actor: who asks.
        text: what the integrator wrote.
        action: what the account is to be read for; it is looked for where that is allowed.

    Raises:
        NotFound: no account in reach is named so.
    """
    kind, _, external_id = text.partition(":")
    if "\x00" in text:
        raise NotFound
    if kind == "ext":
        named = Q(external_id=external_id)
    else:
        account_id = parse_public_id("acc", text)
        if account_id is None:
            raise NotFound
        named = Q(pk=account_id)
    found = access.reach(actor, action).filter(named).values_list("pk", flat=True).first()
    if found is None:
        raise NotFound
    return found


def path_of(actor: Actor, account_id: UUID) -> list[Account]:
    """Return the accounts from the root down to this one. One statement.

    For those who reach only a part of the tree the path begins where their reach begins.

    Raises:
        NotFound: the account does not exist or is out of sight.
    """
    path = list(
        access.reach(actor, Action.VIEW_ACCOUNT)
        .filter(tree.lies_above(actor.tenant_id, [account_id]))
        .select_related("node", "contract_party")
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
        else _placements(actor, as_of)
    )
    parents: dict[UUID, UUID] = dict(
        placed.filter(account_id__in=list(account_ids), parent__isnull=False)
        .order_by()
        .values_list("account_id", "parent_id")
    )
    seen = access.reach(actor, Action.VIEW_ACCOUNT).in_bulk(set(parents.values()))
    return {key: seen[parent_id] for key, parent_id in parents.items() if parent_id in seen}


def own_values(
    actor: Actor,
    account_ids: Iterable[UUID],
    names: Iterable[str],
    *,
    as_of: date,
) -> dict[UUID, dict[str, Any]]:
    """Return the plain settings that accounts in sight set themselves. One statement."""
    seen = access.reach(actor, Action.VIEW_ACCOUNT).filter(pk__in=list(account_ids))
    rows = (
        SettingInterval.objects.filter(
            Q(valid_to=None) | Q(valid_to__gt=as_of),
            tenant_id=actor.tenant_id,
            account__in=seen.order_by().values("pk"),
            name__in=list(names),
            valid_from__lte=as_of,
        )
        .order_by("account_id", "name", "id")
        .values_list("account_id", "name", "value")
    )
    found: dict[UUID, dict[str, Any]] = defaultdict(dict)
    for account_id, name, value in rows:
        if account_id is not None:
            found[account_id][name] = value
    return dict(found)


def children_of(actor: Actor, account_id: UUID, *, as_of: date | None = None) -> QuerySet[Account]:
    """Return the accounts directly below this one, by name. One statement.

    They are none where the account itself is out of sight.
    """
    return accounts(actor, parent=account_id, as_of=as_of)


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
        else _placements(actor, as_of)
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
    parent = _placements(actor, as_of).filter(account_id=OuterRef("pk"))
    return list(
        access.reach(actor, Action.VIEW_ACCOUNT)
        .filter(_lies_below(actor, top_id, as_of))
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


def _contains(text: str) -> Q:
    # PostgreSQL has no NUL in text, so nothing can contain one.
    wanted = text.replace("\x00", "")
    return Q(name__icontains=wanted) | Q(external_id__icontains=wanted) | Q(email__icontains=wanted)


def _is_child(actor: Actor, ids: Sequence[UUID], as_of: date | None) -> Q:
    """Return a condition: directly below one of ``ids``, each of which is in sight."""
    seen = access.reach(actor, Action.VIEW_ACCOUNT).filter(pk__in=ids).values("pk")
    if as_of is None:
        return Q(node__parent_id__in=seen)
    then = _placements(actor, as_of).filter(parent_id__in=seen)
    return Q(pk__in=then.values("account_id"))


def _is_top(actor: Actor) -> Q:
    if access.allows_everywhere(actor, Action.VIEW_ACCOUNT):
        return Q(node__parent=None)
    above = access.reach(actor, Action.VIEW_ACCOUNT).filter(pk=OuterRef("node__parent_id"))
    return Q(~Exists(above.order_by()))


def _lies_below(actor: Actor, top_id: UUID, as_of: date | None) -> Q:
    if as_of is None:
        return tree.lies_below(actor.tenant_id, [top_id])
    tenant_id = actor.tenant_id
    params = (tenant_id, top_id, as_of, as_of, tenant_id, as_of, as_of)
    return Q(pk__in=RawSQL(_BELOW_THEN, params))  # noqa: S611 - constant text


# History keeps parents only, so the past is walked from parent to child.
_BELOW_THEN = """
    WITH RECURSIVE below AS (
        SELECT account_id FROM accounts_placement
        WHERE tenant_id = %s AND account_id = %s
            AND valid_from <= %s AND (valid_to IS NULL OR valid_to > %s)
        UNION
        SELECT placed.account_id FROM accounts_placement AS placed
        JOIN below ON placed.parent_id = below.account_id
        WHERE placed.tenant_id = %s
            AND placed.valid_from <= %s AND (placed.valid_to IS NULL OR placed.valid_to > %s)
    ) SELECT account_id FROM below
"""


def _placements(actor: Actor, day: date) -> QuerySet[Placement]:
    return Placement.objects.filter(
        Q(valid_to=None) | Q(valid_to__gt=day), tenant_id=actor.tenant_id, valid_from__lte=day
    ).order_by()
