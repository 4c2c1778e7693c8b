"""Meters and usage over the API."""

import json

import pytest
from django.test import Client

from subscriptions.models import UsageDay, UsageEvent
from subscriptions.operations.catalogue.meters import NewMeter, create_meter
from tests.scenes import scene
from tests.world import NOW, account, price, subscription

AT = "2026-11-05T10:00:00Z"


@scene
def shop(vendor):
    vendor.has("accounts", account("A", billing_day=1), account("B", time_zone="Asia/Tokyo"))
    create_meter(vendor.actor, NewMeter("calls", "Calls", "sum", "call"), now=NOW)
    create_meter(vendor.actor, NewMeter("users", "Users", "unique_count"), now=NOW)
    vendor.has(
        "prices",
        price("calls", "0.02", model="per_unit", timing="arrears", meter="calls", tax_rate=19),
        price("users", "3", model="per_unit", timing="arrears", meter="users", tax_rate=19),
    )
    vendor.has(
        "subscriptions",
        subscription("S", "A", "calls", "2026-11-01"),
        subscription("T", "B", "calls", "2026-11-01", end_date="2026-11-20"),
        subscription("U", "A", "users", "2026-11-01"),
    )
    return vendor


@pytest.fixture
def client(shop):
    return Client(HTTP_AUTHORIZATION=f"Bearer {shop.api_key}")


def event(key, quantity="1", of="S", meter="calls", at=AT, **more):
    return {"event_id": key, "subscription": f"ext:{of}", "meter": f"ext:{meter}",
            "quantity": quantity, "at": at, **more}  # fmt: skip


def send(client, body, query=""):
    return client.post(f"/api/v1/usage{query}", json.dumps(body), content_type="application/json")


def stored(shop):
    with shop.seen():
        return UsageEvent.objects.count(), UsageDay.objects.count()


def test_takes_one_event_or_a_list_and_lists_days(client, shop):
    one = send(client, event("e1", "2.5"))
    some = send(client, [event("e2", 4), event("e1", "2.5"), event("e3", of="T", at=AT)])

    assert (one.status_code, one.json()) == (
        200, {"accepted": 1, "duplicates": 0, "reused": []}
    )  # fmt: skip
    assert some.json() == {"accepted": 2, "duplicates": 1, "reused": []}
    answer = client.get("/api/v1/usage?in=ext:A&from=2026-11-01&to=2026-12-01&meter=ext:calls")
    assert [(row["day"], row["events"], row["quantity"]) for row in answer.json()["data"]] == [
        ("2026-11-05", 2, "6.5")
    ]


def test_counts_different_keys(client):
    send(client, [event(f"e{n}", of="U", meter="users", unique_key=f"u{n % 2}") for n in range(5)])

    [row] = client.get("/api/v1/usage?meter=ext:users").json()["data"]
    assert (row["events"], row["quantity"]) == (5, "2")


def test_a_day_is_that_of_the_account(client):
    send(client, [event("e1", of="T", at="2026-11-05T16:00:00Z"), event("e2", at=AT)])

    rows = client.get("/api/v1/usage").json()["data"]
    assert [row["day"] for row in rows] == ["2026-11-06", "2026-11-05"]


