"""Importing accounts: their identity, their place in the tree and their own settings."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any
from uuid import UUID

from django.utils.translation import gettext as _

from accounts import access, tree
from accounts.access import Action
from accounts.actor import Actor
from accounts.events import Happening, record_events
from accounts.ids import uuid7
from accounts.imports import Columns, Problems, Row, note_duplicates, read_rows, sort_key
from accounts.models import Account, AccountNode, Placement, SettingInterval, SettingName
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
from accounts.tenancy.inserting import insert_rows
from accounts.tenancy.statistics import WORTH_IT, refresh_statistics
from billing_rules import inheritance

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


@dataclass(slots=True)
class _Line:
    """One row of an accounts file as understood."""

    row: Row
    key: str
    parent_key: str
    identity: dict[str, Any]
    settings: dict[str, Any]
    bill_to_key: str
    payer_key: str


# Asking the model makes it translate the names of all kinds each time.
_KINDS = tuple(Account.Kind.values)


@dataclass(slots=True)
class _Known:
    """The tenant's accounts that the file may speak of."""

    ids: dict[str, UUID] = field(default_factory=dict)
    keys: dict[UUID, str] = field(default_factory=dict)
    accounts: dict[str, Account] = field(default_factory=dict)
    parents: dict[UUID, UUID | None] = field(default_factory=dict)


@operation
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
    lines = [_understand(row) for row in rows]
    known = _known_accounts(actor, lines)
    by_key = {line.key: line for line in reversed(lines) if line.key}
    paths = _Paths(by_key, known)
    _check_parents(lines, by_key, known)
    stored = own_settings(actor, [account.id for account in known.accounts.values()])
    changed, unchanged = [], 0
    for line in lines:
        _check_roles(line, paths)
        account = known.accounts.get(line.key)
        if account is not None:
            own = stored.get(account.id, OwnSettings())
            _check_unmoved(line, known)
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


def _understand(row: Row) -> _Line:
    identity: dict[str, Any] = {
        "name": row.required("name"),
        "kind": row.choice("kind", _KINDS, needed=True),
        "legal_name": row.text("legal_name"),
        "email": row.email("email"),
        "line1": row.text("line1"),
        "line2": row.text("line2"),
        "postal_code": row.text("postal_code", longest=20),
        "city": row.text("city", longest=100),
        "region": row.text("region", longest=100),
        "country": row.country("country"),
        "vat_id": row.text("vat_id", longest=20),
    }
    settings: dict[str, Any] = {
        SettingName.CURRENCY: row.currency("currency"),
        SettingName.LANGUAGE: row.choice("language", ("de", "en")),
        SettingName.TIME_ZONE: row.time_zone("time_zone"),
        SettingName.COST_CENTRE: row.text("cost_centre", longest=100),
        SettingName.PO_NUMBER: row.text("po_number", longest=100),
        SettingName.SPLIT_BY_PO: row.boolean("split_by_po"),
        SettingName.CONSOLIDATION: row.choice("consolidation", ("one_invoice", "per_account")),
        SettingName.BILLING_DAY: row.integer("billing_day", 1, 31),
        SettingName.BILLING_MONTH: row.integer("billing_month", 1, 12),
        SettingName.PAYMENT_TERMS_DAYS: row.integer("payment_terms_days", 0, 365),
    }
    return _Line(
        row=row,
        key=row.required("external_id"),
        parent_key=row.text("parent_external_id"),
        identity=identity,
        settings={name: value for name, value in settings.items() if value not in ("", None)},
        bill_to_key=row.text("bill_to"),
        payer_key=row.text("payer"),
    )


def _known_accounts(actor: Actor, lines: Iterable[_Line]) -> _Known:
    """Read the accounts that the file names, and everything above them. Two statements."""
    named = {
        key
        for line in lines
        for key in (line.key, line.parent_key, line.bill_to_key, line.payer_key)
        if key
    }
    known = _Known()
    mentioned = Account.objects.filter(tenant_id=actor.tenant_id, external_id__in=named)
    accounts = Account.objects.filter(
        tree.lies_above(actor.tenant_id, mentioned.values("pk")), tenant_id=actor.tenant_id
    ).select_related("node")
    for account in accounts:
        key = account.external_id or str(account.id)
        known.ids[key] = account.id
        known.keys[account.id] = key
        known.accounts[key] = account
        known.parents[account.id] = account.node.parent_id
    return known


def _check_parents(lines: Iterable[_Line], by_key: Mapping[str, _Line], known: _Known) -> None:
    circular = _circular(by_key)
    for line in lines:
        if not line.parent_key:
            continue
        if line.parent_key not in by_key and line.parent_key not in known.ids:
            line.row.refuse("parent_external_id", "unknown_account", _("There is no such account."))
        elif line.key not in known.ids and line.key in circular:
            line.row.refuse(
                "parent_external_id", "tree_cycle", _("An account cannot stand below itself.")
            )


