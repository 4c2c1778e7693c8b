"""Storing what a file of accounts says, once all of it has been checked."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from accounts import tree
from accounts.models import Account, AccountNode, Placement, SettingInterval, SettingName
from accounts.models.nodes import BEGINNING
from accounts.operations.importing._account_lines import AccountLine, KnownAccounts, Paths
from accounts.operations.settings import (
    Change,
    OwnSettings,
    own_settings,
    write_changes,
    write_new,
)
from billing_rules import inheritance
from billing_rules.ordering import sort_key
from billing_rules.searching import search_key
from tenancy.actor import Actor
from tenancy.database.inserting import insert_rows
from tenancy.database.statistics import WORTH_IT, refresh_statistics
from tenancy.events import Happening, record_events
from tenancy.ids import uuid7

AccountChange = tuple[AccountLine, Account, dict[str, tuple[Any, Any]], list[Change]]
"""A line of the file, the stored account, its identity as (old, new), its settings."""


def wanted_settings(line: AccountLine, known: KnownAccounts) -> OwnSettings:
    """Return the settings that a line gives its account itself."""
    references = {
        SettingName.BILL_TO.value: known.ids.get(line.bill_to_key),
        SettingName.PAYER.value: known.ids.get(line.payer_key),
    }
    return OwnSettings(
        line.settings, {name: target for name, target in references.items() if target}
    )


def create_accounts(
    actor: Actor, lines: Iterable[AccountLine], known: KnownAccounts, paths: Paths, now: datetime
) -> None:
    """Write accounts, nodes, placements and settings; parents may stand in the same file."""
    lines = list(lines)
    for line in lines:
        known.ids[line.key] = uuid7()
    parents = {
        known.ids[line.key]: known.ids[line.parent_key] if line.parent_key else None
        for line in lines
    }
    bill_tos = _bill_tos_of_new(actor, lines, known, parents)
    # A contract party stands above, and the database looks for it when a batch is stored.
    lines.sort(key=lambda line: len(paths.up_from(line.key)))
    insert_rows(
        [_new_account(line, known, bill_tos) for line in lines],
        into=Account,
        tenant_id=actor.tenant_id,
        status=Account.Status.ACTIVE.value,
        version=1,
        created_at=now,
    )
    tree.bulk_load(actor.tenant_id, parents)
    insert_rows(
        [_NewPlacement(uuid7(), *pair) for pair in parents.items()],
        into=Placement,
        tenant_id=actor.tenant_id,
        valid_from=BEGINNING,
        valid_to=None,
    )
    write_new(actor, {known.ids[line.key]: wanted_settings(line, known) for line in lines})
    if len(lines) >= WORTH_IT:
        refresh_statistics([Account, AccountNode, Placement, SettingInterval])
    record_events(
        actor,
        [
            Happening(
                "account.created",
                known.ids[line.key],
                known.ids[line.key],
                after={
                    "external_id": line.key,
                    **{name: value for name, value in line.identity.items() if value},
                    **line.settings,
                },
            )
            for line in lines
        ],
        now=now,
    )


@dataclass(slots=True)
class _NewAccount:
    """A row of accounts, but for what all new ones share."""

    id: UUID
    external_id: str
    sort_key: str
    search_key: str
    contract_party_id: UUID
    metadata: Mapping[str, object]
    name: str
    kind: str
    legal_name: str
    email: str
    line1: str
    line2: str
    postal_code: str
    city: str
    region: str
    country: str
    vat_id: str


@dataclass(slots=True)
class _NewPlacement:
    """A row of placements, but for what all new ones share."""

    id: UUID
    account_id: UUID
    parent_id: UUID | None


_NO_METADATA: Mapping[str, object] = {}
_SEARCHED = ("legal_name", "vat_id", "email")


def _new_account(
    line: AccountLine, known: KnownAccounts, bill_tos: Mapping[UUID, tuple[UUID, UUID | None]]
) -> _NewAccount:
    account_id = known.ids[line.key]
    return _NewAccount(
        id=account_id,
        external_id=line.key,
        sort_key=sort_key(line.identity["name"]),
        search_key=_search_key(line.key, line.identity),
        contract_party_id=bill_tos[account_id][0],
        metadata=_NO_METADATA,
        **line.identity,
    )


def _search_key(external_id: str, identity: Mapping[str, Any]) -> str:
    """Return what the search for accounts looks into."""
    return search_key([identity["name"], external_id, *(identity[name] for name in _SEARCHED)])


def _bill_tos_of_new(
    actor: Actor,
    lines: Iterable[AccountLine],
    known: KnownAccounts,
    parents: Mapping[UUID, UUID | None],
) -> Mapping[UUID, tuple[UUID, UUID | None]]:
    """Return the effective bill-to of each new account: who is party to the contract (R1)."""
    everything = {**known.parents, **parents}
    stored = own_settings(actor, known.parents)
    own = {
        account_id: settings.references[SettingName.BILL_TO]
        for account_id, settings in stored.items()
        if SettingName.BILL_TO in settings.references
    }
    own |= {known.ids[line.key]: known.ids[line.bill_to_key] for line in lines if line.bill_to_key}
    return inheritance.bill_tos(_parents_first(everything), own)


def _parents_first(parents: Mapping[UUID, UUID | None]) -> list[tuple[UUID, UUID | None]]:
    children: dict[UUID | None, list[UUID]] = defaultdict(list)
    for account_id, parent_id in parents.items():
        children[parent_id].append(account_id)
    order: list[tuple[UUID, UUID | None]] = []
    level: list[tuple[UUID, UUID | None]] = [(root, None) for root in children[None]]
    while level:
        order += level
        level = [(child, above) for above, _up in level for child in children[above]]
    return order


def update_accounts(
    actor: Actor, changes: Iterable[AccountChange], today: date, now: datetime
) -> None:
    """Write what changed, identity at once and settings from today on, with their events."""
    happenings, settings = [], []
    for line, account, identity, own in changes:
        if identity:
            for name in identity:
                setattr(account, name, line.identity[name])
            account.sort_key = sort_key(account.name)
            account.search_key = _search_key(line.key, vars(account))
            account.version += 1
            account.save(update_fields=[*identity, "sort_key", "search_key", "version"])
        settings += own
        before = {name: old for name, (old, _new) in identity.items()}
        after = {name: new for name, (_old, new) in identity.items()}
        happenings.append(
            Happening(
                "account.updated",
                account.id,
                account.id,
                before=before | {change.name: change.old for change in own},
                after=after | {change.name: change.new for change in own},
            )
        )
    write_changes(actor, settings, today=today)
    record_events(actor, happenings, now=now)