@pytest.mark.parametrize(
    ("wrong", "code", "pointer"),
    [
        ({"subscription": "ext:X"}, "unknown_subscription", "/1/subscription"),
        ({"subscription": "nonsense"}, "unknown_subscription", "/1/subscription"),
        ({"meter": "ext:X"}, "unknown_meter", "/1/meter"),
        ({"subscription": "ext:U"}, "meter_not_in_subscription", "/1/meter"),
        ({"quantity": "-1"}, "out_of_range", "/1/quantity"),
        ({"quantity": "NaN"}, "invalid", "/1/quantity"),
        ({"quantity": "1e400"}, "invalid", "/1/quantity"),
        ({"quantity": 1.5}, "invalid", "/1/quantity"),
        ({"quantity": True}, "invalid", "/1/quantity"),
        ({"quantity": "1234567890123"}, "out_of_range", "/1/quantity"),
        ({"quantity": "0.0000001"}, "out_of_range", "/1/quantity"),
        ({"at": "2026-11-05T10:00:00"}, "invalid", "/1/at"),
        ({"at": "2026-13-05T10:00:00Z"}, "invalid", "/1/at"),
        ({"at": "0001-01-01T00:00:00Z"}, "out_of_range", "/1/at"),
        ({"at": "2026-10-31T10:00:00Z"}, "before_subscription", "/1/at"),
        ({"at": "2026-11-25T10:00:00Z"}, "usage_in_future", "/1/at"),
        ({"subscription": "ext:T", "at": "2026-11-21T10:00:00Z"}, "after_subscription", "/1/at"),
        ({"event_id": ""}, "invalid", "/1/event_id"),
        ({"event_id": "x" * 201}, "invalid", "/1/event_id"),
        ({"event_id": "a\nb"}, "invalid", "/1/event_id"),
        ({"event_id": 7}, "invalid", "/1/event_id"),
        ({"unique_key": "k"}, "unique_key_not_allowed", "/1/unique_key"),
        ({"subscription": "ext:U", "meter": "ext:users"}, "unique_key_required", "/1/unique_key"),
        ({"colour": "red"}, "unknown_name", "/1/colour"),
    ],
)
def test_one_wrong_event_stores_none(client, shop, wrong, code, pointer):
    answer = send(client, [event("good"), {**event("bad"), **wrong}])

    assert answer.status_code == 422, answer.content
    assert (code, pointer) in {(one["code"], one["pointer"]) for one in answer.json()["errors"]}
    assert stored(shop) == (0, 0)


@pytest.mark.parametrize(
    "body", [[], "x", 7, None, [[]], [None], [event(f"e{n}") for n in range(1001)]]
)
def test_refuses_bodies_that_are_no_events(client, shop, body):
    assert send(client, body).status_code in (400, 422)
    assert stored(shop) == (0, 0)


def test_a_dry_run_stores_nothing(client, shop):
    assert send(client, event("e1"), "?dry_run=true").json()["accepted"] == 1
    assert stored(shop) == (0, 0)


def test_another_tenants_subscription_is_unknown(client, shop, other_vendor):
    other_vendor.has("accounts", account("A"))
    create_meter(other_vendor.actor, NewMeter("calls", "Calls", "sum"), now=NOW)
    other = Client(HTTP_AUTHORIZATION=f"Bearer {other_vendor.api_key}")
    [meter] = client.get("/api/v1/meters").json()["data"][:1]

    answer = send(other, {**event("e1"), "meter": meter["id"]})

    codes = {one["code"] for one in answer.json()["errors"]}
    assert codes == {"unknown_subscription", "unknown_meter"}


def test_a_meter_keeps_what_it_measures_once_a_price_names_it(client):
    def patch(**body):
        return client.patch(
            "/api/v1/meters/ext:calls", json.dumps(body), content_type="application/json"
        )

    assert patch(aggregation="max").json()["code"] == "meter_used"
    assert patch(name="Requests").json()["name"] == "Requests"


@pytest.mark.parametrize(
    ("terms", "code"),
    [
        ({"timing": "advance"}, "metered_in_arrears"),
        ({"model": "flat"}, "metered_by_quantity"),
        ({"meter": "ext:none"}, "not_found"),
    ],
)
def test_refuses_prices_that_cannot_be_metered(client, terms, code):
    [product] = client.get("/api/v1/products").json()["data"]
    body = {"product": product["id"], "model": "per_unit", "currency": "EUR", "unit_amount": "1",
            "interval": "month", "timing": "arrears", "meter": "ext:calls", **terms}  # fmt: skip

    answer = client.post("/api/v1/prices", json.dumps(body), content_type="application/json")

    assert answer.status_code == 422
    assert code in {one["code"] for one in answer.json()["errors"]}


def test_a_new_price_by_an_archived_meter_is_refused(client):
    client.post("/api/v1/meters/ext:calls/archival", content_type="application/json")
    [product] = client.get("/api/v1/products").json()["data"]
    body = {"product": product["id"], "model": "per_unit", "currency": "EUR", "unit_amount": "1",
            "interval": "month", "timing": "arrears", "meter": "ext:calls"}  # fmt: skip

    answer = client.post("/api/v1/prices", json.dumps(body), content_type="application/json")

    assert [one["code"] for one in answer.json()["errors"]] == ["meter_archived"]
    # What runs is reported as before.
    assert send(client, event("e1")).json()["accepted"] == 1
