"""Changing the settings of an account, and taking back what is planned.

Locks are taken in one order: the tree, so that nobody moves meanwhile, then the account.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any
from uuid import UUID

from accounts import tree
from accounts.declarations import SETTINGS
from accounts.models import Account, SettingInterval
from accounts.operations.account_settings.refusals import (
    NothingPlanned,
    NotLockable,
    TargetArchived,
    checked_values,
    locked_account,
    require_day,
    require_right,
    require_targets,
    require_unlocked,
)
from accounts.operations.settings import (
    Change,
    Kept,
    after_change,
    stored_intervals,
    timeline_of,
    write_changes,
    write_timelines,
)
from accounts.queries.placements import path_ids_then
from accounts.queries.setting_effects import Effects, setting_effects
from accounts.versions import intervals_shown, require_version
from billing_rules.timelines import Timeline, held_on, unchanged
from tenancy.actor import Actor
from tenancy.database import operation
from tenancy.errors import NotFound
from tenancy.events import Happening, record_event
from tenancy.ids import public_id


@dataclass(frozen=True, slots=True)
class WantedSettings:
    """What is to hold on an account from a day on.

    Attributes:
        values: by the names of settings: plain values, ids of accounts and sellers, None to
            inherit.
        locks: by names, whether accounts below are kept from setting their own; the others stay
            as they are.
        day: since when.
    """

    values: Mapping[str, Any]
    day: date
    locks: Mapping[str, bool] = field(default_factory=dict)


@operation
def change_settings(
    actor: Actor,
    account_id: UUID,
    wanted: WantedSettings,
    *,
    today: date,
    version: str = "",
    require_seen: Callable[[], object] | None = None,
    is_dry_run: bool = False,
    now: datetime,
) -> Effects:
    """Change settings of an account from a day on; what is planned for later days stays.

    Args:
        actor: who changes them.
        account_id: whose settings.
        wanted: see there.
        today: the tenant's day.
        version: of the settings as they were shown; empty overwrites anyway.
        require_seen: refuses if they are not as the caller has seen them; asked under the locks.
        is_dry_run: check everything, answer what it does, store nothing.
        now: for the audit trail.

    Raises:
        NotFound, Forbidden: the actor may not see or change the account, or a setting of it that
            only the vendor changes.
        InvalidSettings, BillToOutsidePath, PayerNotAccepted, TargetArchived, SettingLocked,
        EffectiveDatePassed, NotSchedulable, NotLockable, ChangedMeanwhile: see their texts.

    Source: docs/billing-rules.md, R9 to R11, Dated settings.
    """
    account = locked_account(actor, account_id)
    names = [*{**wanted.values, **wanted.locks}]
    require_right(actor, names)
    if require_seen is not None:
        require_seen()
    if account.status == Account.Status.ARCHIVED:
        raise TargetArchived(account=account.name)
    require_day(actor, wanted.day, names, today=today)
    values = checked_values(actor, wanted.values)
    path = path_ids_then(actor, account_id, wanted.day) or tree.path_ids(
        actor.tenant_id, account_id
    )
    require_unlocked(actor, path, values, wanted.day)
    require_targets(actor, path, values)
    places = {(account_id, name): name for name in names}
    stored = stored_intervals(actor, places, for_update=True)
    changes = wanted_changes(actor, account_id, values, wanted, stored)
    if changes:
        # Who sends what is there already, as by pressing a button twice, overwrites nothing.
        require_version(version, intervals_shown(row for rows in stored.values() for row in rows))
    effects = setting_effects(actor, account_id, values, day=wanted.day)
    if changes and not is_dry_run:
        write_changes(actor, changes, today=wanted.day)
        record_event(actor, _happening(account, changes, wanted.day), now=now)
    return effects


@operation
def cancel_planned_setting(
    actor: Actor,
    account_id: UUID,
    name: str,
    day: date,
    *,
    today: date,
    require_seen: Callable[[], object] | None = None,
    now: datetime,
) -> None:
    """Take back the change of a setting that is planned for a day: what holds before goes on.

    Args:
        actor: who takes it back.
        account_id: whose setting.
        name: the setting.
        day: when it was to begin.
        today: the tenant's day; what has begun stays.
        require_seen: refuses if the settings are not as the caller has seen them.
        now: for the audit trail.

    Raises:
        NotFound, Forbidden: as for a change.
        NothingPlanned: see its text.
    """
    account = locked_account(actor, account_id)
    if name not in SETTINGS:
        raise NotFound
    require_right(actor, [name])
    if require_seen is not None:
        require_seen()
    [(place, rows)] = stored_intervals(actor, [(account_id, name)], for_update=True).items()
    before = timeline_of(rows)
    try:
        after = unchanged(before, day) if day > today else None
    except KeyError:
        after = None
    if after is None:
        raise NothingPlanned(setting=SETTINGS[name].label, day=day)
    write_timelines(actor, [(place, rows, after)])
    change = Change(account_id, name, _said(before, day), _said(after, day))
    record_event(actor, _happening(account, [change], day), now=now)


def wanted_changes(
    _actor: Actor,
    account_id: UUID | None,
    values: Mapping[str, Any],
    wanted: WantedSettings,
    stored: Mapping[tuple[UUID | None, str], list[SettingInterval]],
) -> list[Change]:
    """Return what differs from what is stored for the day."""
    found = []
    for name in {**values, **wanted.locks}:
        rows = stored[account_id, name]
        timeline = timeline_of(rows)
        old = held_on(timeline, wanted.day)
        own = None if old is None else old.value.value
        new = values.get(name, own)
        lock = wanted.locks.get(name)
        if lock and (new is None or not SETTINGS[name].can_be_locked):
            raise NotLockable(setting=SETTINGS[name].label)
        change = Change(account_id, name, own, new, lock)
        if after_change(rows, change, wanted.day) != timeline:
            found.append(change)
    return found


def _said(timeline: Timeline[Kept], day: date) -> Any:
    held = held_on(timeline, day)
    return None if held is None else held.value.value


def _happening(account: Account, changes: list[Change], day: date) -> Happening:
    """Return the entry of the trail: by setting, what held and what holds from the day on."""
    before = {change.name: plain(change.name, change.old) for change in changes}
    after: dict[str, object] = {c.name: plain(c.name, c.new) for c in changes}
    locks = {f"{c.name}_locked": c.is_locked for c in changes if c.is_locked is not None}
    return Happening(
        "account.settings_changed",
        account.pk,
        account.pk,
        before=before,
        after={**after, **locks, "effective_date": day.isoformat()},
        data={
            "external_id": account.external_id or "",
            "changed": sorted(before),
            "effective_date": day.isoformat(),
        },
    )


def plain(name: str, value: Any) -> Any:
    """Return the value of a setting as it goes out: an id as integrators see it."""
    return public_id(SETTINGS[name].kind.id_prefix, value) if isinstance(value, UUID) else value
