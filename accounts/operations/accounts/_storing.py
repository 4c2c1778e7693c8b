"""Writing accounts, once everything has been checked: rows, places, settings, tags, events."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from accounts import tree
from accounts.declarations import PARTICULARS
from accounts.models import Account, AccountNode, AccountTag, Placement, SettingInterval
from accounts.models.nodes import BEGINNING
from accounts.operations.accounts._particulars import searched
from accounts.operations.settings import OwnSettings, write_new
from accounts.queries.particulars import OWN_SETTINGS, particulars_of
from accounts.queries.settings import setting_history
from billing_rules.ordering import sort_key
from tenancy.actor import Actor
from tenancy.database.inserting import insert_rows
from tenancy.database.statistics import WORTH_IT, refresh_statistics
from tenancy.events import Happening, record_events
from tenancy.ids import uuid7


@dataclass(frozen=True, slots=True)
class Described:
    """What is said of a new account.

    ``above`` is the number of the new one it stands below, ``key`` is its key where that was
    chosen.
    """

    fields: Mapping[str, Any]
    above: int | None = None
    key: UUID | None = None

    @property
    def external_id(self) -> str | None:
        """Return the integrator's own id of it."""
        return self.fields.get("external_id")

    @property
    def settings(self) -> dict[str, Any]:
        """Return the settings that it gets of its own."""
        named = {name: self.fields.get(name) for name in OWN_SETTINGS}
        return {name: value for name, value in named.items() if value is not None}


def store(
    actor: Actor,
    described: Sequence[Described],
    parent_id: UUID | None,
    *,
    today: date,
    now: datetime,
) -> list[Account]:
    """Write new accounts with all that belongs to them; those without ``above`` below a parent."""
    party_id = _contract_party(actor, parent_id, today)
    made: list[Account] = []
    for one in described:
        above = None if one.above is None else made[one.above]
        made.append(_account(actor, one, above, party_id, now))
    insert_rows(made)
    parents = {
        account.pk: None if one.above is None else made[one.above].pk
        for account, one in zip(made, described, strict=True)
    }
    _place_all(actor, parents, parent_id)
    tree.graft(actor.tenant_id, parents, parent_id)
    write_new(
        actor,
        {
            account.pk: OwnSettings(one.settings)
            for account, one in zip(made, described, strict=True)
        },
    )
    tagged = {a.pk: one.fields.get("tags", ()) for a, one in zip(made, described, strict=True)}
    write_tags(actor, tagged)
    record_events(
        actor, [_created(a, one) for a, one in zip(made, described, strict=True)], now=now
    )
    if len(made) >= WORTH_IT:
        refresh_statistics([Account, AccountNode, Placement, SettingInterval])
    return made


def write_tags(actor: Actor, tags: Mapping[UUID, Sequence[str]]) -> None:
    """Write the tags of accounts that have none yet."""
    insert_rows(
        [
            AccountTag(
                tenant_id=actor.tenant_id, account_id=account_id, name=name, key=name.casefold()
            )
            for account_id, names in tags.items()
            for name in names
        ]
    )


def place(actor: Actor, account_id: UUID) -> UUID | None:
    """Return the account above one, None for the top of a tree."""
    nodes = AccountNode.objects.filter(tenant_id=actor.tenant_id, account_id=account_id)
    parent_id: UUID | None = nodes.values_list("parent_id", flat=True).get()
    return parent_id


def differing(actor: Actor, account: Account, wanted: Mapping[str, Any]) -> set[str]:
    """Return the names of what is wanted and is not so."""
    stored = particulars_of(actor, account.pk)
    found = {name for name in wanted if name != "tags" and stored[name] != wanted[name]}
    if "tags" in wanted and _folded(wanted["tags"]) != _folded(stored["tags"]):
        found.add("tags")
    return found


def _folded(names: Sequence[str]) -> list[str]:
    return sorted(name.casefold() for name in names)


def _account(
    actor: Actor, one: Described, above: Account | None, party_id: UUID | None, now: datetime
) -> Account:
    """Return a new account; who is party to the contract stands above it, or it is itself (R1)."""
    account = Account(
        id=one.key or uuid7(),
        tenant_id=actor.tenant_id,
        external_id=one.external_id,
        created_at=now,
    )
    for name in PARTICULARS:
        setattr(account, name, one.fields.get(name, ""))
    account.metadata = dict(one.fields.get("metadata") or {})
    account.sort_key = sort_key(account.name)
    account.search_key = searched(account)
    inherited = party_id if above is None else above.contract_party_id
    account.contract_party_id = inherited or account.pk
    return account


def _contract_party(actor: Actor, parent_id: UUID | None, today: date) -> UUID | None:
    """Return who is invoiced today for what is below an account; None: each is its own."""
    if parent_id is None:
        return None
    path = tree.path_ids(actor.tenant_id, parent_id)
    members = [(node, path[number - 1] if number else None) for number, node in enumerate(path)]
    return setting_history(actor, members).on(today).bill_tos[parent_id][0]


def _place_all(actor: Actor, parents: Mapping[UUID, UUID | None], parent_id: UUID | None) -> None:
    insert_rows(
        [
            Placement(
                id=uuid7(),
                tenant_id=actor.tenant_id,
                account_id=account_id,
                parent_id=above_id or parent_id,
                valid_from=BEGINNING,
            )
            for account_id, above_id in parents.items()
        ]
    )


def _created(account: Account, one: Described) -> Happening:
    filled = {name: value for name, value in one.fields.items() if value}
    data = {"external_id": account.external_id or "", "name": account.name}
    return Happening("account.created", account.pk, account.pk, after=filled, data=data)