def _circular(by_key: Mapping[str, _Line]) -> set[str]:
    """Return the accounts from which going up within the file leads back to them.

    Each is passed once, however long the chains are.
    """
    circular: set[str] = set()
    done: set[str] = set()
    for key in by_key:
        way: dict[str, int] = {}
        up = key
        while up in by_key and up not in done and up not in way:
            way[up] = len(way)
            up = by_key[up].parent_key
        if up in way:
            circular.update(list(way)[way[up] :])
        done.update(way)
    return circular


class _Paths:
    """The way up from any account of the file to its root, by external ids."""

    def __init__(self, by_key: Mapping[str, _Line], known: _Known) -> None:
        self._by_key = by_key
        self._known = known
        self._paths: dict[str, tuple[str, ...]] = {}

    def up_from(self, key: str) -> tuple[str, ...]:
        """Return ``key`` and everything above it; empty where parents are wrong."""
        chain: list[str] = []
        up = key
        while up and up not in self._paths:
            if up in chain or len(chain) > tree.MAX_DEPTH:
                return tuple(chain)
            chain.append(up)
            up = self.parent(up)
        rest = self._paths.get(up, ())
        for place in range(len(chain) - 1, -1, -1):
            rest = self._paths[chain[place]] = (chain[place], *rest)
        return rest

    def parent(self, key: str) -> str:
        """Return the parent's external id, empty for a root."""
        account_id = self._known.ids.get(key)
        if account_id is not None:
            parent_id = self._known.parents[account_id]
            return "" if parent_id is None else self._known.keys[parent_id]
        line = self._by_key.get(key)
        return line.parent_key if line else ""


def _check_roles(line: _Line, paths: _Paths) -> None:
    above = paths.up_from(line.key)
    if len(above) > tree.MAX_DEPTH:
        line.row.refuse(
            "parent_external_id",
            "tree_too_deep",
            _("A tree has at most %(limit)s levels.") % {"limit": tree.MAX_DEPTH},
        )
    if line.bill_to_key and line.bill_to_key not in above:
        line.row.refuse(
            "bill_to",
            "bill_to_outside_path",
            _("The bill-to is the account itself or one above it."),
        )
    if line.payer_key and line.payer_key not in above:
        line.row.refuse(
            "payer", "payer_outside_path", _("The payer is the account itself or one above it.")
        )


def _check_unmoved(line: _Line, known: _Known) -> None:
    """Refuse what only a previewed change may do: another parent."""
    account_id = known.ids.get(line.key)
    if account_id is None:
        return
    parent_id = known.parents[account_id]
    if (known.keys.get(parent_id, "") if parent_id else "") != line.parent_key:
        line.row.refuse(
            "parent_external_id",
            "structural_change",
            _("An import does not move an account that exists."),
        )


def _wanted(line: _Line, known: _Known) -> OwnSettings:
    references = {
        SettingName.BILL_TO.value: known.ids.get(line.bill_to_key),
        SettingName.PAYER.value: known.ids.get(line.payer_key),
    }
    return OwnSettings(
        line.settings, {name: target for name, target in references.items() if target}
    )


def _check_unrouted(line: _Line, stored: OwnSettings, known: _Known) -> None:
    """Refuse what only a previewed change may do: another bill-to or payer."""
    for name, key in ((SettingName.BILL_TO, line.bill_to_key), (SettingName.PAYER, line.payer_key)):
        target = stored.references.get(name)
        if (known.keys.get(target, str(target)) if target else "") != key:
            line.row.refuse(
                name, "structural_change", _("An import does not re-route an account that exists.")
            )


def _identity_changes(line: _Line, account: Account) -> dict[str, tuple[Any, Any]]:
    return {
        name: (getattr(account, name), line.identity[name])
        for name in _IDENTITY
        if getattr(account, name) != line.identity[name]
    }


def _create(
    actor: Actor, lines: Iterable[_Line], known: _Known, paths: _Paths, now: datetime
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
    insert_rows(
        [
            Account(
                id=known.ids[line.key],
                tenant_id=actor.tenant_id,
                external_id=line.key,
                sort_key=sort_key(line.identity["name"]),
                contract_party_id=bill_tos[known.ids[line.key]][0],
                **line.identity,
            )
            for line in sorted(lines, key=lambda line: len(paths.up_from(line.key)))
        ]
    )
    tree.bulk_load(actor.tenant_id, parents)
    insert_rows(
        [
            Placement(tenant_id=actor.tenant_id, account_id=account_id, parent_id=parent_id)
            for account_id, parent_id in parents.items()
        ]
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
                after={"external_id": line.key, **line.identity, **line.settings},
            )
            for line in lines
        ],
        now=now,
    )


def _bill_tos_of_new(
    actor: Actor,
    lines: Iterable[_Line],
    known: _Known,
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
    changes: Iterable[tuple[_Line, Account, dict[str, tuple[Any, Any]], list[Change]]],
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
