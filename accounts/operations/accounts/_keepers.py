"""Accounts below changed ones: who keeps a value of its own, and how many follow."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date
from typing import Final
from uuid import UUID

from accounts import tree
from accounts.models import Account, AccountNode, SettingInterval
from accounts.queries.dated import holding_on
from tenancy.actor import Actor

_SHOWN: Final = 10


@dataclass(frozen=True, slots=True)
class Below:
    """What becomes of the accounts below changed ones.

    Attributes:
        keepers: the first by name that have a value of their own and stay.
        keeper_count: how many of those there are.
        follower_count: how many inherit what then holds above them.
    """

    keepers: Collection[tuple[UUID, str]] = ()
    keeper_count: int = 0
    follower_count: int = 0


def below_changed(
    actor: Actor,
    chosen: Collection[UUID],
    names: Collection[str],
    day: date,
    *,
    refused: Collection[UUID] = (),
) -> Below:
    """Return who keeps a value below the chosen accounts, and how many follow them.

    Four statements, which read as much as there are accounts that set something themselves.

    Args:
        actor: who changes the others, allowed to do so everywhere.
        chosen: the accounts that are changed.
        names: which settings of those.
        day: since when.
        refused: those of the chosen that stay as they are; who stands below these does not follow.
    """
    if not names:
        return Below()
    chosen = {*chosen}
    own = SettingInterval.objects.filter(
        holding_on(actor, day), name__in=[*names], account__isnull=False
    )
    setting = {*own.order_by().values_list("account__pk", flat=True)}
    paths = tree.paths(actor.tenant_id, setting - chosen)
    keeping = [key for key, path in paths.items() if not chosen.isdisjoint(path)]
    named = Account.objects.filter(tenant_id=actor.tenant_id, pk__in=keeping)
    first = named.order_by("sort_key", "id").values_list("id", "name")[:_SHOWN]
    places = AccountNode.objects.filter(
        tenant_id=actor.tenant_id, account_id__in=chosen.union(keeping)
    )
    nodes = places.order_by("tree_id", "lft").values_list("account_id", "tree_id", "lft", "rght")
    return Below(list(first), len(keeping), _followers(nodes, chosen - {*refused}))


def _followers(nodes: Iterable[tuple[UUID, int, int, int]], changing: Collection[UUID]) -> int:
    """Return how many accounts stand below a changing one with none of the others between.

    Args:
        nodes: the changing accounts and all that have a say of their own below these, in the order
            of their trees.
        changing: the changing ones.
    """
    count = 0
    above: list[tuple[UUID, int, int]] = []
    for key, tree_id, left, right in nodes:
        while above and (above[-1][1] != tree_id or above[-1][2] < left):
            above.pop()
        below = (right - left - 1) // 2
        if key in changing:
            count += below
        if above and above[-1][0] in changing:
            count -= below + 1
        above.append((key, tree_id, right))
    return count
