"""The ways from an account to the changes that can be planned for it."""

from dataclasses import dataclass

from django.urls import reverse
from django.utils.translation import gettext as _

from accounts import access
from accounts.access import Action
from accounts.models import Account
from invoicing.models import ChangePlan
from tenancy.actor import Actor


@dataclass(frozen=True, slots=True)
class Door:
    """What can be planned, and where."""

    label: str
    url: str


def plan_actions(actor: Actor, account: Account) -> list[Door]:
    """Return what the actor may plan for an account. No statement."""
    is_closed = account.status == Account.Status.ARCHIVED
    if is_closed or not access.allows_everywhere(actor, Action.EDIT_SETTINGS):
        return []
    kinds = (
        (ChangePlan.Kind.MOVE, _("Move to …")),
        (ChangePlan.Kind.BILL_TO, _("Invoice recipient …")),
        (ChangePlan.Kind.PAYER, _("Payer …")),
    )
    base = reverse("plans:new")
    return [Door(label, f"{base}?kind={kind}&account={account.public_id}") for kind, label in kinds]
