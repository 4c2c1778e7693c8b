"""When a tenant's days begin; and what is sold in another currency than the account has."""

from datetime import date

import pytest

from accounts.models import SettingInterval
from tenancy.models import AuditEntry, Tenant
from tests.http.dashboard.conftest import save
from tests.world import TODAY, account, subscription
from web.accounts import account_url

URL = "/settings/time-zone/"


def held(vendor):
    with vendor.seen():
        defaults = SettingInterval.objects.filter(account=None, name="time_zone")
        rows = defaults.order_by("valid_from").values_list("value", "valid_from", "valid_to")
        return Tenant.objects.get(pk=vendor.tenant_id).time_zone, list(rows)


def test_the_owner_chooses(vendor, visit):
    client = visit(vendor.staff("Olga", "owner"))
    assert '<option value="Europe/Berlin" selected>' in client.get(URL).content.decode()

    save(client, URL, {"time_zone": "Asia/Tokyo"})
    save(client, URL, {"time_zone": "Asia/Tokyo"})

    zone, defaults = held(vendor)
    assert (zone, [row[0] for row in defaults]) == ("Asia/Tokyo", ["Europe/Berlin", "Asia/Tokyo"])
    assert defaults[0][2] == defaults[1][1]
    assert defaults[1][2] is None
    with vendor.seen():
        (entry,) = AuditEntry.objects.filter(action="tenant.time_zone_changed")
        assert (entry.actor_label, entry.before, entry.after) == (
            "Olga",
            {"time_zone": "Europe/Berlin"},
            {"time_zone": "Asia/Tokyo"},
        )


@pytest.mark.parametrize("zone", ["", "Europe/Nowhere", "UTC\x00", "../etc/passwd"])
def test_refuses_what_is_none(vendor, visit, zone):
    before = held(vendor)

    answer = save(visit(vendor.staff("Olga", "owner")), URL, {"time_zone": zone})

    assert answer.status_code == 422
    assert held(vendor) == before


@pytest.mark.parametrize("role", ["finance_admin", "billing", "support", "auditor"])
def test_others_look_and_change_nothing(vendor, visit, role):
    before, client = held(vendor), visit(vendor.staff("Somebody", role))

    assert "disabled" in client.get(URL).content.decode()
    assert save(client, URL, {"time_zone": "Asia/Tokyo"}).status_code == 403
    assert held(vendor) == before


def test_bills_no_day_twice_when_the_clock_goes_back(vendor, visit):
    vendor.has("accounts", account("A", billing_day=1))
    vendor.load("prices", [_franc()])
    vendor.has("subscriptions", subscription("S", "A", "franc", "2026-12-01"))
    assert len(vendor.bills("2026-12-01")) == 1

    save(visit(vendor.staff("Olga", "owner")), URL, {"time_zone": "Pacific/Honolulu"})

    assert vendor.bills("2026-12-01") == []


def test_warns_of_prices_in_another_currency(vendor, alice, visit):
    vendor.has("accounts", account("A", currency="EUR"), account("B", currency="CHF"))
    vendor.load("prices", [_franc()])
    start = date(TODAY.year, TODAY.month, 1).isoformat()
    for key in ("A", "B"):
        vendor.has("subscriptions", subscription(f"S{key}", key, "franc", start))

    pages = [
        visit(alice).get(account_url(vendor.id_of(key))).content.decode() for key in ("A", "B")
    ]

    assert ["Priced in CHF, not in EUR" in page for page in pages] == [True, False]


def _franc():
    return {
        "external_id": "franc",
        "product": "Product",
        "name": "Franc",
        "model": "flat",
        "currency": "CHF",
        "unit_amount": "70.00",
        "interval": "month",
        "timing": "advance",
    }
