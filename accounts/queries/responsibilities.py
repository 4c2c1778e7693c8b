"""Who is invoiced and who pays on many accounts of a tree, with the settings that say so."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from accounts import access
from accounts.access import Action
from accounts.models import Account
from accounts.queries._shaping import TreeRow
from accounts.queries.setting_history import FamilySettings
from accounts.queries.settings import setting_history
from tenancy.actor import Actor


@dataclass(frozen=True, slots=True)
class Responsibility:
    """To whom an account's charges are invoiced, and who pays that."""

    bill_to_id: UUID
    bill_to_name: str
    payer_id: UUID
    payer_name: str


@dataclass(frozen=True, slots=True)
class Responsibilities:
    """What holds on some accounts: who is invoiced and who pays, and every other setting."""

    by_account: Mapping[UUID, Responsibility]
    settings: FamilySettings


def responsibilities(
    actor: Actor, path: Sequence[Account], rows: Iterable[TreeRow], as_of: date
) -> Responsibilities:
    """Return what holds on every account of a path and on rows below its end.

    Two statements at most, whatever the depth.

    Args:
        actor: who asks.
        path: the accounts from the root down, as ``path_of`` returns them.
        rows: accounts below the end of the path, parents first.
        as_of: the day.

    Raises:
        Forbidden: the actor may not read the settings of the whole tenant.
    """
    access.require_everywhere(actor, Action.VIEW_SETTINGS)
    members: dict[UUID, UUID | None] = {}
    names: dict[UUID, str] = {}
    above: UUID | None = None
    for account in path:
        members[account.pk], names[account.pk] = above, account.name
        above = account.pk
    for row in rows:
        members.setdefault(row.id, row.parent_id)
        names[row.id] = row.name
    settings = setting_history(actor, list(members.items())).on(as_of)
    decided = {key: settings.bill_tos[key][0] for key in members}
    payers = {key: settings.payers[key][0] for key in decided.values() if key in settings.payers}
    _name_the_rest(actor, names, {*decided.values(), *payers.values()})
    found = {
        key: Responsibility(
            bill_to,
            names[bill_to],
            payers.get(bill_to, bill_to),
            names[payers.get(bill_to, bill_to)],
        )
        for key, bill_to in decided.items()
    }
    return Responsibilities(found, settings)


def _name_the_rest(actor: Actor, names: dict[UUID, str], wanted: set[UUID]) -> None:
    missing = wanted - names.keys()
    if missing:
        found = Account.objects.filter(tenant_id=actor.tenant_id, pk__in=missing)
        names.update(found.values_list("pk", "name"))
