"""Making, filling in and changing a legal entity of the tenant that issues invoices."""

import re
from datetime import datetime
from typing import Any, TypedDict, Unpack
from uuid import UUID

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from stdnum import bic, iban

from accounts import access
from accounts.access import Action
from accounts.models import Seller, TaxRate
from accounts.versions import require_version, seller_shown
from billing_rules.countries import is_country
from billing_rules.tax import vat_id_valid
from billing_rules.tax_rates import rates_of
from billing_rules.territories import vat_id_country
from tenancy.actor import Actor
from tenancy.database import operation
from tenancy.errors import FieldError, Invalid, NotFound
from tenancy.events import Happening, record_event
from tenancy.models import Tenant

PLACEHOLDER = "TEST"
PLACEHOLDER_IBAN = "DE02120300000000202051"
PLACEHOLDER_BIC = "BYLADEM1001"
_NEEDED = ("name", "line1", "city", "country")


class SellerFields(TypedDict, total=False):
    """What can be changed of a seller; what is left out stays."""

    name: str
    line1: str
    line2: str
    postal_code: str
    city: str
    country: str
    vat_id: str
    tax_number: str
    register_entry: str
    directors: str
    email: str
    iban: str
    bic: str
    bank_name: str


class InvalidSeller(Invalid):
    """Details that can't be printed on an invoice; ``errors`` names each field."""

    code = "invalid_seller"
    message = _("These details of the seller are not valid: %(fields)s.")


def create_placeholder(actor: Actor, tenant: Tenant) -> Seller:
    """Make a new tenant's first seller, with the tax rates of its country; the rest says TEST."""
    is_german = tenant.language == "de"
    banks_in_germany = tenant.country == "DE"
    seller = Seller.objects.create(
        tenant_id=actor.tenant_id,
        name=tenant.name,
        line1=f"{PLACEHOLDER}-Straße 1" if is_german else f"1 {PLACEHOLDER} Street",
        postal_code="00000",
        city=PLACEHOLDER,
        country=tenant.country,
        vat_id=PLACEHOLDER,
        register_entry=PLACEHOLDER,
        directors=PLACEHOLDER,
        email=f"billing@{tenant.slug}.example",
        iban=PLACEHOLDER_IBAN if banks_in_germany else "",
        bic=PLACEHOLDER_BIC if banks_in_germany else "",
        bank_name=PLACEHOLDER,
        currency=tenant.currency,
        number_format="RE-{year}-{number:06d}" if is_german else "INV-{year}-{number:06d}",
        credit_note_format="RK-{year}-{number:06d}" if is_german else "CN-{year}-{number:06d}",
        is_placeholder=True,
    )
    _write_tax_rates(actor, seller)
    return seller


@operation
def update_seller(
    actor: Actor,
    seller_id: UUID,
    *,
    now: datetime,
    version: str = "",
    **fields: Unpack[SellerFields],
) -> Seller:
    """Change a seller's name, address, register data or bank account.

    It stops being a placeholder once name, address, a tax identity and an IBAN are real; a live
    tenant can issue from then on. Another country brings that country's tax rates. Issued
    invoices keep what they were issued with.

    Args:
        actor: who changes it.
        seller_id: the seller.
        now: the instant, for the audit trail.
        version: of what was shown, ``version_of(seller_shown(seller))``; empty overwrites anyway.
        fields: the new values; what is left out stays.

    Raises:
        Forbidden: the actor may not manage the tenant.
        NotFound: there is no such seller.
        InvalidSeller: name, street, city or country is empty, or a country, VAT id, IBAN, BIC or
            e-mail address can't be one.
        ChangedMeanwhile: the seller is not as shown any more.
    """
    access.require_everywhere(actor, Action.MANAGE_TENANT)
    seller = (
        Seller.objects.select_for_update().filter(tenant_id=actor.tenant_id, pk=seller_id).first()
    )
    if seller is None:
        raise NotFound
    given = {name: _plain(name, str(value)) for name, value in fields.items()}
    shown: dict[str, str] = seller_shown(seller)
    require_version(version, shown, {**shown, **given})
    _require_valid(given, seller)
    new: dict[str, object] = {
        name: value for name, value in given.items() if getattr(seller, name) != value
    }
    old = {name: getattr(seller, name) for name in new}
    for name, value in new.items():
        setattr(seller, name, value)
    if seller.is_placeholder and _is_real(seller):
        seller.is_placeholder = False
        old["is_placeholder"], new["is_placeholder"] = True, False
    if not new:
        return seller
    seller.save(update_fields=list(new))
    if "country" in new:
        TaxRate.objects.filter(tenant_id=actor.tenant_id, seller=seller).delete()
        _write_tax_rates(actor, seller)
    changed = {"changed": sorted(new)}
    happening = Happening("seller.updated", seller.id, before=old, after=new, data=changed)
    record_event(actor, happening, now=now)
    return seller


