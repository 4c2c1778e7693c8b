"""Every setting of one account as it holds, with where it comes from, as far as it may be told."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Any
from uuid import UUID

from accounts import access, tree
from accounts.access import Action
from accounts.declarations import SETTINGS, ReadAt, SettingName
from accounts.models import Account, Seller
from accounts.queries.settings import FamilySettings, path_ids_then, setting_history
from tenancy.actor import Actor
from tenancy.errors import NotFound

ACCOUNT_SETTINGS = tuple(name for name, setting in SETTINGS.items() if setting.is_account)
_OF_THE_DOCUMENT = frozenset(
    name
    for name, setting in SETTINGS.items()
    if setting.read_at != ReadAt.SERVICE_OWNER and not setting.is_account
)
"""What is read at the bill-to or the payer (R9), and so belongs to its documents."""


@dataclass(frozen=True, slots=True)
class EffectiveSetting:
    """One setting as it holds on an account.

    ``value`` is plain JSON, or the id of an account or a seller. ``source`` is ``own``,
    ``inherited`` or ``tenant``; ``origin_id`` and ``origin_name`` name the account that set it,
    and are empty where that is out of reach. ``is_withheld`` says that the value is not told:
    it concerns the documents of a recipient out of reach (R31).
    """

    name: str
    value: Any
    source: str
    origin_id: UUID | None = None
    origin_name: str = ""
    target_name: str = ""
    is_withheld: bool = False


def settings_of(actor: Actor, account_id: UUID, as_of: date) -> dict[str, EffectiveSetting]:
    """Return every setting of one account with its origin. Four statements, whatever the depth.

    One statement more for those who don't see the whole tenant: accounts out of their reach are
    not named. What is read at a bill-to or payer out of reach is withheld, its own values aside.

    Raises:
        NotFound: the account is out of the actor's sight.
    """
    if not access.reach(actor, Action.VIEW_SETTINGS).filter(pk=account_id).exists():
        raise NotFound
    path = path_ids_then(actor, account_id, as_of) or tree.path_ids(actor.tenant_id, account_id)
    members = [(node, path[place - 1] if place else None) for place, node in enumerate(path)]
    settings = setting_history(actor, members).on(as_of)
    wanted = {*settings.bill_tos[account_id], *settings.payers[account_id]}
    accounts = Account.objects.filter(
        tenant_id=actor.tenant_id, pk__in={key for key in (*path, *wanted) if key is not None}
    )
    sellers = Seller.objects.filter(tenant_id=actor.tenant_id)
    named = accounts.order_by().values_list("id", "name")
    names = dict(named.union(sellers.order_by().values_list("id", "name"), all=True))
    found = {name: _effective(name, account_id, settings, names) for name in SETTINGS}
    if access.allows_everywhere(actor, Action.VIEW_SETTINGS):
        return found
    reached = access.reach(actor, Action.VIEW_SETTINGS).order_by()
    known = set(
        reached.filter(pk__in={key for key in (*path, *wanted) if key}).values_list("pk", flat=True)
    )
    return {name: _as_known(one, found, known) for name, one in found.items()}


def _as_known(
    setting: EffectiveSetting, all_settings: Mapping[str, EffectiveSetting], known: set[UUID]
) -> EffectiveSetting:
    """Return a setting without what somebody who knows some accounts alone may not be told."""
    if setting.origin_id is not None and setting.origin_id not in known:
        setting = replace(setting, origin_id=None, origin_name="")
    if setting.source == "own":
        is_withheld = False
    elif setting.name in ACCOUNT_SETTINGS:
        is_withheld = setting.value not in known
    else:
        is_foreign = all_settings[SettingName.BILL_TO].value not in known
        is_withheld = is_foreign and setting.name in _OF_THE_DOCUMENT
    if not is_withheld:
        return setting
    # Where it comes from would tell as well: a default says that nobody set anything.
    return EffectiveSetting(setting.name, None, "inherited", is_withheld=True)


def _effective(
    name: str,
    account_id: UUID,
    settings: FamilySettings,
    names: Mapping[UUID, str],
) -> EffectiveSetting:
    if name in ACCOUNT_SETTINGS:
        decided = settings.bill_tos if name == SettingName.BILL_TO else settings.payers
        value, origin_id = decided[account_id]
        # Nobody set it: a root is its own bill-to, a bill-to its own payer.
        if origin_id is None:
            return EffectiveSetting(name, value, "tenant", target_name=names.get(value, ""))
        target_name = names.get(value, "")
    else:
        value = settings.value(account_id, name)
        origin_id = settings.resolved[account_id].origin(name)
        target_name = names.get(value, "") if name == SettingName.SELLER else ""
        if origin_id is None:
            return EffectiveSetting(name, value, "tenant", target_name=target_name)
    source = "own" if origin_id == account_id else "inherited"
    return EffectiveSetting(name, value, source, origin_id, names.get(origin_id, ""), target_name)
