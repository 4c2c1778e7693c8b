"""An import that is bounded to an account and those below it: nothing else comes of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from django.utils.translation import gettext as _

from accounts import access, tree
from accounts.access import Action
from accounts.models import Account
from accounts.operations.importing._account_lines import AccountLine, Paths
from tenancy.actor import Actor
from tenancy.errors import NotFound
from tenancy.files import FileRow
from tenancy.files.references import named_by

OUTSIDE: Final = "outside_import"
OWNER: Final = "account_external_id"


@dataclass(frozen=True, slots=True)
class Bound:
    """The account that rows have to stay below; ``key`` is what files call it."""

    account_id: UUID
    name: str
    key: str


def bound_of(actor: Actor, within: UUID | None) -> Bound | None:
    """Return the bound of an import, None where there is none. One statement.

    Raises:
        NotFound: there is no such account.
    """
    if within is None:
        return None
    account = access.reach(actor, Action.VIEW_ACCOUNT).filter(pk=within).first()
    if account is None:
        raise NotFound
    return Bound(within, account.name, account.external_id or str(within))


def check_within(line: AccountLine, bound: Bound, paths: Paths, *, is_new: bool) -> None:
    """Refuse an account that stands, or would stand, outside; at the cell that says so."""
    if bound.key in paths.up_from(line.key):
        return
    said = {"name": bound.name}
    if is_new:
        text = _("This import is for accounts below “%(name)s”. This one would stand elsewhere.")
        line.row.refuse("parent_external_id", OUTSIDE, text % said)
    else:
        text = _("This account is not below “%(name)s”, so this import does not change it.")
        line.row.refuse("external_id", OUTSIDE, text % said)


def refuse_outside(
    actor: Actor, rows: Sequence[FileRow], bound: Bound | None, known: Mapping[str, UUID]
) -> None:
    """Refuse rows that belong to accounts outside; those of unknown ones are refused elsewhere.

    One statement.

    Args:
        actor: whose tenant.
        rows: with the column ``account_external_id``.
        bound: of the import, None where there is none.
        known: the accounts that rows name, by their cells.
    """
    if bound is None:
        return
    inside = Account.objects.filter(
        tree.lies_below(actor.tenant_id, [bound.account_id]),
        tenant_id=actor.tenant_id,
        pk__in=set(known.values()),
    )
    ids = {*inside.order_by().values_list("pk", flat=True)}
    text = _("This account is not below “%(name)s”, for which this import is.")
    for row in rows:
        key = row.cells.get(OWNER, "")
        if key in known and known[key] not in ids:
            row.refuse(OWNER, OUTSIDE, text % {"name": bound.name})


def owners_of(actor: Actor, rows: Sequence[FileRow], bound: Bound | None) -> dict[str, Account]:
    """Return the accounts that rows name; one that was merged leads to the one that was kept.

    What is unknown or outside is refused at its row. Two statements.
    """
    found = Account.objects.filter(tenant_id=actor.tenant_id).select_related("merged_into")
    named = named_by(found, "acc", {row.cells.get(OWNER, "") for row in rows})
    owners = {key: account.merged_into or account for key, account in named.items()}
    refuse_outside(actor, rows, bound, {key: account.pk for key, account in owners.items()})
    for row in rows:
        key = row.cells.get(OWNER, "")
        if key and key not in owners:
            row.refuse(OWNER, "unknown_account", _("There is no such account."))
    return owners
