"""Invoices over the API: shapes, money, filters, partial views, explanations, files."""

import hashlib
from datetime import date

import pytest

from invoicing.models import Invoice, InvoiceLine, StoredDocument
from tenancy import database
from tenancy.ids import public_id
from tenancy.models import Tenant
from tests.http.api import world

# Seats at 9.00 for December: G 1, A 2, A1 3 on one invoice, B 4 on its own, S 5.
NET = {"G": 900, "A": 1800, "A1": 2700}
TAX = {"G": 171, "A": 342, "A1": 513}


@pytest.fixture
def invoice(nordlicht):
    return nordlicht.invoice_of("G")


def has_float(value):
    if isinstance(value, dict):
        return any(has_float(one) for one in value.values())
    if isinstance(value, list):
        return any(has_float(one) for one in value)
    return isinstance(value, float)


def test_shows_an_invoice(api, nordlicht, invoice):
    g = nordlicht.accounts["G"]
    reference = {"id": g.public_id, "external_id": "G", "name": "Nordhafen Gruppe"}

    body = api.get(f"/api/v1/invoices/{invoice.public_id}").json()

    assert body.pop("created_at").endswith("Z")
    assert body.pop("issued_at").endswith("Z")
    assert body.pop("content_hash") == invoice.content_hash != ""
    assert body == {
        "id": invoice.public_id,
        "number": "RE-2026-000001",
        "kind": "invoice",
        "corrects": None,
        "reason": "",
        "status": "open",
        "partial": False,
        "bill_to": reference,
        "recipient_name": "Nordhafen Gruppe",
        "payer": reference,
        "seller": public_id("sel", invoice.seller_id),
        "run": public_id("run", invoice.run_id),
        "currency": "EUR",
        "issue_date": "2026-12-01",
        "due_date": "2026-12-31",
        "period": {"start": "2026-12-01", "end": "2027-01-01"},
        "net_minor": 5400,
        "tax_minor": 1026,
        "gross_minor": 6426,
        "paid_minor": 0,
        "credited_minor": 0,
        "corrected_minor": 0,
        "open_minor": 6426,
        "po_number": "",
        "tax": [{"category": "S", "rate": "19", "base_minor": 5400, "tax_minor": 1026}],
    }


def test_expands_sections_and_lines(api, nordlicht, invoice):
    path = f"/api/v1/invoices/{invoice.public_id}"

    plain = api.get(f"{path}?expand=sections").json()["sections"]
    body = api.get(f"{path}?expand=sections,lines").json()
    assert api.get(f"{path}?expand=lines").json() == body

    assert [one["account"]["external_id"] for one in plain] == ["G", "A", "A1"]
    assert not any("lines" in one for one in plain)
    section = body["sections"][2]
    line = section.pop("lines")[0]
    assert section == {
        "account": {
            "id": nordlicht.accounts["A1"].public_id,
            "external_id": "A1",
            "name": "Niederlassung Kiel",
        },
        "path": ["Nordhafen Spedition", "Niederlassung Kiel"],
        "cost_centre": "",
        "po_number": "",
        "net_minor": NET["A1"],
        "tax_minor": TAX["A1"],
        "gross_minor": NET["A1"] + TAX["A1"],
    }
    assert line.pop("id").startswith("lin_")
    assert line.pop("subscription").startswith("sub_")
    assert line.pop("charge").startswith("chg_")
    assert line == {
        "description": "Desk - seat",
        "quantity": "3",
        "unit_amount": "9",
        "period": {"start": "2026-12-01", "end": "2027-01-01"},
        "net_minor": 2700,
        "corrects": None,
        "tax_category": "S",
        "tax_rate": "19",
    }
    assert sum(one["gross_minor"] for one in body["sections"]) == body["gross_minor"]
    assert not has_float(body)


def test_expands_nothing_else(api, invoice):
    answer = api.get(f"/api/v1/invoices/{invoice.public_id}?expand=sections,payments")

    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"] == "/expand"


