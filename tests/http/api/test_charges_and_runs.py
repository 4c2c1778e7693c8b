"""Charges and billing runs over the API."""

from datetime import date

import pytest

from accounts.models import Account
from invoicing.models import BillingRun, Invoice, RunFamily
from tenancy import database
from tenancy.ids import public_id
from tests.http.api import world
from tests.world import subscription


def test_lists_charges_with_why_they_are_where_they_are(api, nordlicht):
    invoice = nordlicht.invoice_of("B")

    row = api.get("/api/v1/charges?in=ext:B").json()["data"][0]

    assert row.pop("id").startswith("chg_")
    assert row.pop("subscription").startswith("sub_")
    assert row.pop("line").startswith("lin_")
    steps = [step["rule"] for step in row.pop("calculation")]
    assert steps[:3] == ["price", "anchor", "proration"]
    assert row == {
        "account": {
            "id": nordlicht.accounts["B"].public_id,
            "external_id": "B",
            "name": "Baltic Lager",
        },
        "kind": "recurring",
        "status": "invoiced",
        "period": {"start": "2026-12-01", "end": "2027-01-01"},
        "due_date": "2026-12-01",
        "invoice_on": "2026-12-01",
        "currency": "EUR",
        "net_minor": 3600,
        "held": False,
        "held_until": None,
        "invoice": public_id("inv", invoice.id),
        "reason": "It was due on 1 Dec 2026 and stands on Baltic Lager's own invoice,"
        " with everything else due by 1 Dec 2026.",
    }


@pytest.mark.parametrize(
    ("query", "accounts"),
    [
        ("", ["A", "A1", "B", "G", "S"]),
        ("in=ext:A", ["A", "A1"]),
        ("status=invoiced", ["A", "A1", "B", "G", "S"]),
        ("status=pending", []),
        ("in=ext:S&status=invoiced", ["S"]),
    ],
)
def test_filters_charges(api, query, accounts):
    rows = api.get(f"/api/v1/charges?{query}").json()["data"]

    assert sorted(row["account"]["external_id"] for row in rows) == accounts


def test_shows_charges_in_reach_and_not_who_pays(nordlicht, caller):
    rows = caller(nordlicht.key(reach="A")).get("/api/v1/charges").json()["data"]

    assert sorted(row["account"]["external_id"] for row in rows) == ["A", "A1"]
    for row in rows:
        assert "payer" not in [step["rule"] for step in row["calculation"]]


def test_lists_runs(api):
    rows = api.get("/api/v1/billing-runs").json()["data"]

    assert [(row["date"], row["status"], row["started_by"]) for row in rows] == [
        ("2026-12-01", "done", "system")
    ]


def test_shows_a_run(api, nordlicht):
    run = public_id("run", nordlicht.invoice_of("G").run_id)

    body = api.get(f"/api/v1/billing-runs/{run}").json()

    assert (body["id"], body["date"], body["status"]) == (run, "2026-12-01", "done")
    assert body["progress"] == {"done": 2, "total": 2}
    assert body["documents"] == [
        {"status": "open", "currency": "EUR", "count": 3, "gross_minor": 6426 + 4284 + 5355}
    ]
    assert [one["code"] for one in body["problems"]] == []


def test_says_what_was_left_out(nordlicht, api):
    with database.scope(nordlicht.id):
        Account.objects.filter(external_id="B").update(country="")
    world.bill(nordlicht, run_date=date(2027, 1, 1))
    newest = api.get("/api/v1/billing-runs").json()["data"][0]["id"]

    body = api.get(f"/api/v1/billing-runs/{newest}").json()

    (one,) = [one for one in body["problems"] if one["severity"] == "problem"]
    assert (one["code"], one["account"]["external_id"]) == ("bill_to_incomplete", "B")
    assert "Baltic Lager" in one["detail"]


def test_opens_a_run_and_nudges_who_works_on_it(
    api, nordlicht, monkeypatch, django_capture_on_commit_callbacks
):
    nudges = []
    monkeypatch.setattr("invoicing.tasks.work_on_run.delay", lambda **kwargs: nudges.append(kwargs))

    with django_capture_on_commit_callbacks(execute=True):
        answer = api.post("/api/v1/billing-runs", {"date": "2027-01-01", "issue": True})

    body = answer.json()
    assert answer.status_code == 202, body
    assert answer.headers["Location"].endswith(f"/api/v1/billing-runs/{body['id']}")
    assert (body["date"], body["status"]) == ("2027-01-01", "issuing")
    assert body["progress"] == {"done": 0, "total": 2}
    assert body["started_by"].startswith("First key")
    with database.scope(nordlicht.id):
        run = BillingRun.objects.get(date="2027-01-01")
        assert RunFamily.objects.filter(run=run, issues=True).count() == 2
    assert nudges == [{"tenant_id": str(nordlicht.id), "run_id": str(run.id)}]


def test_opens_a_run_though_nobody_can_be_nudged(
    api, nordlicht, monkeypatch, django_capture_on_commit_callbacks
):
    def lost(**kwargs):
        raise ConnectionError

    monkeypatch.setattr("invoicing.tasks.work_on_run.delay", lost)

    with django_capture_on_commit_callbacks(execute=True):
        answer = api.post("/api/v1/billing-runs", {"date": "2027-01-01"})

    assert answer.status_code == 202
    with database.scope(nordlicht.id):
        assert BillingRun.objects.filter(date="2027-01-01").exists()


def test_joins_the_run_of_the_same_date(api, nordlicht, monkeypatch):
    monkeypatch.setattr("invoicing.tasks.work_on_run.delay", lambda **kwargs: None)

    first, second = (
        api.post("/api/v1/billing-runs", {"date": "2027-01-01"}).json() for _ in range(2)
    )

    assert first["id"] == second["id"]


def test_opens_a_run_for_a_subtree(api, nordlicht, monkeypatch):
    monkeypatch.setattr("invoicing.tasks.work_on_run.delay", lambda **kwargs: None)

    body = api.post("/api/v1/billing-runs", {"date": "2027-01-01", "in": "ext:A"}).json()

    assert body["progress"] == {"done": 0, "total": 1}


def test_keeps_nothing_of_what_it_refuses(api, nordlicht):
    with database.scope(nordlicht.id):
        before = Invoice.objects.count(), BillingRun.objects.count()

    answer = api.post("/api/v1/billing-runs", {"date": "2026-11-30", "issue": True})

    assert answer.json()["code"] == "run_date_before_last_issue"
    with database.scope(nordlicht.id):
        assert (Invoice.objects.count(), BillingRun.objects.count()) == before


def test_compares_each_recipient_with_its_previous_document(nordlicht, caller):
    with nordlicht.seen():
        first = BillingRun.objects.order_by("date")[0]
    body = caller(nordlicht.secret).get(f"/api/v1/billing-runs/{first.public_id}").json()
    assert body["comparison"] is None
    assert body["history"][-1]["action"] == "run.requested"

    nordlicht.has("subscriptions", subscription("more", "S", "desk", "2027-01-01", 5))
    run = nordlicht.run("2027-01-01").run
    body = caller(nordlicht.secret).get(f"/api/v1/billing-runs/{run.public_id}").json()

    solo = nordlicht.accounts["S"]
    assert body["comparison"] == {
        "new": 0,
        "gone": 0,
        "changed": 1,
        "top": [
            {
                "account": {"id": solo.public_id, "external_id": "S", "name": "Solo GmbH"},
                "currency": "EUR",
                "before_minor": 4500,
                "after_minor": 9000,
                "before_on": "2026-12-01",
            }
        ],
    }
