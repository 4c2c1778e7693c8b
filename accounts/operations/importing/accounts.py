"""Importing accounts: their identity, their place in the tree and their own settings."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from django.utils.translation import gettext as _

from accounts import access, tree
from accounts.access import Action
from accounts.actor import Actor
from accounts.events import Happening, record_events
from accounts.ids import uuid7
from accounts.imports import Columns, Problems, note_duplicates, read_rows
from accounts.models import Account, AccountNode, Placement, SettingInterval, SettingName
from accounts.models.nodes import BEGINNING
from accounts.operations.importing._account_lines import (
    AccountLine,
    KnownAccounts,
    Paths,
    check_parents,
    check_roles,
    check_unmoved,
    known_accounts,
    understand,
)
from accounts.operations.importing.reports import ImportReport, one_at_a_time
from accounts.operations.settings import (
    Change,
    OwnSettings,
    differences,
    own_settings,
    write_changes,
    write_new,
)
from accounts.tenancy import operation
from accounts.tenancy.collecting import collecting_afterwards
from accounts.tenancy.inserting import insert_rows
from accounts.tenancy.statistics import WORTH_IT, refresh_statistics
from billing_rules import inheritance
from billing_rules.ordering import sort_key

ACCOUNT_COLUMNS = Columns(
    required=("external_id", "name", "kind"),
    optional=(
        "parent_external_id",
        "legal_name",
        "email",
        "line1",
        "line2",
        "postal_code",
        "city",
        "region",
        "country",
        "vat_id",
        "currency",
        "language",
        "time_zone",
        "cost_centre",
        "po_number",
        "split_by_po",
        "bill_to",
        "payer",
        "consolidation",
        "billing_day",
        "billing_month",
        "payment_terms_days",
    ),
)
_SETTINGS = (
    SettingName.CURRENCY,
    SettingName.LANGUAGE,
    SettingName.TIME_ZONE,
    SettingName.COST_CENTRE,
    SettingName.PO_NUMBER,
    SettingName.SPLIT_BY_PO,
    SettingName.CONSOLIDATION,
    SettingName.BILLING_DAY,
    SettingName.BILLING_MONTH,
    SettingName.PAYMENT_TERMS_DAYS,
)
_IDENTITY = (
    "name",
    "kind",
    "legal_name",
    "email",
    "line1",
    "line2",
    "postal_code",
    "city",
    "region",
    "country",
    "vat_id",
)


@operation
@collecting_afterwards()
def import_accounts(
    actor: Actor, content: bytes, *, is_dry_run: bool, today: date, now: datetime
) -> ImportReport:
    """Create and update the accounts of a file, with their place in the tree and their settings.

    Args:
        actor: whose tenant.
        content: the file's bytes.
        is_dry_run: check everything, store nothing.
        today: from when changed settings of existing accounts hold; those of new accounts have
            always held.
        now: for the audit trail.

    Raises:
        Forbidden: the actor may not write accounts everywhere.

    Source: docs/data-formats.md; docs/billing-rules.md, R1, R10, R11.
    """
    access.require_everywhere(actor, Action.EDIT_ACCOUNT)
    problems = Problems()
    rows = read_rows(content, ACCOUNT_COLUMNS, problems)
    note_duplicates(rows)
    one_at_a_time(actor)
    lines = [understand(row) for row in rows]
    known = known_accounts(actor, lines)
    by_key = {line.key: line for line in reversed(lines) if line.key}
    paths = Paths(by_key, known)
    check_parents(lines, by_key, known)
    stored = own_settings(actor, [account.id for account in known.accounts.values()])
    changed, unchanged = [], 0
    for line in lines:
        check_roles(line, paths)
        account = known.accounts.get(line.key)
        if account is not None:
            own = stored.get(account.id, OwnSettings())
            check_unmoved(line, known)
            _check_unrouted(line, own, known)
            identity = _identity_changes(line, account)
            settings = differences(account.id, own, _wanted(line, known), _SETTINGS)
            if identity or settings:
                changed.append((line, account, identity, settings))
            else:
                unchanged += 1
    if problems.errors:
        return ImportReport("accounts", is_dry_run, len(rows), errors=tuple(problems.in_order()))
    new = [line for line in lines if line.key not in known.accounts]
    if not is_dry_run:
        if new:
            _create(actor, new, known, paths, now)
        if changed:
            _update(actor, changed, today, now)
    return ImportReport("accounts", is_dry_run, len(rows), len(new), len(changed), unchanged)


def _wanted(line: AccountLine, known: KnownAccounts) -> OwnSettings:
    references = {
        SettingName.BILL_TO.value: known.ids.get(line.bill_to_key),
        SettingName.PAYER.value: known.ids.get(line.payer_key),
    }
    return OwnSettings(
        line.settings, {name: target for name, target in references.items() if target}
    )


def _check_unrouted(line: AccountLine, stored: OwnSettings, known: KnownAccounts) -> None:
    """Refuse what only a previewed change may do: another bill-to or payer."""
    for name, key in ((SettingName.BILL_TO, line.bill_to_key), (SettingName.PAYER, line.payer_key)):
        target = stored.references.get(name)
        if (known.keys.get(target, str(target)) if target else "") != key:
            line.row.refuse(
                name, "structural_change", _("An import does not re-route an account that exists.")
            )


def _identity_changes(line: AccountLine, account: Account) -> dict[str, tuple[Any, Any]]:
    return {
        name: (getattr(account, name), line.identity[name])
        for name in _IDENTITY
        if getattr(account, name) != line.identity[name]
    }


def _create(
    actor: Actor, lines: Iterable[AccountLine], known: KnownAccounts, paths: Paths, now: datetime
) -> None:
    """Write accounts, nodes, placements and settings; parents may be in the same file."""
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
    write_new(actor, {known.ids[line.key]: _wanted(line, known) for line in lines})
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


def _new_account(
    line: AccountLine, known: KnownAccounts, bill_tos: Mapping[UUID, tuple[UUID, UUID | None]]
) -> _NewAccount:
    account_id = known.ids[line.key]
    return _NewAccount(
        id=account_id,
        external_id=line.key,
        sort_key=sort_key(line.identity["name"]),
        contract_party_id=bill_tos[account_id][0],
        metadata=_NO_METADATA,
        **line.identity,
    )


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


def _update(
    actor: Actor,
    changes: Iterable[tuple[AccountLine, Account, dict[str, tuple[Any, Any]], list[Change]]],
    today: date,
    now: datetime,
) -> None:
    happenings, settings = [], []
    for line, account, identity, own in changes:
        if identity:
            for name in identity:
                setattr(account, name, line.identity[name])
            account.sort_key = sort_key(account.name)
            account.version += 1
            account.save(update_fields=[*identity, "sort_key", "version"])
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
