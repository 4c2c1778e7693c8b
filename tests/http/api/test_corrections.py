"""``POST /invoices/{id}/corrections``: what it takes, what it answers, what it refuses."""

import json
from datetime import UTC, datetime

import pytest

from invoicing.models import Invoice, InvoiceLine
from tenancy.ids import public_id, uuid7
from tests.http.api.test_invoices import NET, TAX


@pytest.fixture
def shop(nordlicht):
    """Set the clock to the middle of the month that the invoice is for."""
    nordlicht.change_tenant(test_clock_at=datetime(2026, 12, 15, 12, tzinfo=UTC))
    return nordlicht


@pytest.fixture
def invoice(shop):
    return shop.invoice_of("G")


def send(api, path, body, **headers):
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    data = json.dumps(body)
    return api._call("post", path, named, data=data, content_type="application/json")


def address(invoice, query=""):
    return f"/api/v1/invoices/{invoice.public_id}/corrections{query}"


def notes(shop):
    with shop.seen():
        return list(Invoice.objects.filter(kind="credit_note").order_by("series_number"))


def total(documents):
    return sum(one["gross_minor"] for one in documents)


def lines(shop, invoice):
    with shop.seen():
        return list(InvoiceLine.objects.filter(invoice=invoice).order_by("position"))


def test_takes_a_section_back(api, shop, invoice):
    body = {"section": "ext:A1", "reason": "Not delivered"}

    answer = api.post(address(invoice), body)

    assert answer.status_code == 201
    said, (note,) = answer.json(), notes(shop)
    assert answer.headers["Location"].endswith(f"/api/v1/invoices/{note.public_id}")
    net, tax = NET["A1"], TAX["A1"]
    account = {
        "id": shop.accounts["A1"].public_id,
        "external_id": "A1",
        "name": "Niederlassung Kiel",
    }
    assert said == {
        "credit_note": note.public_id,
        "number": "RK-2026-000001",
        "issue_date": "2026-12-15",
        "reason": "Not delivered",
        "currency": "EUR",
        "net_minor": -net,
        "tax_minor": -tax,
        "gross_minor": -net - tax,
        "tax": [{"category": "S", "rate": "19", "base_minor": -net, "tax_minor": -tax}],
        "sections": [
            {
                "account": account,
                "path": ["Nordhafen Spedition", "Niederlassung Kiel"],
                "net_minor": -net,
                "tax_minor": -tax,
                "gross_minor": -net - tax,
            }
        ],
        "credited_minor": net + tax,
        "balance_minor": 0,
        "invoice": {
            "id": invoice.public_id,
            "number": "RE-2026-000001",
            "status": "open",
            "open_minor": 6426 - net - tax,
            "credited_minor": net + tax,
            "corrected_minor": net + tax,
        },
    }


def test_documents_refer_to_each_other(api, shop, invoice):
    note_id = api.post(address(invoice), {"all": True, "reason": "Why"}).json()["credit_note"]

    note = api.get(f"/api/v1/invoices/{note_id}?expand=lines").json()
    found = api.get(f"/api/v1/invoices?corrects={invoice.public_id}").json()["data"]
    corrected = api.get(f"/api/v1/invoices/{invoice.public_id}").json()

    assert (note["kind"], note["status"], note["corrects"]) == (
        "credit_note", "issued", invoice.public_id,
    )  # fmt: skip
    assert (note["reason"], note["due_date"], note["open_minor"], note["run"]) == (
        "Why", None, 0, None,
    )  # fmt: skip
    said = [line for section in note["sections"] for line in section["lines"]]
    originals = {public_id("lin", line.pk): line for line in lines(shop, invoice)}
    assert {line["corrects"] for line in said} == {*originals}
    assert {line["charge"] for line in said} == {None}
    assert all(line["net_minor"] == -originals[line["corrects"]].net_minor for line in said)
    assert [one["id"] for one in found] == [note_id]
    assert (corrected["kind"], corrected["status"], corrected["corrected_minor"]) == (
        "invoice", "corrected", corrected["gross_minor"],
    )  # fmt: skip


def test_lists_tell_kinds_apart_and_simply_add_up(api, shop, invoice):
    before = api.get("/api/v1/invoices").json()["data"]
    api.post(address(invoice), {"all": True, "amount_minor": 100, "reason": "Why"})

    everything = api.get("/api/v1/invoices").json()["data"]
    kinds = {
        kind: api.get(f"/api/v1/invoices?kind={kind}").json()["data"]
        for kind in ("invoice", "credit_note")
    }

    assert total(everything) == total(before) - 119
    assert [one["number"] for one in kinds["credit_note"]] == ["RK-2026-000001"]
    assert len(everything) == len(kinds["invoice"]) + 1
    assert api.get("/api/v1/invoices?status=issued").json()["data"] == kinds["credit_note"]
    named = api.get("/api/v1/invoices?q=RE-2026-000001").json()["data"]
    assert {one["number"] for one in named} == {"RE-2026-000001", "RK-2026-000001"}
    assert api.get("/api/v1/invoices?corrects=inv_x").status_code == 422
    assert api.get("/api/v1/invoices?kind=other").status_code == 422


