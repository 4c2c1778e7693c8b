"""Creating accounts: one, or a customer with its departments in one go."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Final, Unpack
from uuid import UUID

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from accounts import access, tree
from accounts.access import Action
from accounts.models import Account
from accounts.operations.accounts._particulars import (
    AccountFields,
    InvalidAccount,
    faults,
    plain,
)
from accounts.operations.accounts._storing import Described, differing, place, store
from tenancy.actor import Actor
from tenancy.database import operation
from tenancy.errors import Conflict, FieldError, Invalid, NotFound

MOST_AT_ONCE: Final = 5_000
_LISTED: Final = 100


class AccountArchived(Conflict):
    """Nothing new is put below an archived account."""

    code = "account_archived"
    message = _("“%(name)s” is archived. Reopen it first.")


class ExternalIdTaken(Conflict):
    """Another account has the external id, or the same one with other particulars."""

    code = "external_id_taken"
    message = _("There is an account with the external id “%(external_id)s” already.")


class TooManyAccounts(Invalid):
    """More than are made in one go."""

    code = "too_many_accounts"
    message = _("At most %(limit)s accounts are made at once. Import a file instead.")


class AlreadyCreated(Conflict):
    """They were made before: somebody has sent the same form twice."""

    code = "already_created"
    message = _("This has been created already. Nothing was created twice.")


class WrongIndent(Invalid):
    """An account stands more than one level below the one before."""

    code = "wrong_indent"
    message = _("Line %(line)s is indented by more than one level.")


@dataclass(frozen=True, slots=True)
class NewAccount:
    """One of several accounts that are made together, depth first.

    Attributes:
        fields: what is said of it, as ``AccountFields``.
        depth: how many levels it stands below the first kind of them: at most one more than
            that of the one before.
        line: where it stands in a list that somebody wrote, so that refusals name that; 0 for
            one described beside the list, None where they are counted as they come.
        key: its key, where whoever asks has chosen it, to ask twice without harm.
    """

    fields: Mapping[str, Any] = field(default_factory=dict)
    depth: int = 0
    line: int | None = None
    key: UUID | None = None


@operation
def create_account(
    actor: Actor,
    parent_id: UUID | None,
    *,
    today: date,
    now: datetime,
    **fields: Unpack[AccountFields],
) -> tuple[Account, bool]:
    """Make one account, below another or as a customer of its own.

    Made again with the external id of an account that is just so, it is that account.

    Returns:
        The account, and whether it is new.

    Raises:
        ExternalIdTaken: an account has the external id, but other particulars or parent.
        See ``create_accounts`` for the rest.
    """
    wanted = plain(fields)
    external_id = wanted.get("external_id")
    if external_id is not None:
        found = _same(actor, parent_id, wanted)
        if found is not None:
            return found, False
    try:
        with transaction.atomic():
            (made,) = create_accounts(actor, [NewAccount(fields)], parent_id, today=today, now=now)
    except ExternalIdTaken:
        # Somebody else made it in the meantime.
        found = _same(actor, parent_id, wanted)
        if found is None:
            raise
        return found, False
    return made, True


@operation
def create_accounts(
    actor: Actor,
    accounts: Sequence[NewAccount],
    parent_id: UUID | None,
    *,
    today: date,
    now: datetime,
    is_dry_run: bool = False,
) -> list[Account]:
    """Make accounts with all that stands below each, in one go or not at all.

    Their settings and places have always held, as those of imported accounts do: so a
    subscription that began earlier finds them. Who is party to the contract is who would be
    invoiced today (R1).

    Args:
        actor: who makes them; settings take the right to change settings as well.
        accounts: depth first.
        parent_id: what those of depth 0 are put below; None makes each a customer of its own.
        today: the day for whom the contract is with.
        now: for the audit trail.
        is_dry_run: does all of it and takes it back.

    Returns:
        The accounts, in their order.

    Raises:
        NotFound, Forbidden: the parent is out of sight, or not the actor's to change.
        AccountArchived, AlreadyCreated, ExternalIdTaken, InvalidAccount, TooManyAccounts,
        WrongIndent: see there.
        TreeTooDeep: the tree would have more levels than are kept.

    Source: docs/billing-rules.md, R1.
    """
    if len(accounts) > MOST_AT_ONCE:
        raise TooManyAccounts(limit=MOST_AT_ONCE)
    described = _described(accounts)
    if parent_id is not None:
        tree.lock_families(actor.tenant_id, [parent_id])
    _require(actor, parent_id, settings=any(one.settings for one in described))
    if parent_id is not None:
        _require_shallow(accounts, len(tree.path_ids(actor.tenant_id, parent_id)))
    _require_new(actor, described)
    _require_free(actor, described)
    try:
        with transaction.atomic():
            made = store(actor, described, parent_id, today=today, now=now)
            transaction.set_rollback(is_dry_run)
    except IntegrityError:
        # Somebody made one of them a moment ago.
        _require_new(actor, described)
        _require_free(actor, described)
        raise
    return made


def _require(actor: Actor, parent_id: UUID | None, *, settings: bool) -> None:
    """Return if the actor may put accounts there, with settings of their own."""
    needed = [Action.EDIT_ACCOUNT, *([Action.EDIT_SETTINGS] if settings else [])]
    if parent_id is None:
        for action in needed:
            access.require_everywhere(actor, action)
        return
    parent = (
        Account.objects.select_for_update(no_key=True)
        .filter(tenant_id=actor.tenant_id, pk=parent_id)
        .first()
    )
    if parent is None:
        raise NotFound
    for action in needed:
        access.require(actor, action, parent)
    if parent.status == Account.Status.ARCHIVED:
        raise AccountArchived(name=parent.name)


def _described(accounts: Sequence[NewAccount]) -> list[Described]:
    """Return what is said of each account, with the one it stands below.

    Raises:
        InvalidAccount: something of them can't be so; each error names its line.
        TreeTooDeep, WrongIndent: see ``create_accounts``.
    """
    _require_shallow(accounts, 0)
    found: list[Described] = []
    errors: list[FieldError] = []
    above: list[int] = []
    for line, account in enumerate(accounts, start=1):
        if account.depth > len(above):
            raise WrongIndent(line=line if account.line is None else account.line)
        del above[account.depth :]
        fields = {"name": "", "kind": Account.Kind.COMPANY.value, **plain(account.fields)}
        if len(errors) < _LISTED:
            errors += [_at(error, account, line, len(accounts)) for error in faults(fields)]
        found.append(Described(fields, above[-1] if above else None, account.key))
        above.append(line - 1)
    if errors:
        names = dict.fromkeys(error.pointer.rpartition("/")[2] for error in errors)
        raise InvalidAccount(fields=", ".join(names), errors=errors)
    return found


def _at(error: FieldError, account: NewAccount, place_: int, count: int) -> FieldError:
    """Return an error with its line, where there are several.

    Its pointer is to the place among all of them, its row to the line as somebody wrote it.
    """
    if count == 1 and account.line is None:
        return error
    line = place_ if account.line is None else account.line
    detail = _in_line(line, error.detail)
    return FieldError(error.code, detail, f"/{place_ - 1}{error.pointer}", row=line)


def _in_line(line: int, detail: str) -> str:
    """Return what is wrong, said of a line; what stands beside the list is in none."""
    said = {"line": line, "detail": detail}
    return _now("Line %(line)s: %(detail)s") % said if line else detail


def _require_shallow(accounts: Sequence[NewAccount], above: int) -> None:
    """Return if no account stands deeper than trees are kept, ``above`` levels being above all.

    Raises:
        TreeTooDeep: one does; its line is named.
    """
    for number, account in enumerate(accounts, start=1):
        if above + account.depth >= tree.MAX_DEPTH:
            line = number if account.line is None else account.line
            refused = tree.TreeTooDeep(limit=tree.MAX_DEPTH)
            detail = _in_line(line, refused.detail)
            error = FieldError(refused.code, detail, f"/{number - 1}", row=line)
            raise tree.TreeTooDeep(limit=tree.MAX_DEPTH, errors=[error])


def _require_new(actor: Actor, described: Sequence[Described]) -> None:
    """Return if none of the keys that were chosen is taken.

    Raises:
        AlreadyCreated: one is.
    """
    keys = [one.key for one in described if one.key is not None]
    if keys and Account.objects.filter(tenant_id=actor.tenant_id, pk__in=keys).exists():
        raise AlreadyCreated


def _require_free(actor: Actor, described: Sequence[Described]) -> None:
    keys = [one.external_id for one in described if one.external_id is not None]
    stored = Account.objects.filter(tenant_id=actor.tenant_id, external_id__in=keys)
    taken = stored.order_by("external_id").values_list("external_id", flat=True).first()
    if taken is None and len(set(keys)) < len(keys):
        taken = next(key for place_, key in enumerate(keys) if key in keys[:place_])
    if taken is not None:
        wrong = FieldError("external_id_taken", _now("It is taken."), "/external_id")
        raise ExternalIdTaken(external_id=taken, errors=[wrong])


def _same(actor: Actor, parent_id: UUID | None, wanted: Mapping[str, Any]) -> Account | None:
    """Return the account that has the wanted external id, None where there is none in reach.

    Raises:
        ExternalIdTaken: it differs in something that is wanted, or stands elsewhere.
    """
    account = (
        access.reach(actor, Action.EDIT_ACCOUNT)
        .filter(external_id=wanted["external_id"])
        .order_by("pk")
        .first()
    )
    if account is None:
        return None
    if place(actor, account.pk) != parent_id or differing(actor, account, wanted):
        raise ExternalIdTaken(external_id=wanted["external_id"])
    return account
