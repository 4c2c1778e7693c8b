"""``POST /charges`` charges an account once; ``/charges/{id}`` shows it, and takes it back."""

import json

import pytest

from invoicing.models import Charge

BODY = {
    "account": "ext:B",
    "description": "Training",
    "quantity": "2.5",
    "unit_amount": "400",
    "currency": "EUR",
    "first_day": "2026-12-10",
    "last_day": "2026-12-11",
    "external_id": "N-1",
}


def count(vendor):
    with vendor.seen():
        return Charge.objects.filter(kind="one_off").count()


def test_charges_it_and_is_found(nordlicht, api):
    made = api.post("/api/v1/charges", BODY)

    assert made.status_code == 201, made.content
    body = made.json()
    assert made.headers["Location"].endswith(f"/api/v1/charges/{body['id']}")
    expected = {
        "kind": "one_off",
        "status": "pending",
        "description": "Training",
        "net_minor": 100_000,
        "subscription": None,
        "period": {"start": "2026-12-10", "end": "2026-12-12"},
        "external_id": "N-1",
        "invoice": None,
        "foreseen": None,
    }
    assert {name: body[name] for name in expected} == expected
    assert [step["rule"] for step in body["calculation"]][:2] == ["price", "rounding"]
    shown = api.get(f"/api/v1/charges/{body['id']}").json()
    assert shown == {name: value for name, value in body.items() if name != "foreseen"}
    listed = api.get("/api/v1/charges?kind=one_off&in=ext:B").json()["data"]
    assert [one["id"] for one in listed] == [body["id"]]


def test_sent_again_it_is_charged_once(nordlicht, api):
    first, again = api.post("/api/v1/charges", BODY), api.post("/api/v1/charges", BODY)
    other = api.post("/api/v1/charges", {**BODY, "quantity": "3"})

    assert (again.status_code, again.json()["id"]) == (200, first.json()["id"])
    assert (other.status_code, other.json()["code"]) == (409, "external_id_taken")
    assert count(nordlicht) == 1


def test_with_a_key_of_its_own_it_is_charged_once(nordlicht, api):
    body = {name: value for name, value in BODY.items() if name != "external_id"}
    headers = {"Authorization": f"Bearer {api.secret}", "Idempotency-Key": "k-1"}

    answers = [
        api.client.post("/api/v1/charges", json.dumps(body), content_type="application/json",
                        headers=headers)
        for _turn in range(2)
    ]  # fmt: skip

    assert [one.status_code for one in answers] == [201, 201]
    assert answers[0].json()["id"] == answers[1].json()["id"]
    assert count(nordlicht) == 1


def test_a_dry_run_says_where_it_would_come(nordlicht, api):
    dry = api.post("/api/v1/charges?dry_run=true", BODY)

    assert dry.status_code == 200, dry.content
    seen = dry.json()["foreseen"]
    assert (seen["invoice_date"], seen["tax_minor"], seen["waits_for"]) == (
        dry.json()["invoice_on"], 19_000, "",
    )  # fmt: skip
    assert seen["bill_to"]["external_id"] == "B"
    assert count(nordlicht) == 0


@pytest.mark.parametrize(
    ("values", "pointer"),
    [
        ({"quantity": 2.5}, "/quantity"),
        ({"quantity": "-1"}, "/quantity"),
        ({"unit_amount": "NaN"}, "/unit_amount"),
        ({"unit_amount": "1e400"}, "/unit_amount"),
        ({"unit_amount": "-0.01"}, "/unit_amount"),
        ({"first_day": "2026-02-30"}, "/first_day"),
        ({"price": "prc_none"}, "/price"),
        ({"subscription": "ext:none"}, "/subscription"),
        ({"account": "ext:none"}, "/account"),
        ({"currency": "EURO"}, "/currency"),
        ({"bill_now": "yes"}, "/bill_now"),
        ({"tax_class": "none"}, "/tax_class"),
        ({"account": None}, "/account"),
    ],
)
def test_names_what_is_wrong(nordlicht, api, values, pointer):
    answer = api.post("/api/v1/charges", {**BODY, **values})

    assert answer.status_code == 422, answer.content
    assert pointer in {error["pointer"] for error in answer.json()["errors"]}
    assert count(nordlicht) == 0


def test_is_taken_back_if_it_is_as_it_was_seen(nordlicht, api):
    made = api.post("/api/v1/charges", BODY).json()
    url = f"/api/v1/charges/{made['id']}"
    tag = api.get(url).headers["ETag"]

    def cancel(tag):
        headers = {"Authorization": f"Bearer {api.secret}", "if-match": tag}
        return api.client.post(
            f"{url}/cancellation", "{}", content_type="application/json", headers=headers
        )

    assert cancel('"old"').status_code == 412
    done = cancel(tag)

    assert (done.status_code, done.json()["id"]) == (200, made["id"])
    assert api.get(url).status_code == 404
    assert cancel("*").status_code == 404
    assert count(nordlicht) == 0


def test_what_follows_from_a_subscription_stays(nordlicht, api):
    listed = api.get("/api/v1/charges").json()["data"][0]

    answer = api.post(f"/api/v1/charges/{listed['id']}/cancellation", {})

    assert (answer.status_code, answer.json()["code"]) == (409, "charge_not_one_off")


def test_needs_the_right_to(nordlicht, caller):
    key = nordlicht.key(scopes=["charges:read", "invoices:read", "invoices:write"])

    answer = caller(key).post("/api/v1/charges", BODY)

    assert answer.status_code == 403
    assert count(nordlicht) == 0
