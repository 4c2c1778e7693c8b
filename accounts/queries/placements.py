"""Where accounts stand in the tree, now or on another day, as conditions on accounts."""

from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any
from uuid import UUID

from django.core.exceptions import EmptyResultSet
from django.db import connection
from django.db.models import BooleanField, Q, QuerySet
from django.db.models.expressions import RawSQL

from accounts import access, tree
from accounts.access import Action
from accounts.models import Placement
from accounts.queries.dated import holding_on
from accounts.queries.sums_then import all_below_then
from tenancy.actor import Actor

_ABOVE_THEN = """
    WITH RECURSIVE above AS (
        SELECT account_id, parent_id FROM accounts_placement
        WHERE account_id IN ({lowest}) AND tenant_id = %s
            AND valid_from <= %s AND (valid_to IS NULL OR valid_to > %s)
        UNION
        SELECT placed.account_id, placed.parent_id FROM accounts_placement AS placed
        JOIN above ON placed.account_id = above.parent_id
        WHERE placed.tenant_id = %s
            AND placed.valid_from <= %s AND (placed.valid_to IS NULL OR placed.valid_to > %s)
    ) SELECT {columns} FROM above
"""


def placements_on(actor: Actor, day: date) -> QuerySet[Placement]:
    """Return the tenant's placements that hold on a day, whether in sight or not."""
    return Placement.objects.filter(holding_on(actor, day)).order_by()


def lies_below(actor: Actor, top_id: UUID, as_of: date | None) -> Q:
    """Return a condition: this account or below it, on a day; None for now."""
    if as_of is None:
        return tree.lies_below(actor.tenant_id, [top_id])
    below = all_below_then(actor, top_id, as_of)
    return Q(pk__in=RawSQL(below.sql, below.params))  # noqa: S611 - our own text


def is_below(actor: Actor, top_id: UUID, day: date) -> Q:
    """Return the same condition for a day, looked at for each account that others leave.

    For a statement on accounts that asks for little of a large tree, such as a search: what lies
    below is read once, and accounts are not looked up one by one.
    """
    below = all_below_then(actor, top_id, day)
    return Q(RawSQL(_IS_BELOW.format(below=below.sql), below.params, BooleanField()))  # noqa: S611


# "IS TRUE" keeps the planner from turning it round, which would look up every account below.
_IS_BELOW = "(accounts_account.id IN ({below})) IS TRUE"


def lies_above(actor: Actor, account_ids: Iterable[UUID], day: date) -> Q:
    """Return a condition: one of these accounts or above one of them on a day."""
    found = _above(actor, account_ids, day, "account_id")
    return Q(pk__in=RawSQL(*found))  # noqa: S611 - constant text


def members_above(
    actor: Actor, account_ids: Iterable[UUID] | QuerySet[Any, Any], day: date
) -> list[tuple[UUID, UUID | None]]:
    """Return accounts and all that stood above them on a day, each after its parent.

    One statement. Those that had no place then are left out, those out of sight are not: whoever
    asks shows nothing of them, or may read the whole tenant.
    """
    with connection.cursor() as cursor:
        cursor.execute(*_above(actor, account_ids, day, "account_id, parent_id"))
        parents: dict[UUID, UUID | None] = dict(cursor.fetchall())
    ordered: dict[UUID, UUID | None] = {}
    for key in parents:
        way: list[UUID] = []
        up: UUID | None = key
        while up is not None and up not in ordered:
            way.append(up)
            up = parents.get(up)
        ordered.update((one, parents[one]) for one in reversed(way) if one in parents)
    return list(ordered.items())


def path_ids_then(actor: Actor, account_id: UUID, day: date) -> list[UUID]:
    """Return the accounts from the root down to this one as they stood on a day. One statement."""
    return [key for key, _parent in members_above(actor, [account_id], day)]


def _above(
    actor: Actor, account_ids: Iterable[UUID] | QuerySet[Any, Any], day: date, columns: str
) -> tuple[str, tuple[Any, ...]]:
    held = (actor.tenant_id, day, day)
    params: tuple[Any, ...]
    if isinstance(account_ids, QuerySet):
        try:
            lowest, params = account_ids.order_by().query.sql_with_params()
        except EmptyResultSet:
            lowest, params = "SELECT NULL::uuid WHERE false", ()
    else:
        lowest, params = "SELECT unnest(%s::uuid[])", ([str(key) for key in account_ids],)
    return _ABOVE_THEN.format(lowest=lowest, columns=columns), (*params, *held, *held)


def is_child(actor: Actor, ids: Sequence[UUID], as_of: date | None) -> Q:
    """Return a condition: directly below one of ``ids`` that is in sight."""
    seen = access.reach(actor, Action.VIEW_ACCOUNT).filter(pk__in=ids).values("pk")
    if as_of is None:
        return Q(node__parent_id__in=seen)
    then = placements_on(actor, as_of).filter(parent_id__in=seen)
    return Q(pk__in=then.values("account_id"))
