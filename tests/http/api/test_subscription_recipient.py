"""``PATCH /subscriptions/{id}``: to whom one subscription is invoiced."""

import json

import pytest

from invoicing.models import ChangePlan
from subscriptions.models import EarlierRecipient, Subscription
from tests.http.api.test_refusals import assert_problem


@pytest.fixture
def patch(nordlicht, api):
    """Send a change of the subscription of A1."""
    with nordlicht.seen():
        found = Subscription.objects.get(account__external_id="A1").public_id

    def send(body, query="", **headers):
        url = f"/api/v1/subscriptions/{found}{query}"
        headers = {"Authorization": f"Bearer {api.secret}", **headers}
        data = body if isinstance(body, str) else json.dumps(body)
        return api.client.patch(url, data, content_type="application/json", headers=headers)

    return send


def stored(vendor):
    with vendor.seen():
        rows = Subscription.objects.order_by("pk").values_list("override_bill_to", "override_since")
        return list(rows), EarlierRecipient.objects.count(), ChangePlan.objects.count()


def test_a_dry_run_says_what_would_come_and_stores_nothing(nordlicht, patch):
    before = stored(nordlicht)

    answer = patch({"bill_to": "ext:A1"}, "?dry_run=true")

    assert answer.status_code == 200, answer.content
    preview = answer.json()["preview"]
    # A1 has three seats at 9.00 and 19 % tax; G and A have one and two.
    rows = {
        one["bill_to"]["external_id"]: (one["before_minor"], one["after_minor"])
        for one in preview["billing"]
    }
    assert rows == {"G": (6426, 3213), "A1": (0, 3213)}
    assert preview["bill_to"]["before"]["external_id"] == "G"
    assert stored(nordlicht) == before


def test_is_done_at_once_and_once(nordlicht, patch, api):
    answer = patch({"bill_to": "ext:A1"})
    assert (answer.status_code, answer.json()["bill_to"]["external_id"]) == (200, "A1")
    again = patch({"bill_to": "ext:A1"})
    assert (again.status_code, again.headers["ETag"]) == (200, answer.headers["ETag"])
    assert stored(nordlicht)[1:] == (1, 1)

    back = patch({"bill_to": None})
    assert (back.status_code, back.json()["bill_to"]) == (200, None)


def test_waits_for_its_day_as_a_plan(nordlicht, patch, api):
    wanted = {"bill_to": "ext:A", "effective_date": "2027-01-15"}
    answer = patch(wanted)

    body = answer.json()
    assert (answer.status_code, body["status"], body["kind"]) == (202, "scheduled", "subscription")
    assert answer.headers["Location"].endswith(f"/api/v1/change-plans/{body['id']}")
    assert (
        api.get(f"/api/v1/change-plans/{body['id']}")
        .json()["title"]
        .endswith("invoiced to Nordhafen Spedition")
    )
    assert_problem(patch(wanted), 409, "overlapping_plan")


def test_goes_by_what_was_seen(nordlicht, patch):
    before = stored(nordlicht)

    assert_problem(
        patch({"bill_to": "ext:A1"}, **{"If-Match": '"old"'}), 412, "precondition_failed"
    )
    assert_problem(
        patch({"bill_to": "ext:A1"}, "?dry_run=true", **{"If-Match": '"old"'}),
        412,
        "precondition_failed",
    )
    assert stored(nordlicht) == before


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({}, 422, "invalid_body"),
        ("{", 400, "malformed"),
        ({"bill_to": "ext:nobody"}, 422, "invalid_body"),
        ({"bill_to": 7}, 422, "invalid_body"),
        ({"bill_to": "ext:B"}, 422, "bill_to_outside_path"),
        ({"bill_to": "ext:A1", "effective_date": "2020-01-01"}, 422, "effective_date_past"),
        ({"bill_to": "ext:A1", "effective_date": "2199-01-01"}, 422, "effective_date_too_far"),
        ({"bill_to": "ext:A1", "po_number": "1"}, 422, "invalid_body"),
    ],
)
def test_refuses_what_makes_no_sense(nordlicht, patch, body, status, code):
    before = stored(nordlicht)

    answer = patch(body)

    assert answer.status_code == status, answer.content
    assert answer.json()["code"] == code
    assert stored(nordlicht) == before


def test_is_planned_as_any_other_change(nordlicht, api):
    with nordlicht.seen():
        found = Subscription.objects.get(account__external_id="A1").public_id
    wanted = {"kind": "subscription", "account": "ext:A1", "bill_to": "ext:A"}
    assert_problem(api.post("/api/v1/change-plans", wanted), 422, "invalid_body")
    wanted["subscription"] = "sub_nothing"
    assert_problem(api.post("/api/v1/change-plans", wanted), 422, "invalid_body")
    other = {"kind": "bill_to", "account": "ext:A1", "bill_to": "ext:A", "subscription": found}
    assert_problem(api.post("/api/v1/change-plans", other), 422, "invalid_body")

    made = api.post("/api/v1/change-plans", {**wanted, "subscription": found, "draft": True})

    assert (made.status_code, made.json()["status"]) == (201, "draft")
    wrong = {**wanted, "subscription": found, "account": "ext:A"}
    assert_problem(api.post("/api/v1/change-plans", wrong), 404, "not_found")


def test_what_is_paid_in_advance_is_credited_where_that_is_wanted(nordlicht, patch):
    body = {"bill_to": "ext:A1", "prepaid": "credit", "effective_date": "2026-12-12"}

    preview = patch(body, "?dry_run=true").json()["preview"]

    assert [
        (one["to"]["external_id"], one["charged_to"]["external_id"]) for one in preview["credits"]
    ] == [("G", "A1")]
