"""Effective settings of accounts, and where each comes from, in a constant number of statements."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any
from uuid import UUID

from django.db.models import JSONField, Q, QuerySet, UUIDField, Value
from django.db.models.expressions import RawSQL
from django.db.models.functions import Cast

from accounts import access, tree
from accounts.access import Action
from accounts.models import Placement, SettingInterval
from accounts.queries.dated import holding_on
from accounts.queries.setting_history import SettingHistory
from tenancy.actor import Actor
from tenancy.database.prepared import Given, Prepared


def setting_history(
    actor: Actor,
    members: Sequence[tuple[UUID, UUID | None]],
    *,
    families: Iterable[UUID] | None = None,
) -> SettingHistory:
    """Return the settings of accounts over time. One statement.

    Args:
        actor: whose tenant.
        members: the accounts with their parents, parents first.
        families: the roots of which these are all accounts, where they are; the database then
            finds the accounts by itself instead of reading a name for each.
    """
    if families is None:
        # One parameter, however many accounts: thousands of them are slow to write and parse.
        rows = _OF_ACCOUNTS.rows(
            tenant=actor.tenant_id, ids=[str(account_id) for account_id, _parent in members]
        )
    else:
        rows = _OF_FAMILIES.rows(tenant=actor.tenant_id, ids=[str(root) for root in families])
    intervals: list[Any] = []
    placements: dict[UUID, list[tuple[UUID | None, date, date | None]]] = defaultdict(list)
    for row in rows:
        account_id, name, _value, parent_id, _seller_id, valid_from, valid_to = row
        if name == _PLACEMENT:
            placements[account_id].append((parent_id, valid_from, valid_to))
        else:
            intervals.append(row)
    return SettingHistory(members, intervals, dict(placements))


_PLACEMENT = "-"
"""Stands where rows of settings have the name of one."""


def _intervals_and_placements(wanted: Q) -> QuerySet[Any, Any]:
    """Return all setting rows, and the placements of accounts that stood in more than one place."""
    intervals = SettingInterval.objects.filter(
        wanted | Q(account=None), tenant_id=Given("tenant")
    ).values_list("account_id", "name", "value", "target_id", "seller_id", "valid_from", "valid_to")
    moved = Placement.objects.filter(tenant_id=Given("tenant"), valid_to__isnull=False)
    placements = (
        Placement.objects.filter(
            tenant_id=Given("tenant"),
            account_id__in=moved.filter(wanted).order_by().values("account_id"),
        )
        .annotate(
            name=Value(_PLACEMENT),
            value=Value(None, JSONField()),
            seller_id=Cast(Value(None), UUIDField()),
        )
        .values_list(
            "account_id", "name", "value", "parent_id", "seller_id", "valid_from", "valid_to"
        )
    )
    return intervals.order_by().union(placements.order_by(), all=True)


_IDS = RawSQL("SELECT unnest(%s::uuid[])", (Given("ids"),))
_OF_ACCOUNTS = Prepared(lambda: _intervals_and_placements(Q(account_id__in=_IDS)))
_OF_FAMILIES = Prepared(
    lambda: _intervals_and_placements(tree.lies_below(Given("tenant"), _IDS, "account_id"))
)


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
            holding_on(actor, as_of),
            account__in=seen.order_by().values("pk"),
            name__in=list(names),
        )
        .order_by("account_id", "name", "id")
        .values_list("account_id", "name", "value")
    )
    found: dict[UUID, dict[str, Any]] = defaultdict(dict)
    for account_id, name, value in rows:
        if account_id is not None:
            found[account_id][name] = value
    return dict(found)
