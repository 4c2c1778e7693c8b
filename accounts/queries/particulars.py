"""All that can be changed of an account in its form, as it is stored."""

from typing import Any
from uuid import UUID

from accounts import access
from accounts.access import Action
from accounts.declarations import PARTICULARS, SettingName
from accounts.models import Account, SettingInterval
from accounts.queries.tags import tags_of
from tenancy.actor import Actor
from tenancy.errors import NotFound

OWN_SETTINGS = tuple(
    name.value
    for name in (
        SettingName.CURRENCY,
        SettingName.LANGUAGE,
        SettingName.TIME_ZONE,
        SettingName.COST_CENTRE,
    )
)
"""What an integrator says together with an account, and pages ask for with it."""


def particulars_of(actor: Actor, account_id: UUID) -> dict[str, Any]:
    """Return an account's particulars, external id, own data, tags and own settings.

    Three statements.

    Raises:
        NotFound: the account is out of the actor's sight.
    """
    account: Account | None = (
        access.reach(actor, Action.VIEW_ACCOUNT).filter(pk=account_id).order_by("pk").first()
    )
    if account is None:
        raise NotFound
    rows = SettingInterval.objects.filter(
        tenant_id=actor.tenant_id, account_id=account_id, valid_to=None, name__in=OWN_SETTINGS
    )
    own = dict(rows.order_by("name").values_list("name", "value"))
    return {
        **{name: getattr(account, name) for name in (*PARTICULARS, "external_id", "metadata")},
        **{name: own.get(name) for name in OWN_SETTINGS},
        "tags": tags_of(actor, [account_id])[account_id],
    }
