"""Lines of an accounts file: understood, and checked against the tree that they speak of."""

from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple
from uuid import UUID

from django.utils.translation import gettext as _

from accounts import tree
from accounts.declarations import PARTICULARS
from accounts.models import Account
from accounts.operations.importing.columns import ACCOUNT_COLUMNS, FILE_SETTINGS
from tenancy.actor import Actor
from tenancy.files import FileRow, RowFile, Source
from tenancy.files.files import SLICE


@dataclass(slots=True, kw_only=True)
class SaidOfAccount:
    """What one row of an accounts file says."""

    key: str
    parent_key: str
    identity: dict[str, Any]
    settings: dict[str, Any]
    bill_to_key: str
    payer_key: str


@dataclass(slots=True, kw_only=True)
class AccountLine(SaidOfAccount):
    """One row of an accounts file as understood."""

    row: FileRow


class Stub(NamedTuple):
    """What of a row the others need to know, by external ids; a long file is kept as these."""

    parent_key: str
    bill_to_key: str


_PLAIN_SETTINGS = tuple(one for one in FILE_SETTINGS if not one.is_account)


@dataclass(slots=True)
class KnownAccounts:
    """The tenant's accounts that the file may speak of.

    ``merged`` says what those that were merged went up in, ``archived`` what others are called.
    """

    ids: dict[str, UUID] = field(default_factory=dict)
    keys: dict[UUID, str] = field(default_factory=dict)
    parents: dict[UUID, UUID | None] = field(default_factory=dict)
    merged: dict[str, str] = field(default_factory=dict)
    archived: dict[str, str] = field(default_factory=dict)


def understand(row: FileRow) -> AccountLine:
    """Return what a row says; what can't be is noted as its errors."""
    identity = {
        name: one.kind.read(row, name, needed=one.empty is None)
        for name, one in PARTICULARS.items()
    }
    settings = {
        one.name.value: value
        for one in _PLAIN_SETTINGS
        # Most files have few of these columns.
        if one.name in row.cells
        and (value := one.kind.read(row, one.name.value)) not in ("", None, [])
    }
    return AccountLine(
        row=row,
        key=row.required("external_id"),
        parent_key=row.text("parent_external_id"),
        identity=identity,
        settings=settings,
        bill_to_key=row.text("bill_to"),
        payer_key=row.text("payer"),
    )


def outline(content: Source) -> tuple[dict[str, Stub], set[str]]:
    """Return what every row says of its place, by external id, and the ids that several rows have.

    Of those the first row counts.
    """
    stubs: dict[str, Stub] = {}
    repeated: set[str] = set()
    known_stubs: dict[Stub, Stub] = {}
    for rows in RowFile(content, ACCOUNT_COLUMNS, repeated=()).slices():
        for row in rows:
            key, *others = (row.cells.get(name, "") for name in _PLACE)
            if key in stubs:
                repeated.add(key)
            elif key:
                # Brothers and sisters share what they say.
                stub = Stub(*others)
                stubs[key] = known_stubs.setdefault(stub, stub)
    return stubs, repeated


_PLACE = ("external_id", "parent_external_id", "bill_to")


def known_accounts(actor: Actor, stubs: Mapping[str, Stub]) -> KnownAccounts:
    """Read the accounts that the file names, and everything above them."""
    known = KnownAccounts()
    named: dict[str, None] = {}
    for key, stub in stubs.items():
        named |= dict.fromkeys(one for one in (key, *stub) if one)
        if len(named) >= SLICE:
            _add_known(actor, named, known)
            named = {}
    _add_known(actor, named, known)
    return known


def _add_known(actor: Actor, named: Iterable[str], known: KnownAccounts) -> None:
    mentioned = Account.objects.filter(tenant_id=actor.tenant_id, external_id__in=list(named))
    accounts = Account.objects.filter(
        tree.lies_above(actor.tenant_id, mentioned.values("pk")), tenant_id=actor.tenant_id
    ).values_list(
        "external_id",
        "id",
        "node__parent_id",
        "merged_into__external_id",
        "merged_into__name",
        "status",
        "name",
    )
    for external_id, account_id, parent_id, into_key, into_name, status, name in accounts:
        key = external_id or str(account_id)
        known.ids[key] = account_id
        known.keys[account_id] = key
        known.parents[account_id] = parent_id
        if into_name is not None:
            known.merged[key] = into_key or into_name
        elif status == Account.Status.ARCHIVED:
            known.archived[key] = name


def check_parent(
    line: AccountLine, stubs: Mapping[str, Stub], known: KnownAccounts, circular: Container[str]
) -> None:
    """Refuse a parent that nobody knows; for a new account an archived one, and itself."""
    if not line.parent_key:
        return
    if line.parent_key not in stubs and line.parent_key not in known.ids:
        line.row.refuse("parent_external_id", "unknown_account", _("There is no such account."))
    elif line.key not in known.ids and line.key in circular:
        line.row.refuse(
            "parent_external_id", "tree_cycle", _("An account cannot stand below itself.")
        )
    elif line.key not in known.ids and line.parent_key in known.archived:
        text = _("“%(name)s” is archived. Reopen it first.")
        values = {"name": known.archived[line.parent_key]}
        line.row.refuse("parent_external_id", "account_archived", text % values)


def check_merged(line: AccountLine, known: KnownAccounts) -> None:
    """Refuse a duplicate that was merged: the file is to name the account that was kept."""
    for name, key in (
        ("external_id", line.key),
        ("parent_external_id", line.parent_key),
        ("bill_to", line.bill_to_key),
        ("payer", line.payer_key),
    ):
        if into := known.merged.get(key):
            text = _("This account was merged into “%(into)s”. Name that one instead.")
            line.row.refuse(name, "account_merged", text % {"into": into})


def circular_keys(by_key: Mapping[str, Stub]) -> set[str]:
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


class Paths:
    """The way up from any account of the file to its root, by external ids."""

    def __init__(self, by_key: Mapping[str, Stub], known: KnownAccounts) -> None:
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
        if account_id in self._known.parents:
            parent_id = self._known.parents[account_id]
            return "" if parent_id is None else self._known.keys[parent_id]
        line = self._by_key.get(key)
        return line.parent_key if line else ""


def check_roles(line: AccountLine, paths: Paths) -> None:
    """Refuse trees that are too deep, and a bill-to or payer outside of the path (R10, R11)."""
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


def check_unmoved(line: AccountLine, known: KnownAccounts) -> None:
    """Refuse what only a previewed change may do: another parent."""
    account_id = known.ids.get(line.key)
    if account_id is None or not line.row.has("parent_external_id"):
        return
    parent_id = known.parents[account_id]
    if (known.keys.get(parent_id, "") if parent_id else "") != line.parent_key:
        line.row.refuse(
            "parent_external_id",
            "structural_change",
            _("An import does not move an account that exists."),
        )