def test_shows_a_section_alone_to_who_reaches_it_alone(nordlicht, caller, invoice):
    limited = caller(nordlicht.key(reach="A1"))
    path = f"/api/v1/invoices/{invoice.public_id}"

    listed = limited.get("/api/v1/invoices").json()["data"]
    body = limited.get(f"{path}?expand=lines").json()

    assert [one["id"] for one in listed] == [invoice.public_id]
    for one in (listed[0], body):
        assert one["partial"] is True
        assert (one["payer"], one["paid_minor"], one["open_minor"]) == (None, None, None)
        assert (one["status"], one["due_date"], one["run"], one["po_number"]) == (None,) * 3 + ("",)
        assert one["recipient_name"] == "Nordhafen Gruppe"
        assert one["bill_to"]["external_id"] is None
        assert (one["net_minor"], one["tax_minor"], one["gross_minor"]) == (2700, 513, 3213)
    assert body["tax"] == []
    assert [one["account"]["external_id"] for one in body["sections"]] == ["A1"]
    assert body["sections"][0]["path"] == ["Niederlassung Kiel"]
    assert [one["net_minor"] for one in body["sections"][0]["lines"]] == [2700]
    assert limited.get(f"{path}/pdf").status_code == 403


def test_explains_to_who_reaches_it_alone_only_the_own_lines(nordlicht, caller, invoice):
    limited = caller(nordlicht.key(reach="A1"))
    with database.scope(nordlicht.id):
        lines = {
            line.section.account.external_id: line.public_id
            for line in InvoiceLine.objects.filter(invoice=invoice).select_related(
                "section__account"
            )
        }

    own = limited.get(f"/api/v1/lines/{lines['A1']}/explanation")
    others = limited.get(f"/api/v1/lines/{lines['A']}/explanation")

    assert own.status_code == 200
    assert "payer" not in [step["rule"] for step in own.json()["steps"]]
    assert others.status_code == 404


def test_explains_a_line(api, nordlicht, invoice):
    g = {"id": nordlicht.accounts["G"].public_id, "name": "Nordhafen Gruppe"}
    lines = api.get(f"/api/v1/invoices/{invoice.public_id}?expand=lines").json()["sections"]

    body = api.get(f"/api/v1/lines/{lines[2]['lines'][0]['id']}/explanation").json()

    steps = {step["rule"]: (step["inputs"], step["result"]) for step in body["steps"]}
    price = steps["price"][0]["price"]
    assert list(steps) == [
        *("price", "anchor", "proration", "bill_to", "payer", "invoice_on"),
        *("consolidation", "tax"),
    ]
    assert (price["name"], price["unit_amount"], steps["price"][0]["quantity"]) == (
        "Desk - seat",
        "9",
        "3",
    )
    assert steps["price"][1] == {"full_amount": "27", "currency": "EUR"}
    assert steps["anchor"] == (
        {"rule": "billing_day", "day": 1, "month": None, "start": None, "decided_by": g},
        {"full_period": {"start": "2026-12-01", "end": "2027-01-01"}},
    )
    assert steps["proration"][0]["days"] == steps["proration"][0]["full_days"] == 31
    assert steps["proration"][1] == {"net_minor": 2700, "currency": "EUR"}
    assert steps["bill_to"][1] == steps["payer"][1].get("bill_to", steps["bill_to"][1])
    assert steps["bill_to"] == ({"decided_by": None}, {"bill_to": g})
    assert steps["payer"] == ({"decided_by": None}, {"payer": g})
    assert steps["invoice_on"][1] == {"invoice_on": "2026-12-01", "run_date": "2026-12-01"}
    assert steps["consolidation"] == (
        {"apart": [], "po_number": None, "currency": "EUR"},
        {"code": "consolidated", "problem": None},
    )
    assert steps["tax"] == (
        {
            "reason": "domestic",
            "seller_country": "DE",
            "buyer_country": "DE",
            "buyer_territory": "",
            "decided_on": "2026-12-31",
            "valid_from": "2021-01-01",
            "valid_to": None,
        },
        {"category": "S", "rate": "19"},
    )
    assert body["sentence"] == (
        "It was due on 1 Dec 2026 and goes to Nordhafen Gruppe, the top of the company,"
        " on one invoice with everything else due by 1 Dec 2026."
    )
    assert not has_float(body)


