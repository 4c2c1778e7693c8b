"""``PATCH /accounts/{id}/settings``: changed, planned, tried, refused."""

import hashlib
import json
from datetime import date

import pytest
from django.test import Client

from accounts.access import Action
from accounts.models import ApiKey, Seller, SettingInterval
from invoicing.queries import foreseeing
from tests.scenes import scene
from tests.world import account, price, subscription


@scene
def shop(vendor):
    vendor.has(
        "accounts",
        account("T", payment_terms_days=30),
        account("D", "T"),
        account("E", "D", payment_terms_days=7),
        account("O"),
    )
    return vendor


@pytest.fixture
def caller(shop):
    return Client(headers={"authorization": f"Bearer {shop.api_key}"})


def patch(caller, key, *, query="", tag=None, **body):
    headers = {} if tag is None else {"if-match": tag}
    return caller.patch(
        f"/api/v1/accounts/ext:{key}/settings{query}",
        json.dumps(body),
        content_type="application/json",
        headers=headers,
    )


def settings(caller, key, day=""):
    query = f"?as_of={day}" if day else ""
    return caller.get(f"/api/v1/accounts/ext:{key}/settings{query}").json()


def rows(shop):
    with shop.seen():
        return sorted(map(str, SettingInterval.objects.values_list()))


def public(shop, caller, key):
    return caller.get(f"/api/v1/accounts/ext:{key}").json()["id"]


def test_sets_and_answers_what_holds_then(shop, caller):
    answer = patch(caller, "D", payment_terms_days=45, bill_to="ext:D", split_by_po=True)

    assert answer.status_code == 200
    here = public(shop, caller, "D")
    assert answer.json()["payment_terms_days"] == {
        "value": 45, "source": "own", "from": here, "locked": False,
    }  # fmt: skip
    assert answer.json()["bill_to"]["value"] == here
    assert settings(caller, "E")["bill_to"] == {
        "value": here, "source": "inherited", "from": here, "locked": False,
    }  # fmt: skip

    again = patch(caller, "D", payment_terms_days=None, bill_to=None)
    assert again.json()["payment_terms_days"]["source"] == "inherited"
    assert again.json()["bill_to"]["value"] == public(shop, caller, "T")


def test_sets_the_seller(shop, caller):
    with shop.seen():
        seller = Seller.objects.get().public_id

    assert patch(caller, "D", seller=seller).json()["seller"]["value"] == seller
    assert patch(caller, "D", seller="sel_x").status_code == 422


def test_answers_what_it_would_do_and_stores_nothing(shop, caller):
    before = rows(shop)
    answer = patch(caller, "D", query="?dry_run=true", payment_terms_days=45, bill_to="ext:D")

    assert answer.status_code == 200
    found = answer.json()
    by_name = {one["setting"]: one for one in found["changes"]}
    assert by_name["payment_terms_days"] == {
        "setting": "payment_terms_days",
        "before": {"value": 30, "source": "inherited"},
        "after": {"value": 45, "source": "own"},
        "accounts_following": 0,
        "accounts_keeping": 1,
        "accounts_below_those": 0,
        "accounts_changing": 1,
    }
    here, top = public(shop, caller, "D"), public(shop, caller, "T")
    assert found["rerouted"] == [
        {"setting": "bill_to", "before": top, "after": here, "accounts": 2}
    ]
    assert [one["code"] for one in found["warnings"]] == ["bill_to_not_contract_party"]
    assert rows(shop) == before


def test_names_the_invoices_that_would_differ_as_the_runs_then_make_them(shop, caller):
    shop.has("prices", price("p", "10.00"))
    shop.has("subscriptions", subscription("s", "T", "p", "2026-12-01"),
             subscription("t", "D", "p", "2026-12-01"))  # fmt: skip
    coming = patch(caller, "D", query="?dry_run=true", bill_to="ext:D").json()["next_invoices"]
    named = [
        (one["date"], one["bill_to"]["external_id"], one["before_minor"], one["after_minor"])
        for one in coming["changes"]
    ]

    assert (coming["until"], coming["more"], coming["not_computed"]) == ("2027-01-24", 0, None)
    assert named[:2] == [
        ("2026-12-01", "D", None, 1190),
        ("2026-12-01", "T", 2380, 1190),
    ]
    assert {one["currency"] for one in coming["changes"]} == {"EUR"}
    patch(caller, "D", bill_to="ext:D")
    made = shop.bills("2026-12-01", today=date(2026, 12, 1))
    assert sorted((one["bill_to"], one["gross_minor"]) for one in made) == [
        ("D", 1190), ("T", 1190)
    ]  # fmt: skip


