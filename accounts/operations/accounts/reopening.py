"""Taking an archived account into use again."""

from datetime import datetime
from uuid import UUID

from django.utils.translation import gettext_lazy as _

from accounts import access, tree
from accounts.access import Action
from accounts.models import Account, AccountNode
from tenancy.actor import Actor
from tenancy.database import operation
from tenancy.errors import Conflict, NotFound
from tenancy.events import Happening, record_event


class ParentArchived(Conflict):
    """What is below an archived account is not in use either."""

    code = "parent_archived"
    message = _("“%(name)s”, which it stands below, is archived. Reopen that first.")


class AccountMerged(Conflict):
    """A duplicate stays what it went up in."""

    code = "account_merged"
    message = _("“%(name)s” was merged into “%(into)s” and stays archived.")


@operation
def reopen_account(actor: Actor, account_id: UUID, *, now: datetime) -> Account:
    """Take an archived account into use again; one in use stays as it is.

    Raises:
        NotFound, Forbidden: the account is out of sight, or not the actor's to change.
        AccountMerged, ParentArchived: see their texts.
    """
    tree.lock_families(actor.tenant_id, [account_id])
    accounts = Account.objects.filter(tenant_id=actor.tenant_id)
    account = accounts.select_for_update().filter(pk=account_id).order_by("pk").first()
    if account is None:
        raise NotFound
    access.require(actor, Action.EDIT_ACCOUNT, account)
    if account.status == Account.Status.ACTIVE:
        return account
    if account.merged_into_id is not None:
        into = accounts.get(pk=account.merged_into_id)
        raise AccountMerged(name=account.name, into=into.name)
    above = AccountNode.objects.filter(tenant_id=actor.tenant_id, account=account)
    parent = accounts.filter(pk__in=above.values("parent_id")).order_by("pk").first()
    if parent is not None and parent.status == Account.Status.ARCHIVED:
        raise ParentArchived(name=parent.name)
    account.status = Account.Status.ACTIVE
    account.version += 1
    account.save(update_fields=["status", "version"])
    happening = Happening(
        "account.reopened",
        account.pk,
        account.pk,
        before={"status": Account.Status.ARCHIVED.value},
        after={"status": Account.Status.ACTIVE.value},
        data={"external_id": account.external_id or ""},
    )
    record_event(actor, happening, now=now)
    return account
