"""Writing settings as dated intervals: the past stays as it was."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any
from uuid import UUID

from accounts.models import SettingInterval, SettingName
from accounts.models.nodes import BEGINNING
from tenancy.actor import Actor
from tenancy.database.inserting import insert_rows

REFERENCES = (SettingName.BILL_TO, SettingName.PAYER)


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
    """A new own value of one setting; None goes back to inheriting."""

    account_id: UUID
    name: str
    old: Any
    new: Any


def own_settings(actor: Actor, account_ids: Iterable[UUID]) -> dict[UUID, OwnSettings]:
    """Return what these accounts set themselves now. One statement."""
    values: dict[UUID, dict[str, Any]] = defaultdict(dict)
    references: dict[UUID, dict[str, UUID]] = defaultdict(dict)
    rows: Iterable[Any] = SettingInterval.objects.filter(
        tenant_id=actor.tenant_id, account_id__in=account_ids, valid_to=None
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
            _interval(actor, account_id, name, value, BEGINNING)
            for account_id, own in wanted.items()
            for name, value in (*own.values.items(), *own.references.items())
        ]
    )


def write_changes(actor: Actor, changes: Iterable[Change], *, today: date) -> None:
    """End the old interval of each changed setting today and begin the new one."""
    changes = list(changes)
    changed = {(change.account_id, change.name) for change in changes}
    ended: list[UUID] = []
    replaced: list[UUID] = []
    for row in SettingInterval.objects.select_for_update().filter(
        tenant_id=actor.tenant_id,
        account_id__in={account_id for account_id, _name in changed},
        valid_to=None,
    ):
        if (row.account_id, row.name) in changed:
            # A value set today never held for a whole day: it leaves no interval behind.
            (ended if row.valid_from < today else replaced).append(row.pk)
    SettingInterval.objects.filter(tenant_id=actor.tenant_id, pk__in=replaced).delete()
    SettingInterval.objects.filter(tenant_id=actor.tenant_id, pk__in=ended).update(valid_to=today)
    SettingInterval.objects.bulk_create(
        _interval(actor, change.account_id, change.name, change.new, today)
        for change in changes
        if change.new is not None
    )


def _interval(
    actor: Actor, account_id: UUID, name: str, value: Any, valid_from: date
) -> SettingInterval:
    is_reference, is_seller = name in REFERENCES, name == SettingName.SELLER
    return SettingInterval(
        tenant_id=actor.tenant_id,
        account_id=account_id,
        name=name,
        value=None if is_reference or is_seller else value,
        target_id=value if is_reference else None,
        seller_id=value if is_seller else None,
        valid_from=valid_from,
    )