def test_says_why_no_invoices_are_named(shop, caller, monkeypatch):
    def coming(**body):
        return patch(caller, "D", query="?dry_run=true", **body).json()["next_invoices"]

    far = coming(effective_date="2031-01-01", payment_terms_days=1)["not_computed"]
    assert far["code"] == "dates_too_far"
    assert coming(buyer_reference="1") == {
        "until": None, "changes": [], "more": 0, "not_computed": None,
    }  # fmt: skip
    monkeypatch.setattr(foreseeing, "MOST_ACCOUNTS", 2)
    assert coming(billing_day=1)["not_computed"]["code"] == "trees_too_large"


def test_plans_shows_and_recalls(shop, caller):
    day = "2026-12-24"
    assert patch(caller, "T", effective_date=day, billing_day=15).status_code == 200

    assert settings(caller, "E")["billing_day"]["value"] is None
    assert settings(caller, "E", day)["billing_day"]["value"] == 15
    url = "/api/v1/accounts/ext:T/settings"
    history = caller.get(f"{url}/history").json()["data"]
    assert history[0] == {
        "setting": "billing_day", "value": 15, "locked": False, "start": day, "end": None,
        "planned": True,
    }  # fmt: skip
    body = json.dumps({"setting": "billing_day", "effective_date": day})
    recalled = caller.post(f"{url}/recall", body, content_type="application/json")
    assert recalled.status_code == 200
    assert settings(caller, "E", day)["billing_day"]["value"] is None
    assert caller.get("/api/v1/accounts/ext:O/settings/history").json()["data"] == []
    gone = caller.post(f"{url}/recall", body, content_type="application/json")
    assert (gone.status_code, gone.json()["code"]) == (409, "nothing_planned")


def test_locks_and_unlocks(shop, caller):
    assert patch(caller, "T", lock=["payment_terms_days"]).status_code == 200
    assert settings(caller, "D")["payment_terms_days"]["locked"] is True
    assert settings(caller, "T")["payment_terms_days"]["locked"] is False
    refused = patch(caller, "D", payment_terms_days=1)
    assert (refused.status_code, refused.json()["code"]) == (409, "setting_locked")
    assert patch(caller, "T", unlock=["payment_terms_days"]).status_code == 200
    assert patch(caller, "D", payment_terms_days=1).status_code == 200


@pytest.mark.parametrize(
    ("body", "status", "code", "pointer"),
    [
        ({"billing_day": 32}, 422, "invalid_body", "/billing_day"),
        ({"billing_day": "1"}, 422, "invalid_body", "/billing_day"),
        ({"billing_day": True}, 422, "invalid_body", "/billing_day"),
        ({"currency": "eur"}, 422, "invalid_body", "/currency"),
        ({"po_number": "a\x00"}, 422, "invalid_body", "/po_number"),
        ({"invoice_recipients": [1]}, 422, "invalid_body", "/invoice_recipients"),
        ({"invoice_recipients": {"a": 1}}, 422, "invalid_body", "/invoice_recipients"),
        ({"nothing": 1}, 422, "invalid_body", "/nothing"),
        ({"lock": ["po_number"]}, 422, "invalid_body", "/lock"),
        ({"lock": "currency"}, 422, "invalid_body", "/lock"),
        ({"lock": [[]]}, 422, "invalid_body", "/lock"),
        ({"bill_to": "ext:nobody"}, 422, "invalid_body", "/bill_to"),
        ({"bill_to": "ext:E"}, 422, "bill_to_outside_path", "/bill_to"),
        ({"bill_to": "ext:O"}, 422, "bill_to_outside_path", "/bill_to"),
        ({"payer": "ext:O"}, 409, "payer_not_accepted", "/payer"),
        ({"effective_date": "2020-01-01", "billing_day": 1}, 422, "effective_date_passed",
         "/effective_date"),
        ({"effective_date": "2027-01-01", "time_zone": "Asia/Tokyo"}, 422, "not_schedulable", ""),
        ({"effective_date": "soon", "billing_day": 1}, 422, "invalid_body", "/effective_date"),
    ],
)  # fmt: skip
def test_refuses_by_code_and_place_and_changes_nothing(shop, caller, body, status, code, pointer):
    before = rows(shop)
    answer = patch(caller, "D", **body)

    assert (answer.status_code, answer.json()["code"]) == (status, code), answer.content
    assert [one["pointer"] for one in answer.json()["errors"]] == ([pointer] if pointer else [])
    assert rows(shop) == before