@pytest.mark.parametrize(
    ("query", "bill_tos"),
    [
        ("", ["B", "G", "S"]),
        ("in=ext:A", ["G"]),
        ("in=ext:G", ["B", "G"]),
        ("bill_to=ext:B", ["B"]),
        ("payer=ext:G", ["G"]),
        ("status=open", ["B", "G", "S"]),
        ("status=to_approve", []),
        ("status=due_soon", []),
        ("status=overdue", []),
        ("currency=EUR", ["B", "G", "S"]),
        ("currency=USD", []),
        ("q=baltic", ["B"]),
        ("q=000001", ["G"]),
    ],
)
def test_filters(api, query, bill_tos):
    rows = api.get(f"/api/v1/invoices?{query}").json()["data"]

    assert sorted(row["bill_to"]["external_id"] for row in rows) == bill_tos
    assert not has_float(rows)


def test_filters_by_run(api, invoice):
    run = public_id("run", invoice.run_id)

    assert len(api.get(f"/api/v1/invoices?run={run}").json()["data"]) == 3


@pytest.mark.parametrize(
    ("today", "status", "count"),
    [
        (date(2026, 12, 23), "due_soon", 0),
        (date(2026, 12, 24), "due_soon", 3),
        (date(2026, 12, 31), "due_soon", 3),
        (date(2026, 12, 31), "overdue", 0),
        (date(2027, 1, 1), "due_soon", 0),
        (date(2027, 1, 1), "overdue", 3),
    ],
)
def test_tells_overdue_and_due_soon_by_the_tenants_clock(nordlicht, api, today, status, count):
    with database.scope(nordlicht.id):
        Tenant.objects.update(test_clock_at=f"{today.isoformat()}T12:00:00Z")

    assert len(api.get(f"/api/v1/invoices?status={status}").json()["data"]) == count


@pytest.mark.parametrize("status", ["draft", "void"])
def test_has_no_invoice_of_a_status_that_is_agreed_on_for_later(nordlicht, api, status):
    assert api.get(f"/api/v1/invoices?status={status}").json()["data"] == []


@pytest.mark.parametrize("status", ["extract", "late"])
def test_refuses_a_status_that_no_invoice_can_have(nordlicht, api, status):
    answer = api.get(f"/api/v1/invoices?status={status}")

    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, "/status")


def test_counts_nothing_paid_as_overdue(nordlicht, api, invoice):
    with database.scope(nordlicht.id):
        Invoice.objects.filter(pk=invoice.pk).update(status="paid", paid_minor=6426)
        Tenant.objects.update(test_clock_at="2027-06-01T12:00:00Z")

    rows = api.get("/api/v1/invoices?status=overdue").json()["data"]

    assert sorted(row["bill_to"]["external_id"] for row in rows) == ["B", "S"]
    assert api.get("/api/v1/invoices?status=paid").json()["data"][0]["open_minor"] == 0


def test_shows_drafts_first_and_without_number(nordlicht, api):
    world.bill(nordlicht, issue=False, run_date=date(2027, 1, 1))

    rows = api.get("/api/v1/invoices").json()["data"]

    assert [row["status"] for row in rows] == ["to_approve"] * 3 + ["open"] * 3
    for row in rows[:3]:
        assert (row["number"], row["issue_date"], row["open_minor"]) == (None, None, 0)


def test_hands_out_the_stored_file(nordlicht, api, invoice):
    content = b"%PDF-1.7 the bytes of a test"
    with database.scope(nordlicht.id):
        StoredDocument.objects.create(
            tenant=nordlicht.tenant,
            invoice=invoice,
            kind="pdf",
            file_name="RE-2026-000001.pdf",
            content=content,
            sha256=hashlib.sha256(content).hexdigest(),
            created_at=world.NOW,
        )

    answer = api.get(f"/api/v1/invoices/{invoice.public_id}/pdf", Accept="application/pdf")

    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "application/pdf"
    assert answer.headers["Content-Disposition"] == 'attachment; filename="RE-2026-000001.pdf"'
    assert answer.content == content
