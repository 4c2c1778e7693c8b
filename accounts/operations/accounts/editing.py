"""Changing what is said of an account: name, legal particulars, address, tags, own data."""

from collections.abc import Callable, Mapping
from datetime import date, datetime
from typing import Any, Unpack
from uuid import UUID

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _now

from accounts import access
from accounts.access import Action
from accounts.declarations import PARTICULARS
from accounts.models import Account, AccountTag
from accounts.operations.accounts._particulars import (
    AccountFields,
    plain,
    require_valid,
    searched,
)
from accounts.operations.accounts._storing import write_tags
from accounts.operations.accounts.creating import ExternalIdTaken
from accounts.operations.settings import Change, write_changes
from accounts.queries.particulars import OWN_SETTINGS, particulars_of
from accounts.versions import require_version
from billing_rules.ordering import sort_key
from tenancy.actor import Actor
from tenancy.database import operation
from tenancy.errors import FieldError, NotFound
from tenancy.events import Happening, record_event

_COLUMNS = (*PARTICULARS, "external_id", "metadata")


@operation
def edit_account(
    actor: Actor,
    account_id: UUID,
    *,
    today: date,
    now: datetime,
    version: str = "",
    require_seen: Callable[[], object] = lambda: None,
    **fields: Unpack[AccountFields],
) -> Account:
    """Change what is said of an account; what is left out stays.

    Documents that were issued keep what they were issued with. The account stays where it is in
    the tree.

    Args:
        actor: who changes it; settings take the right to change settings as well.
        account_id: the account.
        today: from when changed settings hold.
        now: for the audit trail.
        version: of what was shown, ``version_of(particulars_of(…))``; empty overwrites anyway.
        require_seen: called under the lock; raises where the caller has seen another state.
        fields: the new values; None takes a setting back to what is inherited.

    Raises:
        NotFound, Forbidden: the account is out of sight, or not the actor's to change.
        InvalidAccount, ExternalIdTaken: see there.
        ChangedMeanwhile: it is not as shown any more.
    """
    account = (
        Account.objects.select_for_update(no_key=True)
        .filter(tenant_id=actor.tenant_id, pk=account_id)
        .order_by("pk")
        .first()
    )
    if account is None:
        raise NotFound
    access.require(actor, Action.EDIT_ACCOUNT, account)
    wanted = plain(fields)
    require_seen()
    stored = particulars_of(actor, account_id)
    require_version(version, stored, {**stored, **wanted})
    require_valid(wanted, account)
    new = {name: value for name, value in wanted.items() if stored[name] != value}
    if not new:
        return account
    if new.keys() & {*OWN_SETTINGS}:
        access.require(actor, Action.EDIT_SETTINGS, account)
    _write_columns(account, new)
    _write_settings(actor, account, stored, new, today)
    if "tags" in new:
        AccountTag.objects.filter(tenant_id=actor.tenant_id, account=account).delete()
        write_tags(actor, {account.pk: new["tags"]})
    happening = Happening(
        "account.updated",
        account.pk,
        account.pk,
        before={name: stored[name] for name in new},
        after=new,
        data={"external_id": account.external_id or "", "changed": sorted(new)},
    )
    record_event(actor, happening, now=now)
    return account


def _write_columns(account: Account, new: Mapping[str, Any]) -> None:
    """Write the columns that change, and no other.

    Raises:
        ExternalIdTaken: another account has the external id.
    """
    names = [name for name in _COLUMNS if name in new]
    for name in names:
        setattr(account, name, new[name])
    account.sort_key = sort_key(account.name)
    account.search_key = searched(account)
    account.version += 1
    try:
        with transaction.atomic():
            account.save(update_fields=[*names, "sort_key", "search_key", "version"])
    except IntegrityError as error:
        if "account_external_id" not in str(error):
            raise
        wrong = FieldError("external_id_taken", _now("It is taken."), "/external_id")
        raise ExternalIdTaken(external_id=account.external_id, errors=[wrong]) from error


def _write_settings(
    actor: Actor,
    account: Account,
    stored: Mapping[str, Any],
    new: Mapping[str, Any],
    today: date,
) -> None:
    changes = [
        Change(account.pk, name, stored[name], new[name]) for name in OWN_SETTINGS if name in new
    ]
    if changes:
        write_changes(actor, changes, today=today)