def test_what_was_seen_before_is_refused(shop, caller):
    url = "/api/v1/accounts/ext:D/settings"
    seen = caller.get(url).headers["ETag"]
    changed = patch(caller, "D", tag=seen, billing_day=1)

    assert changed.status_code == 200
    assert changed.headers["ETag"] == caller.get(url).headers["ETag"] != seen
    before = rows(shop)
    stale = patch(caller, "D", tag=seen, billing_day=2)
    assert (stale.status_code, stale.json()["code"]) == (412, "precondition_failed")
    assert rows(shop) == before


def test_a_key_of_a_subtree_changes_what_is_the_customers(shop):
    secret = "sk_test_" + "k" * 40
    with shop.seen():
        ApiKey.objects.create(
            tenant_id=shop.tenant_id,
            name="Customer",
            prefix=secret[:16],
            digest=hashlib.sha256(secret.encode()).hexdigest(),
            scopes=[action.value for action in Action],
            reach_id=shop.id_of("D"),
        )
    caller = Client(headers={"authorization": f"Bearer {secret}"})

    tried = patch(caller, "D", query="?dry_run=true", po_number="1")
    assert (tried.status_code, tried.json()["next_invoices"]) == (200, None)
    assert patch(caller, "D", po_number="1").status_code == 200
    assert patch(caller, "E", delivery="zugferd").status_code == 200
    assert patch(caller, "D", payment_terms_days=90).status_code == 403
    assert patch(caller, "T", po_number="1").status_code == 404


@pytest.mark.parametrize(
    "body", ["", "[]", "null", '"x"', '{"bill_to": {}}', '{"bill_to": 1e400}', '{"seller": []}']
)
def test_no_body_is_a_fault_of_ours(caller, body):
    answer = caller.patch("/api/v1/accounts/ext:D/settings", body, content_type="application/json")

    assert 400 <= answer.status_code < 500 or body == ""


def test_assigns_invoices_to_a_person_of_the_customer(shop, caller):
    """Who is a person of the customer is an account: foreseen, done, and refused to others."""
    shop.has("accounts", account("Eva", "D", kind="person", legal_name="Eva Muster"))
    shop.has("prices", price("ten", "10.00"))
    shop.has("subscriptions", subscription("S1", "Eva", "ten", "2027-01-01"))
    top, own = public(shop, caller, "T"), public(shop, caller, "Eva")
    before = settings(caller, "Eva")["bill_to"]
    assert before["value"] == top

    foreseen = patch(caller, "Eva", query="?dry_run=true", bill_to="ext:Eva").json()
    assert settings(caller, "Eva")["bill_to"] == before
    answer = patch(caller, "Eva", bill_to="ext:Eva")

    assert answer.status_code == 200, answer.content
    # Ten with 19 % tax, of which the head office keeps nothing.
    assert {
        (one["bill_to"]["id"], one["before_minor"], one["after_minor"])
        for one in foreseen["next_invoices"]["changes"]
    } == {(top, 1190, None), (own, None, 1190)}
    assert settings(caller, "Eva")["bill_to"]["value"] == own
    assert settings(caller, "D")["bill_to"]["value"] == top
    assert patch(caller, "D", bill_to="ext:Eva").status_code == 422
    assert settings(caller, "D")["bill_to"]["value"] == top
