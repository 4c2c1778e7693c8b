"""Changing a seller's details."""

from datetime import UTC, date, datetime

import pytest

from accounts.models import Seller, TaxRate
from accounts.models.people import StaffRole
from accounts.operations.sellers import PLACEHOLDER_IBAN, InvalidSeller, update_seller
from accounts.operations.tenants import create_tenant
from tenancy.actor import Actor
from tenancy.database import scope
from tenancy.errors import Forbidden, NotFound
from tenancy.ids import uuid7
from tenancy.models import AuditEntry

NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)
REAL = {
    "name": "Nordlicht GmbH",
    "line1": "Hafenstraße 12",
    "postal_code": "24103",
    "city": "Kiel",
    "country": "DE",
    "vat_id": "DE136695976",
    "iban": "DE89 3704 0044 0532 0130 00",
    "bic": "cobadeffxxx",
}


def vendor(slug, country="DE"):
    return create_tenant(
        Actor.system(uuid7(), origin="command"),
        slug.capitalize(),
        slug=slug,
        country=country,
        currency="EUR",
        is_sandbox=True,
        clock=date(2026, 11, 23),
        now=NOW,
    )


@pytest.fixture
def nordlicht(db):
    return vendor("nordlicht")


def system(new):
    return Actor.system(new.tenant.id, origin="command")


def stored(new):
    with scope(new.tenant.id):
        return Seller.objects.get(tenant=new.tenant)


def entries(new):
    with scope(new.tenant.id):
        return list(AuditEntry.objects.filter(action="seller.updated").order_by("id"))


def test_fills_in_a_placeholder(nordlicht):
    seller = update_seller(system(nordlicht), nordlicht.seller.id, now=NOW, **REAL)

    assert not seller.is_placeholder
    kept = stored(nordlicht)
    assert (kept.iban, kept.bic, kept.city, kept.is_placeholder) == (
        "DE89370400440532013000",
        "COBADEFFXXX",
        "Kiel",
        False,
    )
    (entry,) = entries(nordlicht)
    assert (entry.before["city"], entry.after["city"]) == ("TEST", "Kiel")
    assert (entry.before["is_placeholder"], entry.after["is_placeholder"]) == (True, False)
    assert "country" not in entry.after  # it was DE before


def test_changes_only_what_is_given(nordlicht):
    update_seller(system(nordlicht), nordlicht.seller.id, now=NOW, **REAL)
    update_seller(system(nordlicht), nordlicht.seller.id, now=NOW, directors="J. Petersen")

    kept = stored(nordlicht)
    assert (kept.directors, kept.city) == ("J. Petersen", "Kiel")
    assert entries(nordlicht)[-1].after == {"directors": "J. Petersen"}


def test_writes_nothing_when_nothing_changes(nordlicht):
    for _turn in range(2):
        update_seller(system(nordlicht), nordlicht.seller.id, now=NOW, **REAL)

    assert len(entries(nordlicht)) == 1


@pytest.mark.parametrize(
    "missing",
    [
        {"line1": "TEST-Straße 1"},
        {"city": "TEST"},
        {"vat_id": ""},
        {"iban": ""},
        {"iban": PLACEHOLDER_IBAN},
    ],
)
def test_stays_a_placeholder_while_something_is_not_real(nordlicht, missing):
    seller = update_seller(system(nordlicht), nordlicht.seller.id, now=NOW, **{**REAL, **missing})

    assert seller.is_placeholder


def test_takes_a_tax_number_instead_of_a_vat_id(nordlicht):
    values = {**REAL, "vat_id": "", "tax_number": "20/123/45678"}

    seller = update_seller(system(nordlicht), nordlicht.seller.id, now=NOW, **values)

    assert not seller.is_placeholder


def test_does_not_take_a_company_called_testo_for_a_placeholder(nordlicht):
    values = {**REAL, "name": "TESTO SE"}

    assert not update_seller(
        system(nordlicht), nordlicht.seller.id, now=NOW, **values
    ).is_placeholder


def test_brings_the_rates_of_another_country(nordlicht):
    values = {**REAL, "country": "at", "vat_id": "ATU13585627"}

    update_seller(system(nordlicht), nordlicht.seller.id, now=NOW, **values)

    with scope(nordlicht.tenant.id):
        rates = TaxRate.objects.filter(tax_class="standard", valid_to=None)
        assert [rate.percent for rate in rates] == [20]


@pytest.mark.parametrize(
    ("changes", "fields"),
    [
        ({"name": " "}, ["/name"]),
        ({"line1": ""}, ["/line1"]),
        ({"city": ""}, ["/city"]),
        ({"country": ""}, ["/country"]),
        ({"country": "XX"}, ["/country"]),
        ({"vat_id": "DE123456789"}, ["/vat_id"]),
        ({"vat_id": "ATU13585627"}, ["/vat_id"]),
        ({"vat_id": "TEST"}, ["/vat_id"]),
        ({"country": "AT"}, ["/vat_id"]),
        ({"iban": "DE89370400440532013001"}, ["/iban"]),
        ({"bic": "NOPE"}, ["/bic"]),
        ({"email": "nobody"}, ["/email"]),
        ({"name": "x" * 201}, ["/name"]),
        ({"directors": "A\x00"}, ["/directors"]),
        ({"city": "", "iban": "1"}, ["/city", "/iban"]),
    ],
)
def test_refuses_what_cannot_be_printed(nordlicht, changes, fields):
    update_seller(system(nordlicht), nordlicht.seller.id, now=NOW, **REAL)

    with pytest.raises(InvalidSeller) as refused:
        update_seller(system(nordlicht), nordlicht.seller.id, now=NOW, **changes)

    assert [error.pointer for error in refused.value.errors] == fields
    assert stored(nordlicht).city == "Kiel"
    assert len(entries(nordlicht)) == 1


@pytest.mark.parametrize("role", [role for role in StaffRole.values if role != "owner"])
def test_is_for_owners_alone(nordlicht, role):
    actor = Actor(
        nordlicht.tenant.id, "person", role, "dashboard", staff_role=role, today=date(2026, 11, 23)
    )

    with pytest.raises(Forbidden):
        update_seller(actor, nordlicht.seller.id, now=NOW, **REAL)

    assert stored(nordlicht).city == "TEST"


def test_lets_the_owner_do_it(nordlicht):
    actor = Actor(
        nordlicht.tenant.id,
        "person",
        "Ole",
        "dashboard",
        staff_role="owner",
        today=date(2026, 11, 23),
    )

    assert update_seller(actor, nordlicht.seller.id, now=NOW, **REAL).city == "Kiel"


def test_does_not_find_another_tenants_seller(nordlicht):
    other = vendor("andere")

    with pytest.raises(NotFound):
        update_seller(system(nordlicht), other.seller.id, now=NOW, **REAL)

    assert stored(other).city == "TEST"