def _plain(name: str, value: str) -> str:
    """Return a value as it is stored: numbers of banks and tax offices without their spaces."""
    if name in {"iban", "bic"}:
        return "".join(value.split()).upper()
    return value.strip().upper() if name == "country" else value.strip()


def _require_valid(given: dict[str, str], seller: Seller) -> None:
    country = given.get("country", seller.country)
    # Where another country's VAT applies, so does the form of its ids: Monaco has French ones.
    country_of_id = vat_id_country(country, given.get("postal_code", seller.postal_code))
    checked = dict(given)
    if is_country(country) and country != seller.country and seller.vat_id != PLACEHOLDER:
        checked.setdefault("vat_id", seller.vat_id)
    faults = {name: _fault(name, value, country_of_id) for name, value in checked.items()}
    errors = [
        FieldError(f"invalid_{name}", str(fault), pointer=f"/{name}")
        for name, fault in faults.items()
        if fault is not None
    ]
    if errors:
        raise InvalidSeller(
            fields=", ".join(error.pointer.removeprefix("/") for error in errors), errors=errors
        )


def _fault(name: str, value: str, country: str) -> Promise | None:
    """Return what is wrong with the new value of one field."""
    longest: Any = Seller._meta.get_field(name)
    if len(value) > longest.max_length or not value.isprintable():
        return _("This is too long, or holds a control character.")
    if not value:
        return _("This must not be empty.") if name in _NEEDED else None
    match name:
        case "country" if not is_country(value):
            return _("This is no country's code.")
        case "vat_id" if not vat_id_valid(country, value):
            return _("This is no VAT ID of the seller's country.")
        case "iban" if not iban.is_valid(value):
            return _("This is no IBAN: its check digits are wrong.")
        case "bic" if not bic.is_valid(value):
            return _("This is no BIC.")
        case "email" if not _is_email(value):
            return _("This is no e-mail address.")
        case _:
            return None


def _is_email(value: str) -> bool:
    try:
        validate_email(value)
    except ValidationError:
        return False
    return True


def _is_real(seller: Seller) -> bool:
    """Return whether everything that an invoice must say is there, and none of it a placeholder."""
    identity = [seller.vat_id, seller.tax_number]
    return (
        all(_was_filled_in(getattr(seller, name)) for name in _NEEDED)
        and any(_was_filled_in(value) for value in identity)
        and _was_filled_in(seller.iban)
        and seller.iban != PLACEHOLDER_IBAN
    )


def _was_filled_in(value: str) -> bool:
    return bool(value) and not re.search(rf"\b{PLACEHOLDER}\b", value)


def _write_tax_rates(actor: Actor, seller: Seller) -> None:
    """Give a seller the tax rates of its country."""
    TaxRate.objects.bulk_create(
        TaxRate(
            tenant_id=actor.tenant_id,
            seller=seller,
            tax_class=rate.tax_class,
            category=rate.category,
            percent=rate.percent,
            valid_from=rate.valid_from,
            valid_to=rate.valid_to,
        )
        for rate in rates_of(vat_id_country(seller.country, seller.postal_code))
    )
