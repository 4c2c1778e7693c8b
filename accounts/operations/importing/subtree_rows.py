"""An account and all below it as the rows of a file that the import reads back unchanged."""

from datetime import date
from typing import Final
from uuid import UUID

from django.utils.translation import gettext_lazy as _

from accounts import access, tree
from accounts.access import Action
from accounts.declarations import PARTICULARS
from accounts.exports.import_files import TooManyRows
from accounts.models import Account, SettingName
from accounts.operations.importing.columns import FILE_SETTINGS
from accounts.operations.settings import OwnSettings, own_settings
from tenancy.actor import Actor
from tenancy.database import operation
from tenancy.errors import Conflict, NotFound

MOST_ROWS: Final = 10_000
_ROUTES: Final = (SettingName.BILL_TO.value, SettingName.PAYER.value)


class WithoutExternalId(Conflict):
    """An import finds accounts by their external ids."""

    code = "without_external_id"
    message = _("“%(name)s” has no external ID, so an import could not find it again.")


@operation
def subtree_rows(actor: Actor, account_id: UUID, *, today: date) -> list[dict[str, str]]:
    """Return an account and all below it, parents first: a cell for each column of the import.

    Five statements, however many accounts there are. Tags and own data have no column.

    Raises:
        NotFound, Forbidden: the actor may not see the account and its settings.
        WithoutExternalId, TooManyRows: see their texts.
    """
    top = Account.objects.filter(tenant_id=actor.tenant_id, pk=account_id).first()
    if top is None:
        raise NotFound
    access.require(actor, Action.VIEW_SETTINGS, top)
    below = tree.lies_below(actor.tenant_id, [account_id])
    found = list(
        Account.objects.filter(below, tenant_id=actor.tenant_id)
        .select_related("node")
        .order_by("node__lft")[: MOST_ROWS + 1]
    )
    if len(found) > MOST_ROWS:
        raise TooManyRows(most=MOST_ROWS)
    nameless = next((one for one in found if not one.external_id), None)
    if nameless is not None:
        raise WithoutExternalId(name=nameless.name)
    own = own_settings(actor, [one.pk for one in found], on=today)
    keys = _keys(actor, found, own)
    return [_row(one, own.get(one.pk, OwnSettings()), keys) for one in found]


def _keys(actor: Actor, found: list[Account], own: dict[UUID, OwnSettings]) -> dict[UUID, str]:
    """Return what a file calls accounts, also those above that it only refers to."""
    named = {one.node.parent_id for one in found} | {one.pk for one in found}
    for settings in own.values():
        named |= {*settings.references.values()}
    rows = Account.objects.filter(tenant_id=actor.tenant_id, pk__in=named - {None}).order_by()
    return {key: text or str(key) for key, text in rows.values_list("id", "external_id")}


def _row(account: Account, own: OwnSettings, keys: dict[UUID, str]) -> dict[str, str]:
    parent_id = account.node.parent_id
    row = {
        "external_id": keys[account.pk],
        "parent_external_id": "" if parent_id is None else keys[parent_id],
        **{name: getattr(account, name) for name in PARTICULARS},
    }
    for setting in FILE_SETTINGS:
        name, value = setting.name.value, own.get(setting.name.value)
        if value is None:
            row[name] = ""
        else:
            row[name] = keys[value] if name in _ROUTES else setting.kind.write(value)
    return row
