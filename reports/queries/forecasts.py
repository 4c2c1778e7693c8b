"""Of which trees there is a calendar, and whether it still says what holds."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final
from uuid import UUID

from django.db import connection
from django.db.models import QuerySet

from accounts import access, tree
from accounts.access import Action
from accounts.models import Account, AccountNode
from tenancy.actor import Actor

# A price that is new changes nothing until somebody has it, and people owe nothing.
_SAYS_NOTHING: Final = ("price.%", "product.%", "contact.%", "grant.%", "membership.%", "%.pdf_%")

# Whoever saw one event of a transaction saw all of them, be they a hundred thousand of an import.
_STANDING: Final = """
    SELECT node.account_id, (node.rght - node.lft + 1) / 2, forecast.id, forecast.today,
        forecast.members, forecast.seen, forecast.made_at, forecast.took_seconds,
        forecast.complete_until, forecast.ready_until, forecast.wanted_at IS NOT NULL,
        (SELECT count(*) FROM accounts_event AS event
            WHERE event.tenant_id = node.tenant_id
            AND event.transaction > COALESCE((
                SELECT settled.transaction FROM accounts_event AS settled
                WHERE settled.id = forecast.settled), -9223372036854775808)
            AND (event.path = '{{}}' OR node.account_id = ANY (event.path))
            AND event.kind NOT LIKE ALL (%s))
    FROM accounts_accountnode AS node
    LEFT JOIN reports_forecast AS forecast
        ON forecast.tenant_id = node.tenant_id AND forecast.root_id = node.account_id
    WHERE node.tenant_id = %s AND node.parent_id IS NULL {of}
    ORDER BY node.account_id
"""

# As `tenancy.queries.events` has it: what is older than all that still runs can't be preceded.
_SETTLED: Final = """
    SELECT id FROM accounts_event WHERE tenant_id = %s
    AND transaction < pg_snapshot_xmin(pg_current_snapshot())::text::bigint
    ORDER BY transaction DESC, id DESC LIMIT 1
"""

_ITEMS: Final = """
    SELECT count(*) FROM accounts_accountnode AS root
    JOIN accounts_accountnode AS node
        ON node.tenant_id = root.tenant_id AND node.tree_id = root.tree_id
    JOIN subscriptions_item AS item
        ON item.tenant_id = node.tenant_id AND item.account_id = node.account_id
    WHERE root.tenant_id = %s AND root.account_id = ANY (%s::uuid[])
    AND item.next_action_date IS NOT NULL
"""


_ACTIONS: Final = (Action.VIEW_INVOICE, Action.VIEW_SUBSCRIPTION)
"""Who may do one of these sees something of a calendar."""


@dataclass(frozen=True, slots=True)
class Standing:
    """The calendar of one tree.

    Attributes:
        root_id: the account at the top.
        members: how many accounts the tree has now.
        events: how many events have happened since the last that was settled.
        made_at, complete_until: None where it was never made.
        ready_until: up to where a newer one is made that is not complete yet.
        is_wanted: it waits to be made in the background.
        is_fresh: nothing has happened since.
        took_seconds: how long it took to make.
    """

    root_id: UUID
    members: int
    events: int
    made_at: datetime | None
    complete_until: date | None
    ready_until: date | None
    is_wanted: bool
    is_fresh: bool
    took_seconds: int


def roots_concerned(actor: Actor, within: UUID | None) -> list[UUID] | None:
    """Return the accounts at the top of the trees that somebody's calendar is made of.

    None stands for all of the tenant. One statement, none for all.

    Args:
        actor: who asks.
        within: only the tree of this account, which the caller has found in sight.
    """
    if within is not None:
        return tree.path_ids(actor.tenant_id, within)[:1]
    if any(access.allows_everywhere(actor, action) for action in _ACTIONS):
        return None
    seen = with_calendar(actor).order_by().values("pk")
    trees = AccountNode.objects.filter(tenant_id=actor.tenant_id, account_id__in=seen)
    roots = tree.roots(actor.tenant_id).filter(tree_id__in=trees.order_by().values("tree_id"))
    return list(roots.values_list("account_id", flat=True))


def with_calendar(actor: Actor) -> QuerySet[Account]:
    """Return the accounts whose calendar somebody sees anything of."""
    invoices, subscriptions = (access.reach(actor, action) for action in _ACTIONS)
    return invoices | subscriptions


def standings(actor: Actor, root_ids: Collection[UUID] | None, today: date) -> list[Standing]:
    """Return how the calendars of some trees stand, or of all. One statement.

    It says of trees no more than whether something has happened there, to operations.
    """
    only = "" if root_ids is None else "AND node.account_id = ANY (%s::uuid[])"
    values: list[Any] = [list(_SAYS_NOTHING), actor.tenant_id]
    if root_ids is not None:
        values.append([str(one) for one in root_ids])
    with connection.cursor() as cursor:
        cursor.execute(_STANDING.format(of=only), values)
        return [_standing(row, today) for row in cursor.fetchall()]


def settled_event(actor: Actor) -> UUID | None:
    """Return the last event that no other can come before any more. One statement."""
    with connection.cursor() as cursor:
        cursor.execute(_SETTLED, [actor.tenant_id])
        row = cursor.fetchone()
    return row[0] if row else None


def items_of(actor: Actor, root_ids: Sequence[UUID]) -> int:
    """Return how many items will be charged in some trees. One statement, none for none."""
    if not root_ids:
        return 0
    with connection.cursor() as cursor:
        cursor.execute(_ITEMS, [actor.tenant_id, [str(one) for one in root_ids]])
        return int(cursor.fetchone()[0])


def _standing(row: tuple[Any, ...], today: date) -> Standing:
    root, members, key, day, known, seen, made_at, took, until, ready, wanted, events = row
    return Standing(
        root_id=root,
        members=members,
        events=events,
        made_at=made_at,
        complete_until=until,
        ready_until=ready,
        is_wanted=bool(wanted),
        is_fresh=key is not None and (day, known, seen) == (today, members, events),
        took_seconds=took or 0,
    )
