"""The company's defaults: what every account has that neither sets nor inherits another value."""

from collections.abc import Callable, Mapping
from datetime import date, datetime
from typing import Any
from uuid import UUID

from accounts import access
from accounts.access import Action
from accounts.declarations import SETTINGS, SettingName
from accounts.operations.account_settings.changing import WantedSettings, plain, wanted_changes
from accounts.operations.account_settings.refusals import (
    InvalidSettings,
    NothingPlanned,
    checked_values,
    fault,
    require_day,
    require_seller,
)
from accounts.operations.settings import (
    Change,
    stored_intervals,
    timeline_of,
    write_changes,
    write_timelines,
)
from accounts.queries.tenant_settings import DefaultEffect, default_effects
from accounts.versions import intervals_shown, require_version
from billing_rules.timelines import held_on, unchanged
from tenancy.actor import Actor
from tenancy.database import operation
from tenancy.errors import NotFound
from tenancy.events import Happening, record_event
from tenancy.models import Tenant

CHANGEABLE = tuple(
    name
    for name, setting in SETTINGS.items()
    # The time zone of the company decides its days too, and has an operation of its own.
    if setting.has_tenant_default and name != SettingName.TIME_ZONE
)


@operation
def change_defaults(
    actor: Actor,
    wanted: WantedSettings,
    *,
    today: date,
    version: str = "",
    require_seen: Callable[[], object] | None = None,
    is_dry_run: bool = False,
    now: datetime,
) -> list[DefaultEffect]:
    """Change defaults of the company from a day on; what is planned for later days stays.

    Args:
        actor: who changes them.
        wanted: see there; None only where there need be no default.
        today: the tenant's day.
        version: of the defaults as they were shown; empty overwrites anyway.
        require_seen: refuses if they are not as the caller has seen them; asked under the lock.
        is_dry_run: check everything, answer what it does, store nothing.
        now: for the audit trail.

    Raises:
        Forbidden: the actor may not change the tenant.
        InvalidSettings, EffectiveDatePassed, NotSchedulable, NotLockable, ChangedMeanwhile: see
            their texts.

    Source: docs/billing-rules.md, Dated settings.
    """
    access.require_everywhere(actor, Action.MANAGE_TENANT)
    names = [*{**wanted.values, **wanted.locks}]
    _require_default(names, wanted.values)
    tenant = Tenant.objects.select_for_update(no_key=True).get(pk=actor.tenant_id)
    if require_seen is not None:
        require_seen()
    require_day(actor, wanted.day, names, today=today)
    values = checked_values(actor, wanted.values)
    if values.get(SettingName.SELLER) is not None:
        require_seller(actor, values[SettingName.SELLER])
    stored = stored_intervals(actor, [(None, name) for name in names], for_update=True)
    changes = wanted_changes(actor, None, values, wanted, stored)
    if changes:
        require_version(version, intervals_shown(row for rows in stored.values() for row in rows))
    effects = default_effects(actor, values, day=wanted.day)
    if changes and not is_dry_run:
        write_changes(actor, changes, today=wanted.day)
        record_event(actor, _happening(tenant.pk, changes, wanted.day), now=now)
    return effects


@operation
def cancel_planned_default(
    actor: Actor, name: str, day: date, *, today: date, now: datetime
) -> None:
    """Take back the change of a default that is planned for a day: what holds before goes on.

    Raises:
        NotFound, Forbidden, NothingPlanned: as for a setting of an account.
    """
    access.require_everywhere(actor, Action.MANAGE_TENANT)
    if name not in CHANGEABLE:
        raise NotFound
    tenant = Tenant.objects.select_for_update(no_key=True).get(pk=actor.tenant_id)
    [(place, rows)] = stored_intervals(actor, [(None, name)], for_update=True).items()
    before = timeline_of(rows)
    try:
        after = unchanged(before, day) if day > today else None
    except KeyError:
        after = None
    if after is None:
        raise NothingPlanned(setting=SETTINGS[name].label, day=day)
    write_timelines(actor, [(place, rows, after)])
    held = [held_on(one, day) for one in (before, after)]
    old, new = (None if one is None else one.value.value for one in held)
    record_event(actor, _happening(tenant.pk, [Change(None, name, old, new)], day), now=now)


def _require_default(names: list[str], values: Mapping[str, Any]) -> None:
    """Refuse settings that a company has no default of, and none where there has to be one."""
    faults = [fault(name, "no_default", "") for name in names if name not in CHANGEABLE]
    faults += [
        fault(name, "required", "")
        for name, value in values.items()
        if value is None and (SETTINGS[name].default is not None or SETTINGS[name].is_seller)
    ]
    if faults:
        raise InvalidSettings(errors=faults)


def _happening(tenant_id: UUID, changes: list[Change], day: date) -> Happening:
    before = {change.name: plain(change.name, change.old) for change in changes}
    after: dict[str, object] = {one.name: plain(one.name, one.new) for one in changes}
    return Happening(
        "tenant.settings_changed",
        tenant_id,
        before=before,
        after={**after, "effective_date": day.isoformat()},
        data={"changed": sorted(before), "effective_date": day.isoformat()},
    )
