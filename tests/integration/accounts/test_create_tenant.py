"""Making a tenant: its seller, its defaults, its owner, its first key."""

import hashlib
from datetime import UTC, date, datetime

import pytest

from accounts.models import ApiKey, Membership, Person, Seller, SettingInterval, TaxRate
from accounts.operations.tenants import (
    ClockWithoutSandbox,
    InvalidTenant,
    SlugTaken,
    create_tenant,
    slug_of,
)
from tenancy.actor import Actor
from tenancy.clock import today_of
from tenancy.database import scope
from tenancy.database.lookup import find_tenant_id
from tenancy.errors import Forbidden
from tenancy.ids import uuid7
from tenancy.models import AuditEntry, Tenant
from tests.world import NOW


def make(slug="acme", *, actor=None, **values):
    options = {
        "country": "DE", "currency": "EUR", "is_sandbox": True, "clock": None, "now": NOW,
    } | values  # fmt: skip
    name = options.pop("name", "Acme")
    return create_tenant(actor or Actor.system(uuid7()), name, slug=slug, **options)


def test_makes_everything_a_first_run_needs(db):
    new = make(clock=date(2026, 12, 24))

    assert find_tenant_id("acme") == new.tenant.id
    with scope(new.tenant.id):
        assert Seller.objects.get() == new.seller
        assert (new.seller.is_placeholder, new.seller.vat_id) == (True, "TEST")
        key = ApiKey.objects.get()
        assert key.digest == hashlib.sha256(new.api_key.encode()).hexdigest()
        assert new.api_key not in str(vars(key))
        member = Membership.objects.get()
        assert (member.role, member.person.email) == ("owner", "owner@acme.example")
        assert member.person.check_password(new.owner_password)
        assert dict(SettingInterval.objects.values_list("name", "value")) == {
            "seller": None,
            "consolidation": "one_invoice",
            "payment_terms_days": 14,
            "currency": "EUR",
            "language": "de",
            "time_zone": "Europe/Berlin",
            "collection": "send",
            "split_by_po": False,
            "proration_cutoff_days": 0,
            "usage_grace_days": 30,
            "minimum_term_months": 0,
            "renewal_months": 0,
            "notice_months": 0,
            "notice_days": 0,
            "delivery": "pdf",
            "tax_treatment": "automatic",
            "dunning_policy": "standard",
        }
        assert TaxRate.objects.filter(tax_class="standard", percent=16).count() == 1
        assert AuditEntry.objects.get().action == "tenant.created"
        assert new.owner_password not in str(AuditEntry.objects.values().get())
    assert today_of(new.tenant) == date(2026, 12, 24)


@pytest.mark.parametrize(
    ("country", "language", "zone"),
    [
        ("AT", "de", "Europe/Vienna"),
        ("FR", "en", "Europe/Paris"),
        ("BR", "en", "America/Sao_Paulo"),
    ],
)
def test_speaks_and_keeps_time_as_its_country(db, country, language, zone):
    tenant = make(country=country).tenant

    assert (tenant.language, tenant.time_zone) == (language, zone)


def test_takes_the_longest_name(db):
    assert make(name="x" * 200).tenant.name == "x" * 200


@pytest.mark.parametrize(
    ("values", "error"),
    [
        ({"name": " "}, InvalidTenant),
        ({"name": "a\x00"}, InvalidTenant),
        ({"slug": "-a"}, InvalidTenant),
        ({"slug": "A"}, InvalidTenant),
        ({"slug": "a" * 64}, InvalidTenant),
        ({"slug": ""}, InvalidTenant),
        ({"country": "de"}, InvalidTenant),
        ({"currency": "eur"}, InvalidTenant),
        ({"is_sandbox": False, "clock": date(2026, 1, 1)}, ClockWithoutSandbox),
        ({"slug": "taken"}, SlugTaken),
        ({"slug": "person"}, SlugTaken),
    ],
)
def test_refuses_what_cannot_be(db, values, error):
    make("taken")
    # Somebody who signs in elsewhere with the address that the owner would get.
    Person.objects.create(email="owner@person.example", name="Somebody")
    before = Person.objects.count()

    with pytest.raises(error):
        make(**values)

    assert Person.objects.count() == before
    assert find_tenant_id(values.get("slug", "acme")) == (
        find_tenant_id("taken") if values.get("slug") == "taken" else None
    )


def test_is_for_the_system_alone(db, vendor, alice):
    with pytest.raises(Forbidden):
        make("other", actor=alice)

    assert find_tenant_id("other") is None


@pytest.mark.parametrize(
    ("name", "slug"),
    [
        ("Müller & Söhne", "muller-sohne"),
        ("  Straße 7 ", "strasse-7"),
        ("…", ""),
        ("x" * 80, "x" * 63),
    ],
)
def test_slugs_are_plain(name, slug):
    assert slug_of(name) == slug


@pytest.mark.parametrize(
    ("clock", "expected"),
    [
        (datetime(2026, 1, 1, 23, 30, tzinfo=UTC), date(2026, 1, 2)),
        (datetime(2026, 1, 1, 12), date(2026, 1, 1)),  # noqa: DTZ001 - UTC is meant
        (None, date(2026, 11, 23)),
    ],
)
def test_the_clock_shows_the_tenants_date(db, clock, expected):
    tenant = make(clock=clock).tenant

    with scope(tenant.id):
        assert today_of(Tenant.objects.get()) == expected
