"""Accounts below changed ones that keep a value of their own."""

from collections.abc import Collection
from datetime import date
from typing import Final
from uuid import UUID

from accounts import tree
from accounts.models import Account, SettingInterval
from accounts.queries.dated import holding_on
from tenancy.actor import Actor

_SHOWN: Final = 10


def keepers_below(
    actor: Actor, chosen: Collection[UUID], names: Collection[str], day: date
) -> tuple[list[tuple[UUID, str]], int]:
    """Return accounts below the chosen ones that have a value of their own and stay.

    Three statements, which read as much as there are accounts that set something themselves.

    Args:
        actor: who changes the others, allowed to do so everywhere.
        chosen: the accounts that are changed.
        names: which settings of those.
        day: since when.

    Returns:
        The first by name, and how many there are in all.
    """
    if not names:
        return [], 0
    chosen = {*chosen}
    own = SettingInterval.objects.filter(
        holding_on(actor, day), name__in=[*names], account__isnull=False
    )
    setting = {*own.order_by().values_list("account__pk", flat=True)}
    paths = tree.paths(actor.tenant_id, setting - chosen)
    keeping = [key for key, path in paths.items() if not chosen.isdisjoint(path)]
    named = Account.objects.filter(tenant_id=actor.tenant_id, pk__in=keeping)
    first = named.order_by("sort_key", "id").values_list("id", "name")[:_SHOWN]
    return list(first), len(keeping)
