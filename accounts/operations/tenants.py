"""Making a tenant, with its first seller, its owner and its first key."""

import hashlib
import re
import secrets
import unicodedata
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db import IntegrityError, transaction
from django.utils.translation import gettext_lazy as _

from accounts.access import Action
from accounts.declarations import SETTINGS, SettingName
from accounts.models import ApiKey, Membership, Person, Seller, SettingInterval
from accounts.models.people import StaffRole
from accounts.operations.sellers import create_placeholder
from billing_rules.countries import is_country
from billing_rules.money import is_currency, withdrawal
from billing_rules.time_zones import time_zone_of
from tenancy.actor import Actor
from tenancy.database import operation
from tenancy.errors import Conflict, Forbidden, Invalid
from tenancy.events import Happening, record_event
from tenancy.models import Tenant

_GERMAN = {"DE", "AT", "LI"}


class SlugTaken(Conflict):
    """Another tenant has this short name."""

    code = "slug_taken"
    message = _("The short name “%(slug)s” is taken.")


class InvalidTenant(Invalid):
    """A name, country or currency that can't be one."""

    code = "invalid_tenant"
    message = _("%(what)s “%(value)s” is not valid.")


class ClockWithoutSandbox(Invalid):
    """Only a sandbox has a clock of its own."""

    code = "not_sandbox"
    message = _("Only a sandbox tenant has a test clock.")


@dataclass(frozen=True, slots=True)
class NewTenant:
    """A tenant with the secrets that are shown once."""

    tenant: Tenant
    seller: Seller
    api_key: str
    owner_email: str
    owner_password: str


def slug_of(name: str) -> str:
    """Return a short name made from a name: small letters, digits and hyphens."""
    plain = unicodedata.normalize("NFKD", name.replace("ß", "ss")).encode("ascii", "ignore")
    return re.sub(r"[^a-z0-9]+", "-", plain.decode().lower()).strip("-")[:63].strip("-")


@operation
def create_tenant(
    actor: Actor,
    name: str,
    *,
    slug: str,
    country: str,
    currency: str,
    is_sandbox: bool,
    clock: date | datetime | None,
    now: datetime,
) -> NewTenant:
    """Make the tenant whose id ``actor`` bears, with a seller, an owner and a key.

    The seller's address, VAT id and IBAN are placeholders marked TEST; a live tenant can't issue
    before they are filled in.

    Args:
        actor: the system, acting for the tenant to be.
        name: shown to people.
        slug: small letters, digits and hyphens; unique over all tenants.
        country: ISO 3166-1 code.
        currency: ISO 4217 code.
        is_sandbox: whether it has a test clock and makes TEST documents.
        clock: where the test clock stands; None for now.
        now: the present instant.

    Raises:
        Forbidden: somebody else than the system asks.
        InvalidTenant: name, slug, country or currency can't be one, or nobody pays in the
            currency any more.
        ClockWithoutSandbox: a clock for a live tenant.
        SlugTaken: the short name is another tenant's.
    """
    if not actor.is_system:
        raise Forbidden
    first = now if clock is None else clock
    _require_valid(name, slug, country, currency, _day(first))
    if clock is not None and not is_sandbox:
        raise ClockWithoutSandbox
    zone = time_zone_of(country)
    language = "de" if country in _GERMAN else "en"
    try:
        with transaction.atomic():
            tenant = Tenant.objects.create(
                id=actor.tenant_id,
                slug=slug,
                name=name,
                country=country,
                currency=currency,
                language=language,
                time_zone=zone,
                is_sandbox=is_sandbox,
                test_clock_at=_instant(clock, zone, now) if is_sandbox else None,
            )
    except IntegrityError as error:
        raise SlugTaken(slug=slug) from error
    seller = create_placeholder(actor, tenant)
    _set_defaults(tenant, seller)
    secret, _key = _create_key(tenant, reach_id=None, name="First key")
    email, password = f"owner@{slug}.example", secrets.token_urlsafe(15)
    person = Person(email=email, name=f"Owner of {name}"[:200], language=language)
    person.set_password(password)
    try:
        with transaction.atomic():
            person.save(force_insert=True)
    except IntegrityError as error:
        # Somebody signs in with this address already: theirs is not given to a new owner.
        raise SlugTaken(slug=slug) from error
    Membership.objects.create(tenant=tenant, person=person, role=StaffRole.OWNER)
    said = {"slug": slug, "name": name}
    record_event(actor, Happening("tenant.created", tenant.id, after=said, data=said), now=now)
    return NewTenant(tenant, seller, secret, email, password)


def _day(moment: date | datetime) -> date:
    return moment.date() if isinstance(moment, datetime) else moment


def _require_valid(name: str, slug: str, country: str, currency: str, first_day: date) -> None:
    if not name.strip() or len(name) > 200 or "\x00" in name:
        raise InvalidTenant(what=_("The name"), value=name[:40].replace("\x00", "?"))
    if not re.fullmatch(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?", slug):
        raise InvalidTenant(what=_("The short name"), value=slug[:70])
    if not is_country(country):
        raise InvalidTenant(what=_("The country"), value=country[:40])
    if not is_currency(currency) or withdrawal(currency, first_day):
        raise InvalidTenant(what=_("The currency"), value=currency[:40])


def _instant(clock: date | datetime | None, zone: str, now: datetime) -> datetime:
    """Return where a new test clock stands: a date means noon there, clear of any midnight."""
    if clock is None:
        return now
    if isinstance(clock, datetime):
        return clock if clock.tzinfo else clock.replace(tzinfo=UTC)
    return datetime.combine(clock, time(12), tzinfo=ZoneInfo(zone))


def _set_defaults(tenant: Tenant, seller: Seller) -> None:
    """Write the tenant's defaults, from which every root inherits."""
    plain = {
        setting.name: setting.default_of(tenant)
        for setting in SETTINGS.values()
        if setting.default is not None
    }
    SettingInterval.objects.bulk_create(
        [
            SettingInterval(tenant=tenant, name=SettingName.SELLER, seller=seller),
            *(SettingInterval(tenant=tenant, name=name, value=v) for name, v in plain.items()),
        ]
    )


def _create_key(tenant: Tenant, *, reach_id: UUID | None, name: str) -> tuple[str, ApiKey]:
    kind = "test" if tenant.is_sandbox else "live"
    secret = f"sk_{kind}_{secrets.token_hex(4)}{secrets.token_urlsafe(32)}"
    key = ApiKey.objects.create(
        tenant=tenant,
        name=name,
        prefix=secret[:16],
        digest=hashlib.sha256(secret.encode()).hexdigest(),
        scopes=[action.value for action in Action],
        reach_id=reach_id,
    )
    return secret, key