def test_a_dry_run_stores_nothing_and_says_the_same(api, shop, invoice):
    body = {"lines": [public_id("lin", lines(shop, invoice)[0].pk)], "reason": "Why"}

    foreseen = api.post(address(invoice, "?dry_run=true"), body)

    assert (foreseen.status_code, notes(shop)) == (200, [])
    made = api.post(address(invoice), body).json()
    said = foreseen.json()
    assert [said.pop(name) for name in ("credit_note", "number", "issue_date")] == [None] * 3
    before, after = said.pop("invoice"), made.pop("invoice")
    assert said == {name: made[name] for name in said}
    assert before["open_minor"] == 6426
    assert after["open_minor"] == 6426 + made["gross_minor"]


def test_the_same_request_twice_takes_back_once(api, shop, invoice):
    body = {"all": True, "amount_minor": 500, "reason": "Why"}

    first = send(api, address(invoice), body, idempotency_key="c-1")
    second = send(api, address(invoice), body, idempotency_key="c-1")
    other = send(api, address(invoice), body | {"amount_minor": 501}, idempotency_key="c-1")

    assert (first.status_code, second.status_code, other.status_code) == (201, 201, 422)
    assert second.headers["Idempotent-Replayed"] == "true"
    assert second.json() == first.json()
    assert len(notes(shop)) == 1


WRONG = {
    "nothing said": ({}, 422, "/reason"),
    "no scope": ({"reason": "Why"}, 422, "/all"),
    "two scopes": ({"all": True, "section": "ext:A", "reason": "Why"}, 422, "/section"),
    "no reason": ({"all": True, "reason": " "}, 422, "/reason"),
    "a long reason": ({"all": True, "reason": "x" * 10_000}, 422, "/reason"),
    "zero": ({"all": True, "amount_minor": 0, "reason": "Why"}, 422, "/amount_minor"),
    "negative": ({"all": True, "amount_minor": -1, "reason": "Why"}, 422, "/amount_minor"),
    "a fraction": ({"all": True, "amount_minor": 1.5, "reason": "Why"}, 422, "/amount_minor"),
    "huge": ({"all": True, "amount_minor": 2**70, "reason": "Why"}, 422, "/amount_minor"),
    "no account": ({"section": "ext:none", "reason": "Why"}, 422, "/section"),
    "another's account": ({"section": "ext:B", "reason": "Why"}, 422, "/section"),
    "no id": ({"lines": ["lin_x"], "reason": "Why"}, 422, "/lines/0"),
    "no line": ({"lines": [public_id("lin", uuid7())], "reason": "Why"}, 422, "/lines/0"),
    "no lines": ({"lines": [], "reason": "Why"}, 422, "/lines"),
    "all as a text": ({"all": "yes", "reason": "Why"}, 422, "/all"),
    "unknown member": ({"all": True, "note": "x", "reason": "Why"}, 422, "/note"),
}


@pytest.mark.parametrize("name", WRONG)
def test_refuses_and_says_where(api, shop, invoice, name):
    body, status, pointer = WRONG[name]

    answer = api.post(address(invoice), body)

    assert answer.status_code == status, answer.content
    assert pointer in [error["pointer"] for error in answer.json()["errors"]]
    assert notes(shop) == []


def test_refuses_more_than_is_left(api, shop, invoice):
    answer = api.post(address(invoice), {"all": True, "amount_minor": 5401, "reason": "Why"})

    assert (answer.status_code, answer.json()["code"]) == (409, "more_than_is_left")
    api.post(address(invoice), {"all": True, "reason": "Why"})
    again = api.post(address(invoice), {"all": True, "reason": "Why"})
    assert (again.status_code, again.json()["code"]) == (409, "nothing_left_to_correct")
    note = api.post(address(notes(shop)[0]), {"all": True, "reason": "Why"})
    assert (note.status_code, note.json()["code"]) == (409, "not_an_invoice")


def test_what_was_paid_is_credit_of_who_paid(api, caller, shop, invoice):
    path = "/api/v1/accounts/ext:G/credits"
    assert api.get(path).json() == {"data": []}
    with shop.seen():
        Invoice.objects.filter(pk=invoice.pk).update(paid_minor=6000, status="partly_paid")

    api.post(address(invoice), {"all": True, "amount_minor": 1000, "reason": "Why"})
    said = api.post(address(invoice), {"all": True, "amount_minor": 100, "reason": "Why"}).json()

    # 426 was open of it; 1,190 and 119 were taken back.
    assert (said["credited_minor"], said["balance_minor"]) == (0, 119)
    credit = {"currency": "EUR", "amount_minor": 1190 + 119 - 426}
    assert api.get(path).json() == {"data": [credit]}
    assert api.get("/api/v1/accounts/ext:A/credits").json() == {"data": []}
    assert api.get("/api/v1/accounts/ext:none/credits").status_code == 404


def test_an_old_tag_is_refused_and_a_good_one_is_spent(api, shop, invoice):
    tag = api.get(f"/api/v1/invoices/{invoice.public_id}").headers["ETag"]
    body = {"all": True, "amount_minor": 100, "reason": "Why"}

    first = send(api, address(invoice), body, if_match=tag)
    second = send(api, address(invoice), body, if_match=tag)

    assert (first.status_code, second.status_code) == (201, 412)
    assert len(notes(shop)) == 1
