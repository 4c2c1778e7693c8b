"""Writing settings as dated intervals: the past stays as it was, and so does what is planned."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any
from uuid import UUID

from django.db.models import Q

from accounts.declarations import SETTINGS
from accounts.models import SettingInterval
from accounts.models.nodes import BEGINNING
from accounts.queries.dated import holding_on
from billing_rules.timelines import Stretch, Timeline, changed, held_on
from tenancy.actor import Actor
from tenancy.database.inserting import insert_rows
from tenancy.database.updating import update_rows

REFERENCES = tuple(name for name, setting in SETTINGS.items() if setting.is_account)


@dataclass(frozen=True, slots=True)
class OwnSettings:
    """The values that one account sets itself: plain ones, and the accounts it refers to."""

    values: Mapping[str, Any] = field(default_factory=dict)
    references: Mapping[str, UUID] = field(default_factory=dict)

    def get(self, name: str) -> Any:
        """Return the own value of a setting, None where it is inherited."""
        return self.references.get(name) if name in REFERENCES else self.values.get(name)


@dataclass(frozen=True, slots=True)
class Change:
    """A new own value of one setting; None goes back to inheriting.

    ``account_id`` is None for the tenant's default. ``is_locked`` says whether accounts below are
    kept from setting their own; None leaves it as it is.
    """

    account_id: UUID | None
    name: str
    old: Any
    new: Any
    is_locked: bool | None = None


@dataclass(frozen=True, slots=True)
class Kept:
    """What an interval stores: a plain value, or what it refers to; and its lock."""

    value: Any
    is_locked: bool = False


Place = tuple[UUID | None, str]
"""An account, None for the tenant, and the name of a setting."""


def own_settings(actor: Actor, account_ids: Iterable[UUID], *, on: date) -> dict[UUID, OwnSettings]:
    """Return what these accounts set themselves on a day. One statement."""
    values: dict[UUID, dict[str, Any]] = defaultdict(dict)
    references: dict[UUID, dict[str, UUID]] = defaultdict(dict)
    rows: Iterable[Any] = SettingInterval.objects.filter(
        holding_on(actor, on), account_id__in=account_ids
    ).values_list("account_id", "name", "value", "target_id", "seller_id")
    for account_id, name, value, target_id, seller_id in rows:
        if name in REFERENCES:
            references[account_id][name] = target_id
        else:
            values[account_id][name] = value if seller_id is None else str(seller_id)
    return {
        account_id: OwnSettings(values[account_id], references[account_id])
        for account_id in {*values, *references}
    }


def differences(
    account_id: UUID, stored: OwnSettings, wanted: OwnSettings, names: Iterable[str]
) -> list[Change]:
    """Return what has to change for ``stored`` to become ``wanted``, among ``names``."""
    return [
        Change(account_id, name, stored.get(name), wanted.get(name))
        for name in names
        if stored.get(name) != wanted.get(name)
    ]


def write_new(actor: Actor, wanted: Mapping[UUID, OwnSettings]) -> None:
    """Write the settings of accounts that are just being made: they have always held."""
    insert_rows(
        [
            _interval(actor, account_id, name, Stretch(BEGINNING, None, Kept(value)))
            for account_id, own in wanted.items()
            for name, value in (*own.values.items(), *own.references.items())
        ]
    )


def write_changes(actor: Actor, changes: Iterable[Change], *, today: date) -> None:
    """Let each changed setting hold from a day on, until what is planned after it.

    Args:
        actor: whose tenant.
        changes: one for each account and setting at most.
        today: since when; days before stay as they were.
    """
    wanted = {(change.account_id, change.name): change for change in changes}
    stored = stored_intervals(actor, wanted, for_update=True)
    write_timelines(
        actor,
        [(place, rows, after_change(rows, wanted[place], today)) for place, rows in stored.items()],
    )


def after_change(rows: Sequence[SettingInterval], change: Change, day: date) -> Timeline[Kept]:
    """Return what a setting would be day by day, if it changed."""
    timeline = timeline_of(rows)
    held, is_locked = held_on(timeline, day), change.is_locked
    if is_locked is None:
        is_locked = held is not None and held.value.is_locked
    new = change.new
    if new is not None and SETTINGS[change.name].is_seller:
        new = UUID(str(new))
    return changed(timeline, day, None if new is None else Kept(new, is_locked))


def timeline_of(rows: Iterable[SettingInterval]) -> Timeline[Kept]:
    """Return what some intervals of one setting say."""
    return [
        Stretch(
            row.valid_from,
            row.valid_to,
            Kept(row.target_id or row.seller_id or row.value, row.is_locked),
        )
        for row in rows
    ]


def stored_intervals(
    actor: Actor, places: Iterable[Place], *, for_update: bool = False
) -> dict[Place, list[SettingInterval]]:
    """Return the intervals of settings in order, each of ``places`` among them. One statement."""
    found: dict[Place, list[SettingInterval]] = {place: [] for place in places}
    accounts = {account_id for account_id, _name in found}
    whose = Q(account_id__in=accounts - {None})
    rows = SettingInterval.objects.filter(
        whose | Q(account=None) if None in accounts else whose,
        tenant_id=actor.tenant_id,
        name__in={name for _account_id, name in found},
    ).order_by("valid_from", "id")
    for row in rows.select_for_update(of=("self",)) if for_update else rows:
        if (row.account_id, row.name) in found:
            found[row.account_id, row.name].append(row)
    return found


def write_timelines(
    actor: Actor,
    wanted: Iterable[tuple[Place, Sequence[SettingInterval], Timeline[Kept]]],
) -> None:
    """Make stored intervals what their setting is to be day by day. Three statements at most."""
    gone, ended, new = [], [], []
    for (account_id, name), rows, timeline in wanted:
        left = {one.start: one for one in timeline}
        for row, stored in zip(rows, timeline_of(rows), strict=True):
            one = left.get(row.valid_from)
            if one is None or one.value != stored.value:
                # A value set today and changed again never held for a whole day.
                gone.append(row.pk)
                continue
            del left[row.valid_from]
            if one.end != row.valid_to:
                row.valid_to = one.end
                ended.append(row)
        new += [_interval(actor, account_id, name, one) for one in left.values()]
    SettingInterval.objects.filter(tenant_id=actor.tenant_id, pk__in=gone).delete()
    update_rows(ended, ["valid_to"], tenant_id=actor.tenant_id)
    insert_rows(new)


def _interval(
    actor: Actor, account_id: UUID | None, name: str, one: Stretch[Kept]
) -> SettingInterval:
    setting, value = SETTINGS[name], one.value.value
    is_plain = not setting.is_account and not setting.is_seller
    return SettingInterval(
        tenant_id=actor.tenant_id,
        account_id=account_id,
        name=name,
        value=value if is_plain else None,
        target_id=value if setting.is_account else None,
        seller_id=value if setting.is_seller else None,
        valid_from=one.start,
        valid_to=one.end,
        is_locked=one.value.is_locked,
    )
