"""The ways from an account to the pages that change it."""

from accounts import access
from accounts.access import Action
from accounts.models import Account
from tenancy.actor import Actor
from web.accounts import account_url


def edit_url(actor: Actor, account: Account) -> str:
    """Return where an account is changed, empty where it may not be. No statement."""
    may_edit = access.allows_everywhere(actor, Action.EDIT_ACCOUNT)
    return account_url(account.pk, "edit") if may_edit else ""


def add_url(actor: Actor, account: Account) -> str:
    """Return where accounts are put below one, empty where none may be. No statement."""
    return account_url(account.pk, "new_below") if _may(actor, account, archived=False) else ""


def add_charge_url(actor: Actor, account: Account) -> str:
    """Return where an account is charged once, empty where that is not possible. No statement."""
    is_open = account.status != Account.Status.ARCHIVED
    may = is_open and access.allows_everywhere(actor, Action.EDIT_CHARGE)
    return account_url(account.pk, "add_charge") if may else ""


def import_url(actor: Actor, account: Account) -> str:
    """Return where a file is imported below one, empty where none may be. No statement."""
    return account_url(account.pk, "import_below") if _may(actor, account, archived=False) else ""


def archive_url(actor: Actor, account: Account) -> str:
    """Return where an account in use is archived, empty where it may not be. No statement."""
    return account_url(account.pk, "archive") if _may(actor, account, archived=False) else ""


def reopen_url(actor: Actor, account: Account) -> str:
    """Return what takes an archived account into use, empty where none is. No statement."""
    may_reopen = account.merged_into_id is None and _may(actor, account, archived=True)
    return account_url(account.pk, "reopen") if may_reopen else ""


def _may(actor: Actor, account: Account, *, archived: bool) -> bool:
    is_archived = account.status == Account.Status.ARCHIVED
    return is_archived == archived and access.allows_everywhere(actor, Action.EDIT_ACCOUNT)
