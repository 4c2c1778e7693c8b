"""The ways from an account to the changes that can be planned for it."""

from dataclasses import dataclass, replace
from urllib.parse import urlencode

from django.urls import reverse
from django.utils.translation import gettext as _

from accounts import access
from accounts.access import Action
from accounts.models import Account
from invoicing.models import ChangePlan
from subscriptions.models import Subscription
from tenancy.actor import Actor


@dataclass(frozen=True, slots=True)
class Door:
    """What can be planned, and where; a dialog may ask for more first, ``hint`` explains it."""

    label: str
    icon: str
    url: str
    is_dialog: bool = False
    hint: str = ""


def plan_actions(actor: Actor, account: Account) -> list[Door]:
    """Return what the actor may plan for an account. No statement."""
    is_closed = account.status == Account.Status.ARCHIVED
    if is_closed or not access.allows_everywhere(actor, Action.EDIT_SETTINGS):
        return []
    move = f"{reverse('plans:move')}?account={account.public_id}"
    return [
        Door(_("Move to …"), "move", move, is_dialog=True),
        _planning(account, ChangePlan.Kind.BILL_TO, _("Invoice recipient …"), "file-output"),
        _planning(account, ChangePlan.Kind.PAYER, _("Payer …"), "wallet"),
    ]


def recipient_url(actor: Actor, subscription: Subscription) -> str:
    """Return where another recipient of one subscription is planned, empty where it cannot be."""
    if not access.allows_everywhere(actor, Action.EDIT_SETTINGS):
        return ""
    query = {
        "kind": ChangePlan.Kind.SUBSCRIPTION,
        "account": subscription.account.public_id,
        "subscription": subscription.public_id,
    }
    return f"{reverse('plans:new')}?{urlencode(query)}"


def rarer_actions(actor: Actor, account: Account, *, is_top: bool) -> list[Door]:
    """Return what is planned less often: one invoice or several, another place, merging, closing.

    No statement.
    """
    if not plan_actions(actor, account):
        return []
    apart = [
        _planning(account, ChangePlan.Kind.MOVE, _("Make independent …"), "split", choice="none"),
        _planning(account, ChangePlan.Kind.PROMOTION, _("Take the place above …"), "arrow-up"),
    ]
    return [
        _planning(account, ChangePlan.Kind.CONSOLIDATION, _("One invoice or several …"), "files"),
        *([] if is_top else apart),
        Door(
            _("Align renewals …"),
            "calendar-check",
            reverse("customers:align", args=[account.public_id]),
        ),
        _planning(account, ChangePlan.Kind.MERGE, _("Merge into …"), "merge"),
        replace(
            _planning(account, ChangePlan.Kind.CLOSING, _("Close on a day …"), "calendar-x"),
            hint=_("A plan with a preview: sub-accounts move, then it is closed"),
        ),
    ]


def _planning(account: Account, kind: str, label: str, icon: str, **more: str) -> Door:
    query = urlencode({"kind": kind, "account": account.public_id, **more})
    return Door(label, icon, f"{reverse('plans:new')}?{query}")
