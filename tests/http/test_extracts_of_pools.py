"""Who reaches a member of a pool alone learns its own share: on documents, pages and by the API."""

import hashlib
import re
from datetime import UTC, date, datetime
from decimal import Decimal
from http import HTTPStatus
from pathlib import Path

import pytest
from django.conf import settings
from django.test import Client

from accounts.access import Action
from accounts.models import ApiKey, Person
from invoicing.models import Charge, Invoice, InvoiceLine, InvoiceSection
from invoicing.operations.pools.beginning import NewPool, begin_pool
from subscriptions.models import Item, Meter, Price, Subscription
from subscriptions.operations.catalogue.meters import NewMeter, create_meter
from subscriptions.operations.usage import NewUsage, report_usage
from tenancy.ids import public_id, uuid7
from tests.http.test_extracts import ROUTES, filled, texts, written_amount
from tests.integration.invoicing.test_pool_moves import moved
from tests.scenes import scene
from tests.world import NOW, account, price, subscription

OWN, OTHERS = 1_000, 7_654_321
FIRST = date(2026, 12, 1)
# The recipient, and what an own line is called, an extract says.
CANARIES = {"Kanamid", "Kananext", "S-NEXT"}
CANARIES |= {form.format(n) for n in (OTHERS, OWN + OTHERS) for form in ("{}", "{:,}")}
CANARIES |= {f"{n:,}".replace(",", ".") for n in (OTHERS, OWN + OTHERS)}


@scene
def planted(vendor):
    vendor.has(
        "accounts",
        account("root", name="Kanaroot", legal_name="Kanaroot", billing_day=1),
        account("mid", "root", name="Kanamid", legal_name="Kanamid"),
        account("leaf", "mid", name="Leaf", legal_name="Leaf"),
        account("next", "mid", name="Kananext", legal_name="Kananext"),
    )
    create_meter(vendor.actor, NewMeter("calls", "Calls", "sum"), now=NOW)
    metered = {"model": "graduated", "timing": "arrears", "meter": "calls", "tax_rate": 19}
    vendor.has(
        "prices",
        price("own", name="Calls of Leaf", tiers="inf:0.10:0", **metered),
        price("scheme", name="Kanascheme", tiers="2000000:0.10:0|inf:0.05:0", **metered),
    )
    vendor.has(
        "subscriptions",
        subscription("S-OWN", "leaf", "own", f"{FIRST}"),
        subscription("S-NEXT", "next", "own", f"{FIRST}"),
    )
    with vendor.seen():
        key = Price.objects.get(external_id="scheme").pk
    pool = begin_pool(
        vendor.actor, vendor.id_of("mid"), NewPool(key, FIRST), today=FIRST, now=NOW
    ).pool
    for number, (of, used) in enumerate((("S-OWN", OWN), ("S-NEXT", OTHERS))):
        for month in (12, 1):
            at = datetime(2026 + (month == 1), month, 5, 12, tzinfo=UTC)
            one = NewUsage(f"e{number}-{month}", f"ext:{of}", "ext:calls", Decimal(used), at)
            report_usage(vendor.actor, [one], today=date(2027, 2, 1), now=NOW)
    vendor.run("2027-01-01")
    vendor.change_tenant(test_clock_at=datetime(2027, 1, 20, 12, tzinfo=UTC))
    return vendor, pool


def clients(vendor, at):
    """Return a person and a key that reach an account and what is below it."""
    Path(settings.STATIC_ROOT).mkdir(parents=True, exist_ok=True)
    reader, secret = vendor.customer("Lena", "admin", at), f"sk_test_{uuid7().hex}"
    with vendor.seen():
        ApiKey.objects.create(
            tenant_id=vendor.tenant_id,
            name="Key",
            prefix=secret[:16],
            digest=hashlib.sha256(secret.encode()).hexdigest(),
            scopes=[str(action) for action in Action],
            reach_id=vendor.id_of(at),
        )
    person, key = Client(), Client(headers={"authorization": f"Bearer {secret}"})
    person.force_login(Person.objects.get(pk=str(reader.person_id)))
    return {"person": person, "key": key}


def names_of(vendor, pool):
    with vendor.seen():
        return {
            "account": [public_id("acc", vendor.id_of(key)) for key in ("leaf", "next", "mid")],
            "invoice": [one.public_id for one in Invoice.objects.all()],
            "line": [one.public_id for one in InvoiceLine.objects.all()],
            "charge": [one.public_id for one in Charge.objects.all()],
            "subscription": [one.public_id for one in Subscription.objects.all()],
            "item": [one.public_id for one in Item.objects.all()],
            "meter": [one.public_id for one in Meter.objects.all()],
            "price": [one.public_id for one in Price.objects.filter(external_id="own")],
            "position": ["1", "2"],
            "pool": [pool.public_id],
        }


