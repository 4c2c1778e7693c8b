"""An import that is bounded to an account and those below it: nothing else comes of it."""

from collections.abc import Container, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.utils.translation import gettext as _

from accounts import access, tree
from accounts.access import Action
from accounts.models import Account
from accounts.operations.importing._account_lines import AccountLine, Paths
from tenancy.actor import Actor
from tenancy.errors import NotFound
from tenancy.files import FileRow

OUTSIDE = "outside_import"


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
    actor: Actor, rows: Sequence[FileRow], bound: Bound | None, known: Container[Any]
) -> None:
    """Refuse rows that belong to accounts outside; those of unknown ones are refused elsewhere.

    One statement.
    """
    if bound is None:
        return
    keys = {row.cells.get("account_external_id", "") for row in rows}
    inside = Account.objects.filter(
        tree.lies_below(actor.tenant_id, [bound.account_id]),
        tenant_id=actor.tenant_id,
        external_id__in=keys,
    )
    known_inside = {*inside.order_by().values_list("external_id", flat=True)}
    text = _("This account is not below “%(name)s”, for which this import is.")
    for row in rows:
        key = row.cells.get("account_external_id", "")
        if key in known and key not in known_inside:
            row.refuse("account_external_id", OUTSIDE, text % {"name": bound.name})
