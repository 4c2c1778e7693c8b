"""The settings of one account with every value on the way down to it, and what they decide."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from django.db.models import Q

from accounts import access
from accounts.access import Action
from accounts.declarations import SETTINGS
from accounts.models import Account, SettingInterval
from accounts.queries.effective_settings import EffectiveSetting, settings_of
from accounts.queries.paths import path_of
from accounts.queries.setting_stretches import SettingStretch, stretches_of
from tenancy.actor import Actor


@dataclass(frozen=True, slots=True)
class OwnValue:
    """A value that one account sets itself, None for the tenant's default.

    ``value`` is plain JSON, or the id of an account or a seller, whose name is then
    ``target_name``. ``is_effective`` says that it holds, not one set further down.
    """

    account_id: UUID | None
    account_name: str
    value: Any
    target_name: str
    is_effective: bool


@dataclass(frozen=True, slots=True)
class SettingChains:
    """Every setting of an account: what holds, and what is set from the tenant down to it.

    ``own`` is what it sets itself, over all time; ``intervals`` are the rows of that.
    """

    path: list[Account]
    effective: Mapping[str, EffectiveSetting]
    chains: Mapping[str, list[OwnValue]]
    own: Mapping[str, list[SettingStretch]]
    intervals: Sequence[SettingInterval]


def setting_chains(actor: Actor, account_id: UUID, as_of: date) -> SettingChains:
    """Return every setting of an account with the values on its path. Seven statements at most.

    Args:
        actor: who asks.
        account_id: the account.
        as_of: the day.

    Raises:
        NotFound: the account is out of the actor's sight.
    """
    effective = settings_of(actor, account_id, as_of)
    path = path_of(actor, account_id)
    seen = access.reach(actor, Action.VIEW_SETTINGS).filter(pk__in=[one.pk for one in path])
    intervals = (
        SettingInterval.objects.filter(
            Q(account=None) | Q(account__in=seen.order_by().values("pk")),
            tenant_id=actor.tenant_id,
        )
        .select_related("target", "seller")
        .order_by("name", "valid_from", "id")
    )
    own: dict[str, dict[UUID | None, SettingInterval]] = defaultdict(dict)
    here = []
    for interval in intervals:
        if interval.account_id == account_id:
            here.append(interval)
        if interval.valid_from <= as_of < (interval.valid_to or date.max):
            own[interval.name][interval.account_id] = interval
    told = {one.pk for one in path}
    stretches: dict[str, list[SettingStretch]] = defaultdict(list)
    for one in stretches_of(here, told, today=actor.today):
        stretches[one.name].append(one)
    levels: list[tuple[UUID | None, str]] = [(None, ""), *((one.pk, one.name) for one in path)]
    chains = {
        name: [
            _own_value(own[name][key], label, effective[name])
            for key, label in levels
            if key in own[name]
        ]
        for name in SETTINGS
    }
    return SettingChains(path, effective, chains, stretches, here)


def _own_value(interval: SettingInterval, label: str, effective: EffectiveSetting) -> OwnValue:
    named = interval.target or interval.seller
    return OwnValue(
        account_id=interval.account_id,
        account_name=label,
        value=interval.value if named is None else named.pk,
        target_name="" if named is None else named.name,
        is_effective=interval.account_id == effective.origin_id,
    )