def withheld(vendor):
    with vendor.seen():
        others = InvoiceSection.objects.exclude(account_id=vendor.id_of("leaf"))
        amounts = [one for row in others for one in (row.net_minor, row.tax_minor, row.gross_minor)]
        amounts += [one.net_minor for one in Invoice.objects.all()]
    return CANARIES | {text for amount in amounts for text in written_amount(amount)}


def share_of(vendor):
    with vendor.seen():
        return InvoiceSection.objects.get(account_id=vendor.id_of("leaf")).net_minor


@pytest.mark.parametrize("who", ["person", "key"])
def test_no_address_tells_what_others_of_a_pool_used_or_pay(planted, who):
    vendor, pool = planted
    client, names = clients(vendor, "leaf")[who], names_of(vendor, pool)
    canaries, answered = withheld(vendor), []
    for route in ROUTES:
        wanted = {
            name.rpartition(":")[2].removesuffix("_id") for name in re.findall(r"<([^>]+)>", route)
        }
        if not wanted <= names.keys():
            continue
        for url in filled(route, names):
            response = client.get(url, follow=True)
            text = texts(response)
            found = {one for one in canaries if one in text}
            # A number may stand in a longer one: ids, times.
            found = {one for one in found if _stands_alone(one, text)}
            assert not found, (url, found)
            if response.status_code == HTTPStatus.OK:
                answered.append(url)
    document = names["invoice"][0]
    assert any(document in url for url in answered)
    assert any("explanation" in url or "why" in url for url in answered)
    if who == "person":
        assert f"/portal/pools/{pool.public_id}/" in answered


def _stands_alone(text, within):
    return re.search(rf"(?<![\w.,-]){re.escape(text)}(?![\w])", within) is not None


def test_a_member_alone_sees_its_own_share(planted):
    vendor, pool = planted
    client = clients(vendor, "leaf")["person"]

    overview = client.get("/portal/").content.decode()
    listed = client.get("/portal/pools/").content.decode()
    page = client.get(f"/portal/pools/{pool.public_id}/").content.decode()

    assert 'href="/portal/pools/"' in overview
    assert "With others; you see your share" in listed
    assert "Calls" in listed
    assert "You see what your accounts used, and their share." in page
    assert "1,000" in page
    # As much was used in January so far: the share is that of December.
    assert f"€{share_of(vendor) / 100:.2f}" in page
    assert "Tier reached" not in page
    assert "Alone" not in page


def test_who_reaches_the_account_of_a_pool_sees_it_whole(planted):
    vendor, pool = planted
    both = clients(vendor, "mid")

    listed = both["person"].get("/portal/pools/").content.decode()
    page = both["person"].get(f"/portal/pools/{pool.public_id}/").content.decode()
    answer = both["key"].get(f"/api/v1/pools/{pool.public_id}")

    assert "Kanamid and below" in listed
    for text in ("Kanascheme", "7,655,321", "Tier reached", "2 of 2: above 2,000,000", "Kananext",
                 "S-NEXT", "€482,766.05"):  # fmt: skip
        assert text in page, text
    assert answer.json()["effect"]["net_minor"] == 48_276_605
    assert answer.json()["effect"]["others"] is None


def test_who_has_moved_out_of_sight_is_not_named(planted):
    """Its share stays in the sums."""
    vendor, pool = planted
    vendor.has("accounts", account("away", name="Kanaaway", legal_name="Kanaaway"))
    moved(vendor, "next", "away", "2027-01-19", "2027-01-15")
    both = clients(vendor, "mid")

    page = both["person"].get(f"/portal/pools/{pool.public_id}/").content.decode()
    effect = both["key"].get(f"/api/v1/pools/{pool.public_id}").json()["effect"]

    assert "Others" in page
    assert "Kananext" not in page
    assert "S-NEXT" not in page
    assert effect["others"]["count"] == 1
    assert effect["member_count"] == 2
    assert (
        sum(one["share_minor"] for one in effect["members"]) + effect["others"]["share_minor"]
        == effect["net_minor"]
    )


def test_others_see_nothing_of_it(planted):
    vendor, pool = planted
    vendor.has("accounts", account("firm", name="Firm", legal_name="Firm"))
    both = clients(vendor, "firm")

    assert both["person"].get(f"/portal/pools/{pool.public_id}/").status_code == 404
    assert both["key"].get(f"/api/v1/pools/{pool.public_id}").status_code == 404
    assert "Nothing is charged together" in both["person"].get("/portal/pools/").content.decode()
    assert 'href="/portal/pools/"' not in both["person"].get("/portal/").content.decode()


def test_staff_are_led_to_the_dashboard(planted):
    vendor, pool = planted
    staff = Client()
    alice = vendor.staff("Alice", "owner")
    staff.force_login(Person.objects.get(pk=str(alice.person_id)))

    assert staff.get("/portal/pools/").url == "/customers/"
    mid = public_id("acc", vendor.id_of("mid"))
    led = staff.get(f"/portal/pools/{pool.public_id}/").url
    assert led == f"/customers/{mid}/pools/{pool.public_id}/"
