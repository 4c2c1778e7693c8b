"""Storing what a file of accounts says, once all of it has been checked."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, make_dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from django.db.models import CharField

from accounts import tree
from accounts.declarations import PARTICULARS
from accounts.models import Account, AccountNode, Placement, SettingInterval, SettingName
from accounts.models.nodes import BEGINNING
from accounts.operations.importing._account_lines import (
    AccountLine,
    KnownAccounts,
    Paths,
    SaidOfAccount,
    Stub,
)
from accounts.operations.importing._spooling import LineSpool
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
from tenancy.database.prepared import Given, Prepared
from tenancy.database.statistics import WORTH_IT, refresh_statistics
from tenancy.database.updating import update_rows
from tenancy.events import Happening, record_events
from tenancy.ids import uuid7

AccountChange = tuple[AccountLine, Account, dict[str, tuple[Any, Any]], list[Change]]
"""A line of the file, the stored account, its identity as (old, new), its settings."""


def wanted_settings(line: SaidOfAccount, ids: Mapping[str, UUID]) -> OwnSettings:
    """Return the settings that a line gives its account itself."""
    references = {
        SettingName.BILL_TO.value: ids.get(line.bill_to_key),
        SettingName.PAYER.value: ids.get(line.payer_key),
    }
    return OwnSettings(
        line.settings, {name: target for name, target in references.items() if target}
    )


def create_accounts(
    actor: Actor,
    spool: LineSpool,
    stubs: dict[str, Stub],
    known: KnownAccounts,
    today: date,
    now: datetime,
) -> None:
    """Write accounts, nodes, placements and settings; parents may stand in the same file.

    The lines come from the spool a slice at a time, twice: a contract party stands above, and the
    database looks for it when a slice is stored. Ids of what was stored are read again, and
    ``stubs`` is emptied once it is used up, so that a long file leaves little in memory.
    """
    stored = 0
    for lines in spool.slices():
        bill_tos = _bill_tos_of_new(actor, lines, stubs, known, today)
        wanted = {line.parent_key for line in lines} | {bill_tos[line.key] for line in lines}
        ids = _ids(actor, known, wanted) | {line.key: uuid7() for line in lines}
        _insert_accounts(actor, lines, bill_tos, ids, now)
        if stored < WORTH_IT <= stored + len(lines):
            # Else the database looks for what was stored as if there were next to nothing.
            refresh_statistics([Account])
        stored += len(lines)
    stubs.clear()
    if spool.count >= WORTH_IT:
        refresh_statistics([Account, Placement])
    tree.bulk_load(actor.tenant_id, _parents(actor, spool, known))
    for lines in spool.slices():
        named = {key for one in lines for key in (one.key, one.bill_to_key, one.payer_key)}
        ids = _ids(actor, known, named)
        write_new(actor, {ids[line.key]: wanted_settings(line, ids) for line in lines})
        record_events(actor, [_created(line, ids[line.key]) for line in lines], now=now)
    if spool.count >= WORTH_IT:
        refresh_statistics([Account, AccountNode, Placement, SettingInterval])


def _ids(actor: Actor, known: KnownAccounts, keys: set[str]) -> dict[str, UUID]:
    """Return the ids of accounts that were there before, or have been stored meanwhile."""
    found = {key: known.ids[key] for key in keys if key in known.ids}
    wanted = [key for key in keys if key and key not in found]
    return found | dict(_STORED_IDS.rows(tenant=actor.tenant_id, keys=wanted))


_STORED_IDS = Prepared(
    lambda: (
        Account.objects.filter(
            tenant_id=Given("tenant"), external_id__among=Given("keys", CharField())
        )
        .order_by()
        .values_list("external_id", "id")
    )
)


def _parents(actor: Actor, spool: LineSpool, known: KnownAccounts) -> dict[UUID, UUID | None]:
    """Return the new accounts, all of them stored, with their parents."""
    parents: dict[UUID, UUID | None] = {}
    for lines in spool.slices():
        ids = _ids(actor, known, {key for line in lines for key in (line.key, line.parent_key)})
        for line in lines:
            parents[ids[line.key]] = ids.get(line.parent_key)
    return parents


def _insert_accounts(
    actor: Actor,
    lines: Sequence[SaidOfAccount],
    bill_tos: Mapping[str, str],
    ids: Mapping[str, UUID],
    now: datetime,
) -> None:
    insert_rows(
        [_new_account(line, ids, bill_tos) for line in lines],
        into=Account,
        tenant_id=actor.tenant_id,
        merged_into_id=None,
        status=Account.Status.ACTIVE.value,
        version=1,
        created_at=now,
    )
    insert_rows(
        [_NewPlacement(uuid7(), ids[one.key], ids.get(one.parent_key)) for one in lines],
        into=Placement,
        tenant_id=actor.tenant_id,
        valid_from=BEGINNING,
        valid_to=None,
    )


def _created(line: SaidOfAccount, account_id: UUID) -> Happening:
    filled = {name: value for name, value in line.identity.items() if value}
    after = {"external_id": line.key, **filled, **line.settings}
    data = {"external_id": line.key, "name": line.identity["name"]}
    return Happening("account.created", account_id, account_id, after=after, data=data)


# A row of accounts, but for what all new ones share.
_NewAccount = make_dataclass(
    "_NewAccount",
    [
        ("id", UUID),
        ("external_id", str),
        ("sort_key", str),
        ("search_key", str),
        ("contract_party_id", UUID),
        ("metadata", Mapping[str, object]),
        *((name, str) for name in PARTICULARS),
    ],
    slots=True,
)


@dataclass(slots=True)
class _NewPlacement:
    """A row of placements, but for what all new ones share."""

    id: UUID
    account_id: UUID
    parent_id: UUID | None


_NO_METADATA: Mapping[str, object] = {}
_STORED = (*PARTICULARS, "sort_key", "search_key", "version")
_SEARCHED = tuple(name for name, one in PARTICULARS.items() if one.is_searched)


def _new_account(
    line: SaidOfAccount, ids: Mapping[str, UUID], bill_tos: Mapping[str, str]
) -> object:
    return _NewAccount(
        id=ids[line.key],
        external_id=line.key,
        sort_key=sort_key(line.identity["name"]),
        search_key=_search_key(line.key, line.identity),
        contract_party_id=ids[bill_tos[line.key]],
        metadata=_NO_METADATA,
        **line.identity,
    )


def _search_key(external_id: str, identity: Mapping[str, Any]) -> str:
    """Return what the search for accounts looks into."""
    return search_key([identity["name"], external_id, *(identity[name] for name in _SEARCHED)])


def _bill_tos_of_new(
    actor: Actor,
    lines: Iterable[SaidOfAccount],
    stubs: Mapping[str, Stub],
    known: KnownAccounts,
    today: date,
) -> Mapping[str, str]:
    """Return the effective bill-to of new accounts: who is party to the contract (R1)."""
    paths = Paths(stubs, known)
    members = {key: up for line in lines for up in [paths.up_from(line.key)] for key in up}
    members = {key: paths.up_from(key) for key in members}
    ids = [known.ids[key] for key in members if known.ids.get(key) in known.keys]
    stored = own_settings(actor, ids, on=today)
    own = {}
    for key in members:
        account_id = known.ids.get(key)
        if account_id in known.keys:
            target = stored.get(account_id, OwnSettings()).references.get(SettingName.BILL_TO)
            if target is not None:
                own[key] = known.keys.get(target) or str(target)
        elif stubs[key].bill_to_key:
            own[key] = stubs[key].bill_to_key
    order = sorted(members, key=lambda key: len(members[key]))
    decided = inheritance.bill_tos([(key, paths.parent(key) or None) for key in order], own)
    return {key: bill_to for key, (bill_to, _decider) in decided.items()}


def update_accounts(
    actor: Actor, changes: Iterable[AccountChange], today: date, now: datetime
) -> None:
    """Write what changed, identity at once and settings from today on, with their events."""
    happenings, settings, renamed = [], [], []
    for line, account, identity, own in changes:
        if identity:
            for name in identity:
                setattr(account, name, line.identity[name])
            account.sort_key = sort_key(account.name)
            account.search_key = _search_key(line.key, vars(account))
            account.version += 1
            renamed.append(account)
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
                data={
                    "external_id": line.key,
                    "changed": sorted({*identity, *(str(change.name) for change in own)}),
                },
            )
        )
    update_rows(renamed, _STORED, tenant_id=actor.tenant_id)
    write_changes(actor, settings, today=today)
    record_events(actor, happenings, now=now)
