"""The ways from an account to the pages that change it."""

from django.utils.translation import gettext as _

from accounts import access
from accounts.access import Action
from accounts.models import Account
from dashboard.pages.plans.doors import Door
from tenancy.actor import Actor
from web.accounts import account_url


def account_actions(actor: Actor, account: Account) -> list[Door]:
    """Return what the actor may do with an account at once. No statement."""
    if not access.allows_everywhere(actor, Action.EDIT_ACCOUNT):
        return []
    found = [Door(_("Change"), "pencil", account_url(account.pk, "edit"))]
    below = add_url(actor, account)
    if below:
        found.append(Door(_("Add sub-accounts"), "plus", below))
    return found


def archive_url(actor: Actor, account: Account) -> str:
    """Return where an account in use is archived, empty where it may not be. No statement."""
    return account_url(account.pk, "archive") if _may(actor, account, archived=False) else ""


def reopen_url(actor: Actor, account: Account) -> str:
    """Return what takes an archived account into use, empty where none is. No statement."""
    return account_url(account.pk, "reopen") if _may(actor, account, archived=True) else ""


def _may(actor: Actor, account: Account, *, archived: bool) -> bool:
    is_archived = account.status == Account.Status.ARCHIVED
    return is_archived == archived and access.allows_everywhere(actor, Action.EDIT_ACCOUNT)


def add_url(actor: Actor, account: Account) -> str:
    """Return where accounts are put below one, empty where none may be. No statement."""
    return account_url(account.pk, "new_below") if _may(actor, account, archived=False) else ""
