"""``POST /subscriptions/{id}/changes``: today is 10 December 2026; December is billed."""

import json

import pytest

from invoicing.models import Charge
from subscriptions.models import EarlierTerms, Item, Subscription
from tests.http.api.test_refusals import assert_problem
from tests.world import price


@pytest.fixture
def change(nordlicht, api):
    """Send a change of the subscription of A1: three seats at nine euros."""
    with nordlicht.seen():
        found = Subscription.objects.get(account__external_id="A1").public_id

    def send(body, query="", **headers):
        url = f"/api/v1/subscriptions/{found}/changes{query}"
        headers = {"Authorization": f"Bearer {api.secret}", **headers}
        data = body if isinstance(body, str) else json.dumps(body)
        return api.client.post(url, data, content_type="application/json", headers=headers)

    return send


def stored(vendor):
    with vendor.seen():
        return (
            list(Item.objects.order_by("pk").values()),
            EarlierTerms.objects.count(),
            Charge.objects.count(),
        )


def test_a_dry_run_says_exactly_the_charges_that_a_change_makes(nordlicht, change, api):
    body = {"effective": "now", "items": [{"quantity": "5"}]}
    before = stored(nordlicht)

    dry = change(body, "?dry_run=true")

    assert dry.status_code == 200, dry.content
    assert stored(nordlicht) == before
    done = change(body)
    assert done.status_code == 200, done.content
    names = ("kind", "period", "due_date", "invoice_on", "net_minor", "currency", "status")
    said, made = (
        [{name: charge[name] for name in names} for charge in answer.json()["charges"]]
        for answer in (dry, done)
    )
    assert said == made
    # 22 of 31 days: 27.00 becomes 45.00.
    assert [(charge["kind"], charge["net_minor"]) for charge in made] == [
        ("credit", -1916), ("recurring", 3194)
    ]  # fmt: skip
    listed = api.get("/api/v1/charges?status=pending").json()["data"]
    assert {charge["id"] for charge in listed} >= {one["id"] for one in done.json()["charges"]}
    assert done.json()["effective_date"] == "2026-12-10"
    assert done.json()["subscription"]["mrr_minor"] == 4500
    assert done.json()["subscription"]["items"][0]["quantity"] == "5"


def test_a_credit_says_what_it_takes_back_of(change):
    done = change({"effective": "2026-12-10", "items": [{"quantity": "5"}]}).json()

    steps = {step["rule"]: step for step in done["charges"][0]["calculation"]}
    assert "proration" not in steps
    assert steps["credit"]["inputs"]["net_minor"] == 2700
    assert steps["credit"]["inputs"]["unused"] == {"start": "2026-12-10", "end": "2027-01-01"}
    assert steps["credit"]["result"] == {"net_minor": -1916, "currency": "EUR"}


def test_without_a_day_it_holds_from_the_next_period_on(change):
    done = change({"items": [{"quantity": "5"}]}).json()

    assert (done["effective_date"], done["charges"]) == ("2027-01-01", [])
    assert done["subscription"]["mrr_minor"] == 2700
    assert done["subscription"]["items"][0]["quantity"] == "3"


def test_bill_now_is_due_today(change):
    body = {"effective": "now", "items": [{"quantity": "5"}], "bill_now": True}

    charges = change(body).json()["charges"]

    assert {charge["invoice_on"] for charge in charges} == {"2026-12-10"}


def test_only_what_was_seen_is_changed(nordlicht, change, api):
    with nordlicht.seen():
        found = Subscription.objects.get(account__external_id="A1").public_id
    tag = api.get(f"/api/v1/subscriptions/{found}").headers["ETag"]
    assert change({"items": [{"quantity": "5"}]}, **{"If-Match": tag}).status_code == 200
    change({"effective": "now", "items": [{"quantity": "6"}]})
    there = stored(nordlicht)

    late = change({"items": [{"quantity": "7"}]}, **{"If-Match": tag})

    assert_problem(late, 412, "precondition_failed")
    assert stored(nordlicht) == there


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({}, 422, "invalid_body"),
        ({"items": [{"quantity": "-1"}]}, 422, "invalid_change"),
        ({"items": [{"quantity": "NaN"}]}, 422, "invalid_body"),
        ({"items": [{"price": "ext:nothing"}]}, 422, "invalid_body"),
        ({"items": [{"id": "itm_0", "quantity": "2"}]}, 422, "invalid_body"),
        ({"items": [{"quantity": "2"}, {"quantity": "3"}]}, 422, "invalid_change"),
        ({"items": [{"quantity": "2"}], "effective": "soon"}, 422, "invalid_body"),
        ({"items": [{"quantity": "2"}], "effective": "1999-01-01"}, 422, "change_before_start"),
        ({"items": [{"quantity": "3"}]}, 422, "nothing_to_change"),
        ({"items": []}, 422, "nothing_to_change"),
    ],
)
def test_refuses_what_cannot_be_and_changes_nothing(nordlicht, change, body, status, code):
    before = stored(nordlicht)

    assert_problem(change(body), status, code)

    assert stored(nordlicht) == before


