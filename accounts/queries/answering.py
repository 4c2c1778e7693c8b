"""Who answers for what accounts use: the accounts, what holds on them, and who is meant by it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from django.db.models import QuerySet

from accounts import access, tree
from accounts.access import Action
from accounts.models import Account, SettingInterval, SettingName
from accounts.queries.dated import holding_on
from accounts.queries.placements import members_above
from accounts.queries.setting_history import FamilySettings
from accounts.queries.settings import setting_history
from tenancy.actor import Actor

_WHO = (SettingName.BILL_TO, SettingName.PAYER, SettingName.COST_CENTRE)


@dataclass(frozen=True, slots=True)
class Answering:
    """What holds on some accounts and all above them.

    ``parents`` has all of those, ``named`` the accounts that are meant: the ones asked for, who
    is invoiced, who pays, whose settings say so, and with whom the contract is.
    """

    parents: Mapping[UUID, UUID | None]
    settings: FamilySettings
    named: Mapping[UUID, Account]

    def bill_to(self, account_id: UUID, override_id: UUID | None = None) -> UUID:
        """Return who is invoiced for an account, or for what has a recipient of its own.

        As in a run, a recipient that stands in another family counts for nothing.
        """
        if self.is_overridden(account_id, override_id):
            assert override_id is not None  # noqa: S101 - for the checker of types
            return override_id
        return self.settings.bill_tos[account_id][0]

    def is_overridden(self, account_id: UUID, override_id: UUID | None) -> bool:
        """Return whether a recipient that something names itself is the one that counts."""
        return override_id is not None and self._root(override_id) == self._root(account_id)

    def _root(self, account_id: UUID) -> UUID:
        while (up := self.parents.get(account_id)) is not None:
            account_id = up
        return account_id

    def payer(self, bill_to_id: UUID) -> UUID:
        """Return who pays what is addressed to an account."""
        return self.settings.payers.get(bill_to_id, (bill_to_id, None))[0]


def answering(
    actor: Actor,
    account_ids: Iterable[UUID],
    as_of: date,
    *,
    beside: Iterable[UUID] = (),
    stood_then: bool = False,
) -> Answering:
    """Return who answers for accounts in reach. Three statements, however many and however deep.

    Args:
        actor: who asks.
        account_ids: which accounts.
        as_of: the day.
        beside: further accounts that are to be known, such as those that overrides name.
        stood_then: whether what stood above on the day is meant, not what stands there now.

    Raises:
        Forbidden: the actor may not read the settings of the whole tenant.
    """
    access.require_everywhere(actor, Action.VIEW_SETTINGS)
    asked = {*account_ids, *beside}
    if stood_then:
        members = members_above(actor, asked, as_of)
    else:
        above = access.reach(actor, Action.VIEW_ACCOUNT).filter(
            tree.lies_above(actor.tenant_id, asked)
        )
        members = list(above.order_by("node__level", "id").values_list("pk", "node__parent_id"))
    settings = setting_history(actor, members).on(as_of)
    meant: set[UUID | None] = set(asked)
    for key in asked & settings.bill_tos.keys():
        meant |= set(settings.bill_tos[key])
        meant.add(settings.resolved[key].origin(SettingName.COST_CENTRE))
    for recipient in meant & settings.payers.keys():
        if recipient is not None:
            meant |= set(settings.payers[recipient])
    wanted = {key for key in meant if key is not None}
    found = Account.objects.filter(tenant_id=actor.tenant_id, pk__in=wanted)
    named = found.select_related("contract_party").in_bulk()
    return Answering(dict(members), settings, named)


def saying_themselves(actor: Actor, as_of: date) -> QuerySet[SettingInterval, UUID]:
    """Return the ids of accounts that say themselves who answers. No statement by itself."""
    says = SettingInterval.objects.filter(
        holding_on(actor, as_of), account__isnull=False, name__in=_WHO
    )
    return says.order_by().values_list("account_id", flat=True)
