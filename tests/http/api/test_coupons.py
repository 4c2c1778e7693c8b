"""Coupons and discounts over the API: today is 10 December 2026; December is billed."""

import pytest

from subscriptions.models import Coupon, Discount, Price, Subscription
from tests.http.api.test_refusals import assert_problem

SPRING = {"code": "Spring", "name": "Spring offer", "percent": "10", "duration": "forever"}


@pytest.fixture
def spring(api):
    answer = api.post("/api/v1/coupons", SPRING)
    assert answer.status_code == 201, answer.content
    return answer.json()


@pytest.fixture
def url(nordlicht):
    with nordlicht.seen():
        found = Subscription.objects.get(account__external_id="A1").public_id
    return f"/api/v1/subscriptions/{found}"


def test_makes_a_coupon_and_lists_it(api, spring):
    assert spring["id"].startswith("cpn_")
    assert (spring["percent"], spring["amount"], spring["products"]) == ("10", None, [])
    [listed] = api.get("/api/v1/coupons").json()["data"]
    assert listed == {**spring, "redemptions": 0}
    assert api.get(f"/api/v1/coupons/{spring['id']}").json() == spring


def test_a_dry_run_makes_none(api, nordlicht):
    assert api.post("/api/v1/coupons?dry_run=true", SPRING).status_code == 200
    with nordlicht.seen():
        assert not Coupon.objects.exists()


@pytest.mark.parametrize(
    ("change", "code", "pointer"),
    [
        ({"percent": "NaN"}, "invalid_body", "/percent"),
        ({"percent": "101"}, "invalid_coupon", "/percent"),
        ({"percent": None}, "invalid_coupon", "/percent"),
        ({"duration": "ever"}, "invalid_body", "/duration"),
        ({"products": ["prd_x"]}, "invalid_body", "/products/0"),
        ({"code": " "}, "invalid_body", "/code"),
    ],
)
def test_refuses_what_cannot_be(api, change, code, pointer):
    answer = api.post("/api/v1/coupons", {**SPRING, **change})

    assert answer.status_code == 422, answer.content
    assert answer.json()["code"] == code
    assert [one["pointer"] for one in answer.json()["errors"]] == [pointer]


def test_a_code_is_taken_whatever_its_capitals(api, spring):
    answer = api.post("/api/v1/coupons", {**SPRING, "code": "SPRING"})

    assert_problem(answer, 409, "coupon_code_taken")


def test_is_redeemed_now_and_ended(api, nordlicht, spring, url):
    """A1 has three seats at nine euros, billed for December: 22 of 31 days are left."""
    dry = api.post(f"{url}/discounts?dry_run=true", {"coupon": "SPRING", "effective": "now"})
    with nordlicht.seen():
        assert not Discount.objects.exists()
    done = api.post(f"{url}/discounts", {"coupon": "SPRING", "effective": "now"})

    assert done.status_code == 200, done.content
    nets = [[one["net_minor"] for one in answer.json()["charges"]] for answer in (dry, done)]
    assert nets == [[-1916, 1725], [-1916, 1725]]
    assert done.json()["until"] is None
    body = done.json()["subscription"]
    assert body["mrr_minor"] == 2430
    discount = body["items"][0]["discount"]
    assert (discount["name"], discount["percent"]) == ("Spring offer", "10")
    [step] = [one for one in done.json()["charges"][1]["calculation"] if one["rule"] == "discount"]
    assert (step["inputs"]["before"], step["result"]["full_amount"]) == ("27", "24.3")

    [listed] = api.get(f"{url}/discounts").json()["data"]
    assert (listed["id"], listed["items"], listed["coupon"]) == (discount["id"], 1, spring["id"])
    over = api.post(f"/api/v1/discounts/{listed['id']}/ending", {"effective": "now"})
    assert [one["net_minor"] for one in over.json()["charges"]] == [-1725, 1916]
    again = api.post(f"/api/v1/discounts/{listed['id']}/ending", {"effective": "now"})
    assert_problem(again, 409, "discount_over")


def test_a_subscription_begins_with_it(api, nordlicht):
    api.post("/api/v1/coupons", {**SPRING, "duration": "once", "max_redemptions": 1})
    with nordlicht.seen():
        price = Price.objects.filter(currency="EUR").order_by("pk").first().public_id
    wanted = {"account": "ext:A1", "items": [{"price": price}], "start_date": "2026-12-10"}

    dry = api.post("/api/v1/subscriptions?dry_run=true", {**wanted, "coupon": "spring"})
    assert dry.json()["items"][0]["discount"]["name"] == "Spring offer"
    made = api.post("/api/v1/subscriptions", {**wanted, "coupon": "spring"})
    assert made.status_code == 201, made.content
    assert made.json()["mrr_minor"] == dry.json()["mrr_minor"]
    used_up = api.post("/api/v1/subscriptions", {**wanted, "coupon": "spring"})
    assert_problem(used_up, 409, "coupon_used_up")
    unknown = api.post("/api/v1/subscriptions", {**wanted, "coupon": "nothing"})
    assert_problem(unknown, 422, "unknown_coupon")


def test_an_archived_one_is_not_redeemed(api, spring, url):
    assert api.post(f"/api/v1/coupons/{spring['id']}/archival", {}).status_code == 200
    assert_problem(api.post(f"{url}/discounts", {"coupon": "spring"}), 409, "coupon_archived")
    assert api.post(f"/api/v1/coupons/{spring['id']}/reopening", {}).status_code == 200
    assert api.post(f"{url}/discounts", {"coupon": "spring"}).status_code == 200


def test_a_reader_gives_nothing(nordlicht, caller, spring, url):
    reader = caller(nordlicht.key(scopes=["subscriptions:read"]))

    assert_problem(reader.post(f"{url}/discounts", {"coupon": "spring"}), 403, "scope_missing")
    assert_problem(reader.post("/api/v1/coupons", SPRING), 403, "scope_missing")