@pytest.fixture
def act(nordlicht, api):
    """Send something to an address of the subscription of A1: three seats, 27.00 a month."""
    with nordlicht.seen():
        found = Subscription.objects.get(account__external_id="A1").public_id

    def send(path, body, **headers):
        url = f"/api/v1/subscriptions/{found}/{path}"
        headers = {"Authorization": f"Bearer {api.secret}", **headers}
        return api.client.post(
            url, json.dumps(body), content_type="application/json", headers=headers
        )

    return send


def test_pauses_and_goes_on(nordlicht, act):
    """22 and 12 of 31 days of 27.00."""
    dry = act("pause?dry_run=true", {"effective": "now"})
    assert not stored(nordlicht)[1]
    paused = act("pause", {"effective": "now"}).json()
    again = act("pause", {"effective": "2026-12-20"})
    on = act("resumption", {"effective": "2026-12-20"}).json()

    assert [one["net_minor"] for one in dry.json()["charges"]] == [-1916]
    assert [one["net_minor"] for one in paused["charges"]] == [-1916]
    assert (paused["subscription"]["status"], paused["subscription"]["mrr_minor"]) == ("paused", 0)
    assert_problem(again, 409, "already_paused")
    assert [(one["kind"], one["net_minor"]) for one in on["charges"]] == [("recurring", 1045)]
    assert on["effective_date"] == "2026-12-20"


def test_an_item_comes_in_and_goes(nordlicht, act):
    """10.00 a month from today on, 22 of 31 days; gone on the 21st, 11 of them are not used."""
    nordlicht.has("prices", price("extra", "10", tax_rate=19))
    came = act("changes", {"effective": "now", "items": [{"price": "ext:extra", "added": True}]})
    assert came.status_code == 200, came.content
    items = came.json()["subscription"]["items"]
    extra = next(one["id"] for one in items if one["name"] == "Extra")
    went = act("changes", {"effective": "2026-12-21", "items": [{"id": extra, "removed": True}]})

    assert [one["net_minor"] for one in came.json()["charges"]] == [710]
    assert [one["net_minor"] for one in went.json()["charges"]] == [-355]
    assert len(items) == 2


@pytest.mark.parametrize(
    ("path", "body", "status", "code"),
    [
        ("changes", {"items": [{"added": True}]}, 422, "invalid"),
        ("changes", {"items": [{"price": "ext:no", "added": True}]}, 422, "not_found"),
        ("changes", {"items": [{"removed": True}]}, 422, "no_item_left"),
        ("changes", {"items": [{"removed": "perhaps"}]}, 422, "invalid"),
        ("pause", {"effective": "soon"}, 422, "invalid"),
        ("pause", {"effective": "now", "until": "2026-12-10"}, 422, "pause_ends_before_start"),
        ("pause", {"effective": "now", "until": "2026-13-10"}, 422, "invalid"),
        ("pause", {"effective": "2025-01-01"}, 422, "change_before_start"),
        ("pause", {"bill_now": 1e400}, 400, None),
        ("resumption", {}, 409, "not_paused"),
        ("resumption", {"effective": "period_end"}, 422, "invalid"),
    ],
)
def test_refuses_what_cannot_be_in_its_life(nordlicht, act, path, body, status, code):
    before = stored(nordlicht)

    answer = act(path, body)

    assert answer.status_code == status, answer.content
    codes = [answer.json()["code"], *(one["code"] for one in answer.json().get("errors") or ())]
    assert code is None or code in codes
    assert stored(nordlicht) == before


def test_a_trial_is_asked_for_in_days(nordlicht, api):
    body = {
        "account": "ext:A1",
        "items": [{"price": nordlicht_price(nordlicht)}],
        "start_date": "2026-12-10",
        "trial_days": 14,
    }
    made = api.post("/api/v1/subscriptions", body)
    wrong = api.post("/api/v1/subscriptions", {**body, "trial_days": 0})

    assert made.status_code == 201, made.content
    assert (made.json()["trial_end"], made.json()["status"]) == ("2026-12-24", "trialing")
    assert made.json()["mrr_minor"] == 0
    assert wrong.status_code in (400, 422)


def nordlicht_price(vendor):
    with vendor.seen():
        return Item.objects.first().price.public_id
