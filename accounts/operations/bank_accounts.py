"""The bank accounts of a seller for other currencies than its own."""

from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from stdnum import bic as bics
from stdnum import iban as ibans

from accounts import access
from accounts.access import Action
from accounts.models import BankAccount, Seller
from accounts.versions import bank_account_shown, require_version
from billing_rules.money import is_currency
from tenancy.actor import Actor
from tenancy.database import operation
from tenancy.errors import FieldError, Invalid, NotFound
from tenancy.events import Happening, record_event

_FIELDS = ("iban", "bic", "bank_name")


class InvalidBankAccount(Invalid):
    """Details that can't be printed on an invoice; ``errors`` names each field."""

    code = "invalid_bank_account"
    message = _("These details of the bank account are not valid: %(fields)s.")


@operation
def set_bank_account(
    actor: Actor,
    seller_id: UUID,
    currency: str,
    *,
    iban: str,
    bic: str = "",
    bank_name: str = "",
    version: str = "",
    now: datetime,
) -> BankAccount:
    """Say which account of a seller takes money of a currency, or change it.

    Invoices in this currency name it from now on; issued ones keep what they were issued with. A
    document in a currency that no account was named for names none.

    Args:
        actor: who says it.
        seller_id: whose account.
        currency: another than the seller's own, whose account stands with the seller.
        iban: the account's number, with or without blanks.
        bic: of the bank, if known.
        bank_name: as printed.
        version: of what was shown, as ``version_of`` says it; empty overwrites anyway.
        now: the instant, for the audit trail.

    Raises:
        Forbidden: the actor may not manage the tenant.
        NotFound: there is no such seller.
        InvalidBankAccount: the currency, the IBAN or the BIC can't be one.
        ChangedMeanwhile: the account is not as shown any more.
    """
    seller = _locked(actor, seller_id)
    given = {
        "iban": "".join(iban.split()).upper(),
        "bic": "".join(bic.split()).upper(),
        "bank_name": bank_name.strip(),
    }
    currency = currency.strip().upper()
    _require_valid(seller, currency, given)
    found = _accounts(actor, seller).filter(currency=currency).first()
    before = _facts(found)
    require_version(version, bank_account_shown(found), given)
    if before == given and found is not None:
        return found
    account = found or BankAccount(tenant_id=actor.tenant_id, seller=seller, currency=currency)
    for name, value in given.items():
        setattr(account, name, value)
    account.save()
    _record(actor, seller, currency, before, given, now)
    return account


@operation
def remove_bank_account(
    actor: Actor, seller_id: UUID, currency: str, *, version: str = "", now: datetime
) -> None:
    """Name no account for a currency any more: its invoices name none from now on.

    Args:
        actor: who says it.
        seller_id: whose account.
        currency: which of the seller's accounts.
        version: of what was shown, as ``version_of`` says it; empty removes anyway.
        now: the instant, for the audit trail.

    Raises:
        Forbidden: the actor may not manage the tenant.
        NotFound: there is no such seller, or no account of this currency.
        ChangedMeanwhile: the account is not as shown any more.
    """
    seller = _locked(actor, seller_id)
    found = _accounts(actor, seller).filter(currency=currency).first()
    require_version(version, bank_account_shown(found))
    if found is None:
        raise NotFound
    before = _facts(found)
    found.delete()
    _record(actor, seller, currency, before, None, now)


def _locked(actor: Actor, seller_id: UUID) -> Seller:
    access.require_everywhere(actor, Action.MANAGE_TENANT)
    seller = (
        Seller.objects.select_for_update().filter(tenant_id=actor.tenant_id, pk=seller_id).first()
    )
    if seller is None:
        raise NotFound
    return seller


def _accounts(actor: Actor, seller: Seller) -> QuerySet[BankAccount]:
    return BankAccount.objects.filter(tenant_id=actor.tenant_id, seller=seller)


def _facts(account: BankAccount | None) -> dict[str, str] | None:
    return None if account is None else {name: getattr(account, name) for name in _FIELDS}


def _record(
    actor: Actor,
    seller: Seller,
    currency: str,
    before: dict[str, str] | None,
    after: dict[str, str] | None,
    now: datetime,
) -> None:
    happening = Happening(
        "seller.bank_account_changed",
        seller.id,
        before={"bank_account": before, "currency": currency},
        after={"bank_account": after, "currency": currency},
        data={"currency": currency},
    )
    record_event(actor, happening, now=now)


def _require_valid(seller: Seller, currency: str, given: dict[str, str]) -> None:
    faults = {
        "currency": _currency_fault(seller, currency),
        **{name: _fault(name, value) for name, value in given.items()},
    }
    errors = [
        FieldError(f"invalid_{name}", str(fault), pointer=f"/{name}")
        for name, fault in faults.items()
        if fault is not None
    ]
    if errors:
        raise InvalidBankAccount(
            fields=", ".join(error.pointer.removeprefix("/") for error in errors), errors=errors
        )


def _currency_fault(seller: Seller, currency: str) -> Promise | None:
    if not is_currency(currency):
        return _("This is no currency's code.")
    if currency == seller.currency:
        return _("The account for the seller's own currency is among the company details.")
    return None


def _fault(name: str, value: str) -> Promise | None:
    longest: Any = BankAccount._meta.get_field(name)
    if len(value) > longest.max_length or not value.isprintable():
        return _("This is too long, or holds a control character.")
    match name:
        case "iban" if not ibans.is_valid(value):
            return _("This is no IBAN: its check digits are wrong.")
        case "bic" if value and not bics.is_valid(value):
            return _("This is no BIC.")
        case _:
            return None
