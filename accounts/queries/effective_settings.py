"""Every setting of one account as it holds, with where it comes from, as far as it may be told."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any
from uuid import UUID

from django.db.models import Q, QuerySet

from accounts import access, tree
from accounts.access import Action
from accounts.declarations import SETTINGS, ReadAt, SettingName
from accounts.models import Account, Seller, SettingInterval
from accounts.queries.dated import holding_on
from accounts.queries.placements import path_ids_then
from accounts.queries.setting_history import FamilySettings, SettingHistory
from accounts.queries.settings import setting_history
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
    it concerns the documents of a recipient out of reach (R31). ``is_locked`` says that an account
    above, named by ``lock_id`` and ``lock_name`` if it may be, or the tenant keeps this one from
    setting its own. ``changes_on`` is the day from which another value is planned to hold.
    """

    name: str
    value: Any
    source: str
    origin_id: UUID | None = None
    origin_name: str = ""
    target_name: str = ""
    is_withheld: bool = False
    is_locked: bool = False
    lock_id: UUID | None = None
    lock_name: str = ""
    changes_on: date | None = None


def settings_of(actor: Actor, account_id: UUID, as_of: date) -> dict[str, EffectiveSetting]:
    """Return every setting of one account with its origin. Five statements, whatever the depth.

    One statement more for those who don't see the whole tenant: accounts out of their reach are
    not named. What is read at a bill-to or payer out of reach is withheld, its own values aside.

    Raises:
        NotFound: the account is out of the actor's sight.
    """
    if not access.reach(actor, Action.VIEW_SETTINGS).filter(pk=account_id).exists():
        raise NotFound
    path = path_ids_then(actor, account_id, as_of) or tree.path_ids(actor.tenant_id, account_id)
    members = [(node, path[place - 1] if place else None) for place, node in enumerate(path)]
    history = setting_history(actor, members)
    settings = history.on(as_of)
    locks = _locks(actor, path[:-1], as_of)
    wanted = {*settings.bill_tos[account_id], *settings.payers[account_id]}
    accounts = Account.objects.filter(
        tenant_id=actor.tenant_id, pk__in={key for key in (*path, *wanted) if key is not None}
    )
    planned = _planned(history, account_id, as_of)
    sellers = Seller.objects.filter(tenant_id=actor.tenant_id)
    named = accounts.order_by().values_list("id", "name")
    names = dict(named.union(sellers.order_by().values_list("id", "name"), all=True))
    found = {
        name: replace(
            _effective(name, account_id, settings, names),
            is_locked=name in locks,
            lock_id=locks.get(name),
            lock_name=_name_of(locks.get(name), names),
            changes_on=planned.get(name),
        )
        for name in SETTINGS
    }
    if access.allows_everywhere(actor, Action.VIEW_SETTINGS):
        return found
    reached = access.reach(actor, Action.VIEW_SETTINGS).order_by()
    known = set(
        reached.filter(pk__in={key for key in (*path, *wanted) if key}).values_list("pk", flat=True)
    )
    return {name: _as_known(one, found, known) for name, one in found.items()}


def is_locked_above(actor: Actor, path: Sequence[UUID], name: str, day: date) -> bool:
    """Return whether an account above, or the company, has locked a setting. One statement.

    Args:
        actor: whose tenant.
        path: the accounts from the root down to the one that would set it.
        name: the setting.
        day: the day.
    """
    return _locking(actor, path[:-1], day).filter(name=name).exists()


def _locks(actor: Actor, above: Sequence[UUID], day: date) -> dict[str, UUID | None]:
    """Return which settings are locked, by whom: the lowest one above, None for the tenant."""
    order = {account_id: place for place, account_id in enumerate(above)}
    rows: Iterable[Any] = _locking(actor, above, day).values_list("name", "account_id")
    by_depth = sorted(rows, key=lambda row: -1 if row[1] is None else order[row[1]])
    return dict(by_depth)


def _locking(
    actor: Actor, above: Sequence[UUID], day: date
) -> QuerySet[SettingInterval, SettingInterval]:
    return SettingInterval.objects.filter(
        Q(account_id__in=above) | Q(account=None), holding_on(actor, day), is_locked=True
    )


def _planned(history: SettingHistory, account_id: UUID, day: date) -> dict[str, date]:
    """Return from which day another value is planned to hold, by setting."""
    present = _values(history.on(day), account_id)
    found: dict[str, date] = {}
    for later in history.changes:
        if later > day:
            then = _values(history.on(later), account_id)
            for name in SETTINGS:
                if then[name] != present[name]:
                    found.setdefault(name, later)
    return found


def _values(settings: FamilySettings, account_id: UUID) -> dict[str, Any]:
    return {
        name: settings.bill_tos[account_id][0]
        if name == SettingName.BILL_TO
        else settings.payers[account_id][0]
        if name == SettingName.PAYER
        else settings.said(account_id, name)
        for name in SETTINGS
    }


def _name_of(account_id: UUID | None, names: Mapping[UUID, str]) -> str:
    return "" if account_id is None else names.get(account_id, "")


def _as_known(
    setting: EffectiveSetting, all_settings: Mapping[str, EffectiveSetting], known: set[UUID]
) -> EffectiveSetting:
    """Return a setting without what somebody who knows some accounts alone may not be told."""
    if setting.origin_id is not None and setting.origin_id not in known:
        setting = replace(setting, origin_id=None, origin_name="")
    if setting.lock_id is not None and setting.lock_id not in known:
        setting = replace(setting, lock_id=None, lock_name="")
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
    return EffectiveSetting(
        setting.name,
        None,
        "inherited",
        is_withheld=True,
        is_locked=setting.is_locked,
        lock_id=setting.lock_id,
        lock_name=setting.lock_name,
    )


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
        value = settings.said(account_id, name)
        origin_id = settings.resolved[account_id].origin(name)
        target_name = names.get(value, "") if name == SettingName.SELLER else ""
        if origin_id is None:
            return EffectiveSetting(name, value, "tenant", target_name=target_name)
    source = "own" if origin_id == account_id else "inherited"
    return EffectiveSetting(name, value, source, origin_id, names.get(origin_id, ""), target_name)
