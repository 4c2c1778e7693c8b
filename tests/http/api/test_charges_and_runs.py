"""Charges and billing runs over the API."""

from datetime import date

import pytest

from accounts.models import Account
from invoicing.models import BillingRun, Charge, Invoice, RunFamily
from tenancy import database
from tenancy.ids import public_id
from tenancy.models import AuditEntry
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
        "description": "Desk - seat",
        "po_number": "",
        "external_id": None,
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


def test_says_what_a_run_would_make_and_makes_nothing(api, nordlicht):
    with nordlicht.seen():
        before = [*BillingRun.objects.order_by("id").values()], Invoice.objects.count()
        charges, entries = Charge.objects.count(), AuditEntry.objects.count()

    answer = api.post("/api/v1/billing-runs?dry_run=true", {"date": "2027-01-01"})

    body = answer.json()
    assert answer.status_code == 200, body
    with nordlicht.seen():
        assert ([*BillingRun.objects.order_by("id").values()], Invoice.objects.count()) == before
        assert (Charge.objects.count(), AuditEntry.objects.count()) == (charges, entries)
    made = nordlicht.run("2027-01-01", issue=False)
    documents = nordlicht.documents(made.invoice_ids)
    nets = {one["currency"]: 0 for one in documents}
    for one in documents:
        nets[one["currency"]] += one["net_minor"]
    lines = [line for one in documents for section in one["sections"] for line in section["lines"]]
    assert len(documents) > 0
    assert body == {
        "dry_run": True,
        "date": "2027-01-01",
        "progress": {"done": 2, "total": 2},
        "documents": len(documents),
        "lines": len(lines),
        "accounts": body["accounts"],
        "held": body["held"],
        "too_large": 0,
        "sums": [{"currency": code, "net_minor": net} for code, net in sorted(nets.items())],
        "open_drafts": [],
        "next_cursor": None,
    }


def test_says_it_of_many_trees_in_parts(api, nordlicht, monkeypatch):
    url, body = "/api/v1/billing-runs?dry_run=true", {"date": "2027-01-01"}
    whole = api.post(url, body).json()
    monkeypatch.setattr("invoicing.queries.previewed_run.SECONDS", 0)
    monkeypatch.setattr("invoicing.queries.previewed_run.TREES_AT_ONCE", 1)

    first = api.post(url, body).json()

    assert first["progress"] == {"done": 1, "total": 2}
    further = f"{url}&cursor={first['next_cursor']}"
    assert api.post(further, body).json() == whole
    wrong = api.post(further, {"date": "2027-02-01"})
    assert (wrong.status_code, wrong.json()["errors"][0]["pointer"]) == (422, "/cursor")


def test_refuses_a_dry_run_as_it_refuses_the_run(api, nordlicht):
    for query, status in (("dry_run=true", 422), ("dry_run=yes", 422), ("dry_run=", 422)):
        answer = api.post(f"/api/v1/billing-runs?{query}", {"date": "1800-01-01"})
        assert answer.status_code == status, query
    answer = api.post("/api/v1/billing-runs?dry_run=true", {"date": "2026-11-30", "issue": True})
    assert answer.json()["code"] == "run_date_before_last_issue"


def test_with_four_eyes_the_key_that_started_a_run_does_not_approve_it(api, nordlicht, monkeypatch):
    monkeypatch.setattr("invoicing.tasks.work_on_run.delay", lambda **kwargs: None)
    nordlicht.change_tenant(four_eyes=True)
    run = api.post("/api/v1/billing-runs", {"date": "2027-01-01"}).json()
    with nordlicht.seen():
        nordlicht.work(BillingRun.objects.get(date="2027-01-01"))
    url = f"/api/v1/billing-runs/{run['id']}"
    digest = api.get(url).json()["drafts_digest"]
    with nordlicht.seen():
        drafts = [*Invoice.objects.filter(status__in=Invoice.UNISSUED)]
    assert len(drafts) > 0

    answers = [
        api.post(f"{url}/approval", {"drafts_digest": digest}),
        api.post(f"/api/v1/invoices/{drafts[0].public_id}/issuance", {}),
        api.post("/api/v1/billing-runs", {"date": "2027-01-01", "issue": True}),
        api.post("/api/v1/billing-runs?dry_run=true", {"date": "2027-01-01", "issue": True}),
    ]

    for answer in answers:
        assert (answer.status_code, answer.json()["code"]) == (403, "four_eyes")
    with nordlicht.seen():
        assert Invoice.objects.filter(status__in=Invoice.UNISSUED).count() == len(drafts)


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
