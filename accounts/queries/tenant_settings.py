"""The company's defaults, and how many accounts go by them."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from accounts.declarations import SETTINGS
from accounts.models import AccountNode, SettingInterval
from accounts.queries.dated import holding_on
from accounts.queries.setting_stretches import SettingStretch, own_intervals, stretches_of
from accounts.queries.settings import setting_history
from tenancy.actor import Actor

DEFAULTS = tuple(name for name, setting in SETTINGS.items() if setting.has_tenant_default)


@dataclass(frozen=True, slots=True)
class DefaultEffect:
    """What another default does: how many accounts follow it, how many set their own.

    ``before`` and ``after`` are as stored: plain, or the id of a seller.
    """

    name: str
    before: Any
    after: Any
    following: int
    keeping: int


@dataclass(frozen=True, slots=True)
class TenantDefaults:
    """Every default as it holds on a day, and what was and is planned."""

    values: Mapping[str, Any]
    names: Mapping[UUID, str]
    stretches: Mapping[str, list[SettingStretch]]
    intervals: list[SettingInterval]


def tenant_defaults(actor: Actor, day: date) -> TenantDefaults:
    """Return the defaults of the company. Two statements.

    Raises:
        Forbidden: the actor may not see the settings of the whole tenant.
    """
    rows = list(own_intervals(actor, None))
    values = _values(actor, day)
    stretches: dict[str, list[SettingStretch]] = defaultdict(list)
    for one in stretches_of(rows, set(), today=actor.today):
        stretches[one.name].append(one)
    names = {row.seller.pk: row.seller.name for row in rows if row.seller is not None}
    return TenantDefaults(values, names, stretches, rows)


def _values(actor: Actor, day: date) -> dict[str, Any]:
    """Return the defaults, with those declared since the tenant was made."""
    nobody = UUID(int=0)
    settings = setting_history(actor, [(nobody, None)]).on(day)
    return {name: settings.value(nobody, name) for name in DEFAULTS}


def default_effects(actor: Actor, values: Mapping[str, Any], *, day: date) -> list[DefaultEffect]:
    """Return what other defaults would do on a day. Three statements.

    Args:
        actor: who asks.
        values: the defaults by the names of settings.
        day: since when.

    It relies on its caller: who may change the defaults may know what that does.
    """
    held = _values(actor, day)
    nodes = AccountNode.objects.filter(tenant_id=actor.tenant_id)
    total = nodes.count()
    setters = SettingInterval.objects.filter(
        holding_on(actor, day), account__isnull=False, name__in=[*values]
    )
    rows = setters.order_by("name", "account__node__tree_id", "account__node__lft").values_list(
        "name", "account__node__tree_id", "account__node__lft", "account__node__rght"
    )
    keeping: dict[str, int] = dict.fromkeys(values, 0)
    covered: dict[str, int] = dict.fromkeys(values, 0)
    last: dict[str, tuple[int, int]] = {}
    for name, tree_id, left, right in rows:
        keeping[name] += 1
        if last.get(name, (0, 0))[0] == tree_id and left < last[name][1]:
            # It stands below one that has been counted with all below it.
            continue
        last[name] = tree_id, right
        covered[name] += (right - left + 1) // 2
    return [
        DefaultEffect(name, held[name], value, total - covered[name], keeping[name])
        for name, value in values.items()
    ]
