"""The version of what a form shows: whoever sends an old one learns what is stored now."""

import hashlib
import json
from collections.abc import Iterable, Mapping

from django.utils.translation import gettext_lazy as _

from accounts.models import BankAccount, Contact, Grant, Seller, SettingInterval
from tenancy.errors import Conflict
from tenancy.models import Tenant

_SELLER = (
    "name", "line1", "line2", "postal_code", "city", "country", "vat_id", "tax_number",
    "register_entry", "directors", "email", "iban", "bic", "bank_name",
)  # fmt: skip
_BANK_ACCOUNT = ("iban", "bic", "bank_name")
_CONTACT = ("external_id", "name", "email", "language")


class ChangedMeanwhile(Conflict):
    """Somebody else has changed it since it was shown; nothing was overwritten."""

    code = "changed_meanwhile"
    message = _("Somebody has changed this in the meantime. Nothing was overwritten.")


def version_of(values: Mapping[str, object]) -> str:
    """Return a text that differs as soon as one of the values does."""
    text = json.dumps({name: values[name] for name in sorted(values)}, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def require_version(
    version: str, values: Mapping[str, object], wanted: Mapping[str, object] | None = None
) -> None:
    """Return if ``version`` is that of the values stored, read under the lock that keeps them.

    Args:
        version: as shown; empty for callers who name no version and overwrite knowingly.
        values: what is stored.
        wanted: what is to be stored, where it is known: who sends what is there already, as by
            pressing a button twice, overwrites nothing.

    Raises:
        ChangedMeanwhile: see its text.
    """
    if version and version != version_of(values) and wanted != values:
        raise ChangedMeanwhile


def intervals_shown(rows: Iterable[SettingInterval]) -> dict[str, object]:
    """Return all that the form of a setting shows of what is set: values, days and locks."""
    return {
        f"{row.name} {row.valid_from}": [
            row.value, row.target_id, row.seller_id, row.valid_to, row.is_locked
        ]
        for row in rows
    }  # fmt: skip


def seller_shown(seller: Seller) -> dict[str, str]:
    """Return all that a form shows of a seller."""
    return {name: getattr(seller, name) for name in _SELLER}


def time_zone_shown(tenant: Tenant) -> dict[str, str]:
    """Return all that the form of the time zone shows."""
    return {"time_zone": tenant.time_zone}


def contact_shown(contact: Contact) -> dict[str, object]:
    """Return all that a form shows of a contact."""
    return {name: getattr(contact, name) for name in _CONTACT}


def removal_shown(contact: Contact, roles: Iterable[Grant]) -> dict[str, object]:
    """Return all that the page that asks for a contact's removal shows of it."""
    held = [[str(one.account_id), one.role, one.starts_on, one.ends_on] for one in roles]
    return {**contact_shown(contact), "roles": sorted(held, key=str)}


def bank_account_shown(account: BankAccount | None) -> dict[str, str]:
    """Return all that a form shows of an account; empty fields where there is none yet."""
    return {name: "" if account is None else getattr(account, name) for name in _BANK_ACCOUNT}
