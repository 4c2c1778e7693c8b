"""What a setting may not become: each refusal, and what is asked under the locks."""

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any
from uuid import UUID

from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from accounts import access, tree
from accounts.access import Action
from accounts.declarations import SETTINGS, ChangedBy, SettingName, ValueRefused
from accounts.models import Account, Seller, SettingInterval
from accounts.queries.dated import holding_on
from tenancy.actor import Actor
from tenancy.errors import Conflict, FieldError, Invalid, NotFound
from tenancy.files.cells import LATEST


class InvalidSettings(Invalid):
    """Values that can't be."""

    code = "invalid_settings"
    message = _("The settings are not valid.")


class BillToOutsidePath(Invalid):
    """An invoice goes to the account itself or to one above it."""

    code = "bill_to_outside_path"
    message = _("The bill-to is the account itself or one above it.")


class PayerNotAccepted(Conflict):
    """Somebody else pays only who has agreed to."""

    code = "payer_not_accepted"
    message = _(
        "The payer is the account itself or one above it. Another account has to agree first:"
        " plan the change."
    )


class TargetArchived(Conflict):
    """What is archived gets no invoices and pays none."""

    code = "account_archived"
    message = _("“%(account)s” is archived.")


class SettingLocked(Conflict):
    """An account above keeps those below from setting their own value."""

    code = "setting_locked"
    message = _("“%(setting)s” is locked by %(account)s. It can only be inherited here.")


class EffectiveDatePassed(Invalid):
    """The past stays as it was."""

    code = "effective_date_passed"
    message = _("A change holds from today or from a later day; the past stays as it was.")


class NotSchedulable(Invalid):
    """Some settings change at once."""

    code = "not_schedulable"
    message = _("“%(setting)s” can only be changed from today on.")


class NotLockable(Invalid):
    """Some settings are each account's own affair, and only an own value can be locked."""

    code = "not_lockable"
    message = _("“%(setting)s” cannot be locked here.")


class NothingPlanned(Conflict):
    """There is no such planned change; it may have begun meanwhile."""

    code = "nothing_planned"
    message = _("No change of “%(setting)s” is planned for %(day)s.")


def locked_account(actor: Actor, account_id: UUID) -> Account:
    """Keep the tree and then the account as they are, and return it if it may be changed."""
    tree.lock_families(actor.tenant_id, [account_id])
    account = (
        Account.objects.select_for_update(of=("self",), no_key=True)
        .filter(tenant_id=actor.tenant_id, pk=account_id)
        .first()
    )
    if account is None:
        raise NotFound
    access.require(actor, Action.EDIT_SETTINGS, account)
    return account


def require_right(actor: Actor, names: Iterable[str]) -> None:
    """Refuse names that there are not, and what only the vendor changes."""
    unknown = [name for name in names if name not in SETTINGS]
    if unknown:
        raise InvalidSettings(errors=[fault(name, "unknown_name", "") for name in unknown])
    if any(SETTINGS[name].changed_by == ChangedBy.VENDOR for name in names):
        access.require_everywhere(actor, Action.EDIT_SETTINGS)


def require_day(_actor: Actor, day: date, names: Iterable[str], *, today: date) -> None:
    """Refuse a day that has passed, and a later one where a setting changes at once."""
    if not today <= day < LATEST:
        raise EffectiveDatePassed(errors=[fault("effective_date", EffectiveDatePassed.code, "")])
    for name in names:
        if day > today and not SETTINGS[name].can_be_scheduled:
            raise NotSchedulable(setting=SETTINGS[name].label)


def checked_values(_actor: Actor, values: Mapping[str, Any]) -> dict[str, Any]:
    """Return plain values as they are stored; ids are looked up later."""
    checked, faults = dict(values), []
    for name, value in values.items():
        if value is None or SETTINGS[name].kind.id_prefix:
            continue
        try:
            checked[name] = SETTINGS[name].kind.check(value)
        except ValueRefused as refused:
            faults.append(fault(name, refused.code, refused.detail))
    if faults:
        raise InvalidSettings(errors=faults)
    return checked


def require_unlocked(actor: Actor, path: list[UUID], values: Mapping[str, Any], day: date) -> None:
    """Refuse an own value where an account above, or the company, has locked the setting."""
    set_here = [name for name, value in values.items() if value is not None]
    lock = (
        SettingInterval.objects.filter(
            Q(account_id__in=path[:-1]) | Q(account=None),
            holding_on(actor, day),
            name__in=set_here,
            is_locked=True,
        )
        .select_related("account")
        .order_by("name", "id")
        .first()
    )
    if lock is None:
        return
    by: object = _("the company")
    if lock.account_id is not None:
        seen = access.reach(actor, Action.VIEW_ACCOUNT).filter(pk=lock.account_id)
        by = seen.values_list("name", flat=True).first() or _("an account above")
    raise SettingLocked(
        setting=SETTINGS[lock.name].label,
        account=by,
        errors=[fault(lock.name, SettingLocked.code, "")],
    )


def require_seller(actor: Actor, seller_id: UUID) -> None:
    """Refuse a seller that the tenant has not."""
    if not Seller.objects.filter(tenant_id=actor.tenant_id, pk=seller_id).exists():
        raise InvalidSettings(errors=[fault("seller", "unknown_seller", "")])


def require_targets(actor: Actor, path: list[UUID], values: Mapping[str, Any]) -> None:
    """Refuse what a setting may not refer to (R10, R11)."""
    wanted = {key for key in values.values() if isinstance(key, UUID)}
    if not wanted:
        return
    accounts = Account.objects.filter(tenant_id=actor.tenant_id).in_bulk(wanted)
    for name, value in values.items():
        if value is None or not SETTINGS[name].kind.id_prefix:
            continue
        if SETTINGS[name].is_seller:
            require_seller(actor, value)
            continue
        if value not in accounts:
            raise InvalidSettings(errors=[fault(name, "unknown_account", "")])
        if value not in path:
            refusal = BillToOutsidePath if name == SettingName.BILL_TO else PayerNotAccepted
            raise refusal(errors=[fault(name, refusal.code, "")])
        if accounts[value].status == Account.Status.ARCHIVED:
            raise TargetArchived(account=accounts[value].name)


def fault(name: str, code: str, detail: str) -> FieldError:
    """Return what is wrong with one member."""
    return FieldError(code, detail or str(_("It can't be that.")), f"/{name}")
