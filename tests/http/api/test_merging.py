"""``POST /accounts/{id}/merge``: a duplicate goes up in another account."""

import pytest

from accounts.access import Action
from accounts.models import Account
from invoicing.models import ChangePlan
from tests.http.api.test_refusals import assert_problem
from tests.scenes import scene
from tests.world import account, price, subscription


@scene
def shop(vendor):
    vendor.has(
        "accounts",
        account("K", billing_day=1),
        account("D", billing_day=1),
        account("D1", "D"),
    )
    vendor.has("prices", price("ten", "10", tax_rate=19))
    vendor.has("subscriptions", subscription("S1", "D", "ten", "2026-12-01"))
    return vendor


def unchanged(shop):
    with shop.seen():
        return (
            not ChangePlan.objects.exists()
            and not Account.objects.filter(status="archived").exists()
        )


@pytest.fixture
def api(shop, caller):
    return caller(shop.api_key)


def test_answers_what_would_come_of_it_and_stores_nothing(shop, api):
    answer = api.post("/api/v1/accounts/ext:D/merge?dry_run=true", {"into": "ext:K"})

    assert answer.status_code == 200
    preview = answer.json()["preview"]
    assert preview["merge"]["into"]["external_id"] == "K"
    assert [one["external_id"] for one in preview["merge"]["children"]] == ["D1"]
    rows = {r["bill_to"]["external_id"]: r["after_minor"] for r in preview["billing"]}
    assert rows == {"D": 0, "K": 1190}
    assert unchanged(shop)


def test_merges_and_says_where_the_duplicate_went(shop, api):
    answer = api.post("/api/v1/accounts/ext:D/merge", {"into": "ext:K"})

    assert answer.status_code == 201
    plan, kept = answer.json(), api.get("/api/v1/accounts/ext:K").json()
    assert (plan["kind"], plan["status"]) == ("merge", "applied")
    assert plan["parameters"]["into"] == kept["id"]
    old = api.get("/api/v1/accounts/ext:D").json()
    assert (old["status"], old["merged_into"]) == ("archived", kept["id"])
    assert (kept["status"], kept["merged_into"]) == ("active", None)
    assert [one["name"] for one in old["path"]] == ["K", "D"]
    sold = api.get("/api/v1/subscriptions?in=ext:K").json()["data"]
    assert [(s["external_id"], s["account"]["external_id"]) for s in sold] == [("S1", "K")]
    assert_problem(
        api.post("/api/v1/accounts/ext:D/merge", {"into": "ext:K"}), 409, "account_merged"
    )
    assert_problem(api.post("/api/v1/accounts/ext:D/reopening", {}), 409, "account_merged")
    reversal = api.post(f"/api/v1/change-plans/{plan['id']}/reversal", {})
    assert_problem(reversal, 409, "merge_not_reversible")


def test_waits_for_its_day_as_a_draft_or_scheduled(shop, api):
    body = {"into": "ext:K", "effective_date": "2026-12-15"}

    draft = api.post("/api/v1/accounts/ext:D/merge", {**body, "draft": True}).json()
    assert draft["status"] == "draft"
    later = api.post("/api/v1/change-plans", {"kind": "merge", "account": "ext:D", **body}).json()
    assert later["status"] == "scheduled"
    second = api.post("/api/v1/accounts/ext:D/merge", {"into": "ext:K"})
    assert_problem(second, 409, "cannot_merge")


@pytest.mark.parametrize(
    ("key", "body", "status", "code"),
    [
        ("D", {}, 422, "invalid_body"),
        ("D", {"into": None}, 422, "invalid_body"),
        ("D", {"into": "ext:nobody"}, 422, "invalid_body"),
        ("D", {"into": "ext:D"}, 422, "same_account"),
        ("D", {"into": "ext:D1"}, 409, "kept_account_below"),
        ("nobody", {"into": "ext:K"}, 404, "not_found"),
        ("D", {"into": "ext:K", "effective_date": "2020-01-01"}, 422, "effective_date_past"),
    ],
)
def test_refuses_and_changes_nothing(shop, api, key, body, status, code):
    assert_problem(api.post(f"/api/v1/accounts/ext:{key}/merge", body), status, code)
    assert unchanged(shop)


@pytest.mark.parametrize(
    "missing",
    [Action.EDIT_SETTINGS, Action.EDIT_ACCOUNT, Action.EDIT_PEOPLE, Action.EDIT_SUBSCRIPTION],
)
def test_needs_every_right_that_it_takes(nordlicht, caller, missing):
    key = caller(nordlicht.key(scopes=[one for one in Action if one != missing]))

    answer = key.post("/api/v1/accounts/ext:B/merge", {"into": "ext:S"})

    assert answer.status_code == 403
    assert unchanged(nordlicht)
