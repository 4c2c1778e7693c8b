"""Archiving an account that nothing hangs on."""

from collections.abc import Callable, Iterable
from datetime import date, datetime
from uuid import UUID

from django.utils.translation import gettext_lazy as _

from accounts import access, tree
from accounts.access import Action
from accounts.models import Account
from invoicing.queries.hanging import Hanging, hanging_on
from invoicing.words.charges import describe_hanging
from tenancy.actor import Actor
from tenancy.database import operation
from tenancy.errors import Conflict, FieldError, NotFound
from tenancy.events import Happening, record_event


class AccountInUse(Conflict):
    """Something hangs on the account; ``errors`` say what, one for each kind."""

    code = "account_in_use"
    message = _("“%(name)s” is in use. Nothing was archived.")


@operation
def archive_account(
    actor: Actor,
    account_id: UUID,
    *,
    today: date,
    now: datetime,
    require_seen: Callable[[], object] = lambda: None,
) -> Account:
    """Archive an account: it stays with its documents, and nothing new comes to it.

    Archived again it stays as it is. Billing of its family waits meanwhile, and the other way
    round, so nothing can come to hang on it while this looks.

    Args:
        actor: who does it.
        account_id: the account.
        today: the tenant's day: subscriptions that have ended by then do not count.
        now: for the audit trail.
        require_seen: called under the locks; raises where the caller has seen another state.

    Raises:
        NotFound, Forbidden: the account is out of sight, or not the actor's to change.
        AccountInUse: something hangs on it.
    """
    tree.lock_families(actor.tenant_id, [account_id])
    account = (
        Account.objects.select_for_update()
        .filter(tenant_id=actor.tenant_id, pk=account_id)
        .order_by("pk")
        .first()
    )
    if account is None:
        raise NotFound
    access.require(actor, Action.EDIT_ACCOUNT, account)
    require_seen()
    if account.status == Account.Status.ARCHIVED:
        return account
    hanging = hanging_on(actor, account_id, today=today)
    if hanging:
        raise AccountInUse(name=account.name, errors=list(_errors(hanging)))
    account.status = Account.Status.ARCHIVED
    account.version += 1
    account.save(update_fields=["status", "version"])
    happening = Happening(
        "account.archived",
        account.pk,
        account.pk,
        before={"status": Account.Status.ACTIVE.value},
        after={"status": Account.Status.ARCHIVED.value},
        data={"external_id": account.external_id or ""},
    )
    record_event(actor, happening, now=now)
    return account


def _errors(hanging: Iterable[Hanging]) -> Iterable[FieldError]:
    for one in hanging:
        yield FieldError(one.kind, describe_hanging(one.kind, one.count, one.things))
