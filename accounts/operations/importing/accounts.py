"""Importing accounts: their identity, their place in the tree and their own settings."""

from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from django.utils.translation import gettext as _

from accounts import access
from accounts.access import Action
from accounts.models import Account, SettingName
from accounts.operations.importing._account_lines import (
    AccountLine,
    KnownAccounts,
    Paths,
    Stub,
    check_merged,
    check_parent,
    check_roles,
    check_unmoved,
    circular_keys,
    known_accounts,
    outline,
    understand,
)
from accounts.operations.importing._bounds import Bound, bound_of, check_within
from accounts.operations.importing._spooling import LineSpool
from accounts.operations.importing._storing_accounts import (
    AccountChange,
    create_accounts,
    update_accounts,
    wanted_settings,
)
from accounts.operations.importing.columns import ACCOUNT_COLUMNS, FILE_SETTINGS
from accounts.operations.settings import Change, OwnSettings, differences, own_settings
from tenancy.actor import Actor
from tenancy.collecting import collecting_afterwards
from tenancy.database import operation
from tenancy.files import RowFile, Source
from tenancy.files.reports import (
    CHANGES_SHOWN,
    ImportReport,
    RowChange,
    all_or_nothing,
    one_at_a_time,
)

_SETTINGS = tuple(one.name for one in FILE_SETTINGS if not one.is_account)


@operation
@collecting_afterwards()
def import_accounts(
    actor: Actor,
    content: Source,
    *,
    is_dry_run: bool,
    today: date,
    within: UUID | None = None,
    now: datetime,
) -> ImportReport:
    """Create and update the accounts of a file, with their place in the tree and their settings.

    Args:
        actor: whose tenant.
        content: the file's bytes, or where it is.
        is_dry_run: check everything, store nothing.
        today: from when changed settings of existing accounts hold; those of new accounts have
            always held.
        within: only this account and those below it; a row of any other is an error,
            ``outside_import``.
        now: for the audit trail.

    Settings that a row gives or changes take the right to change settings beside that to change
    accounts; without it each is an error of its row and column, ``settings_not_allowed``.

    Raises:
        Forbidden: the actor may not write accounts everywhere.
        NotFound: there is no account ``within``.

    Source: docs/data-formats.md; docs/billing-rules.md, R1, R10, R11, R29, R30.
    """
    access.require_everywhere(actor, Action.EDIT_ACCOUNT)
    bound = bound_of(actor, within)
    one_at_a_time(actor)
    stubs, repeated = outline(content)
    file = RowFile(content, ACCOUNT_COLUMNS, repeated=repeated)
    known = known_accounts(actor, stubs)
    checks = _Checks(
        actor,
        stubs,
        known,
        circular_keys(stubs),
        access.allows_everywhere(actor, Action.EDIT_SETTINGS),
        today,
        bound,
    )
    updated = 0
    changes: list[RowChange] = []
    with LineSpool() as spool, all_or_nothing(file):
        for rows in file.slices():
            new, changed = _checked(checks, [understand(row) for row in rows])
            spool.add(new)
            updated += len(changed)
            changes += [_change(*one) for one in changed[: CHANGES_SHOWN - len(changes)]]
            if changed and not is_dry_run and not file.problems.count:
                update_accounts(actor, changed, today, now)
        if spool.count and not is_dry_run and not file.problems.count:
            create_accounts(actor, spool, stubs, known, today, now)
    return ImportReport.of(
        "accounts",
        file,
        is_dry_run=is_dry_run,
        created=spool.count,
        updated=updated,
        changes=changes,
    )


@dataclass(frozen=True, slots=True)
class _Checks:
    """What lines are checked against: the rest of their file and what is stored."""

    actor: Actor
    stubs: Mapping[str, Stub]
    known: KnownAccounts
    circular: Container[str]
    may_set: bool
    today: date
    bound: Bound | None


def _checked(
    checks: _Checks, lines: Sequence[AccountLine]
) -> tuple[list[tuple[int, AccountLine]], list[AccountChange]]:
    """Check some lines, and return the new ones with their depth, and those that change."""
    known, paths = checks.known, Paths(checks.stubs, checks.known)
    accounts = {
        account.external_id: account
        for account in Account.objects.filter(
            tenant_id=checks.actor.tenant_id, external_id__in=[line.key for line in lines]
        )
    }
    ids = [account.id for account in accounts.values()]
    stored = own_settings(checks.actor, ids, on=checks.today)
    new, changed = [], []
    for line in lines:
        check_merged(line, known)
        check_parent(line, checks.stubs, known, checks.circular)
        check_roles(line, paths)
        account = accounts.get(line.key)
        if checks.bound is not None and _is_placed(checks, line):
            check_within(line, checks.bound, paths, is_new=account is None)
        if account is None:
            if not checks.may_set:
                _refuse_settings(line, _named_settings(line))
            new.append((len(paths.up_from(line.key)), line))
            continue
        own = stored.get(account.id, OwnSettings())
        check_unmoved(line, known)
        _check_unrouted(line, own, known)
        identity = _identity_changes(line, account)
        # A column that is not there leaves alone what is stored (R29).
        present = [name for name in _SETTINGS if line.row.has(name)]
        settings = differences(account.id, own, wanted_settings(line, known.ids), present)
        if not checks.may_set:
            _refuse_settings(line, [change.name for change in settings])
        if identity or settings:
            changed.append((line, account, identity, settings))
    return new, changed


def _is_placed(checks: _Checks, line: AccountLine) -> bool:
    """Return whether a row says where it stands: a wrong parent is refused as such alone."""
    if line.key in checks.known.ids or not line.parent_key:
        return True
    is_known = line.parent_key in checks.stubs or line.parent_key in checks.known.ids
    return is_known and line.key not in checks.circular


def _change(
    line: AccountLine,
    _account: Account,
    identity: dict[str, tuple[Any, Any]],
    settings: list[Change],
) -> RowChange:
    """Return what a row changes, as the dry run lists it."""
    own = {str(change.name): (change.old, change.new) for change in settings}
    return RowChange(line.row.number, line.key, {**identity, **own})


def _named_settings(line: AccountLine) -> list[str]:
    references = {SettingName.BILL_TO: line.bill_to_key, SettingName.PAYER: line.payer_key}
    return [*line.settings, *(name for name, key in references.items() if key)]


def _refuse_settings(line: AccountLine, names: Iterable[str]) -> None:
    """Refuse settings that the actor may not change, each at its column."""
    for name in names:
        text = _("You may change accounts, but not their billing settings.")
        line.row.refuse(str(name), "settings_not_allowed", text)


def _check_unrouted(line: AccountLine, stored: OwnSettings, known: KnownAccounts) -> None:
    """Refuse what only a previewed change may do: another bill-to or payer."""
    for name, key in ((SettingName.BILL_TO, line.bill_to_key), (SettingName.PAYER, line.payer_key)):
        if not line.row.has(name):
            continue
        target = stored.references.get(name)
        if (known.keys.get(target, str(target)) if target else "") != key:
            line.row.refuse(
                name, "structural_change", _("An import does not re-route an account that exists.")
            )


def _identity_changes(line: AccountLine, account: Account) -> dict[str, tuple[Any, Any]]:
    return {
        name: (getattr(account, name), line.identity[name])
        for name in line.identity
        if line.row.has(name) and getattr(account, name) != line.identity[name]
    }
