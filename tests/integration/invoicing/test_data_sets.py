"""The two example customers are billed to the cent, line by line, as an oracle of their own says.

``tests/data/*/expected-*.json`` were computed apart from this code.
"""

import json
from decimal import Decimal

import pytest

from tests.world import DATA

CUSTOMERS = [("msp", "2026-12-01"), ("group", "2026-12-15")]

# The expected files leave open how umlauts sort; the stored sort key folds them (R26).
ORDER = "name_umlauts_folded"


def expected(customer, day):
    return json.loads((DATA / customer / f"expected-{day}.json").read_text("utf-8"))


@pytest.fixture(params=CUSTOMERS, ids=[name for name, _day in CUSTOMERS])
def billed(request, vendor):
    customer, day = request.param
    vendor.has_files(customer)
    report = vendor.run(day)
    return expected(customer, day), vendor.documents(report.invoice_ids), vendor, day


def test_issues_the_expected_documents(billed):
    wanted, documents, vendor, _day = billed

    facts = (
        "bill_to", "payer", "currency", "issue_date", "due_date",
        "net_minor", "tax_minor", "gross_minor",
    )  # fmt: skip
    by_key = {(d["bill_to"], d["currency"]): d for d in documents}
    assert len(by_key) == len(documents) == len(wanted["invoices"])
    for invoice in wanted["invoices"]:
        document = by_key[invoice["bill_to"], invoice["currency"]]
        assert {name: document[name] for name in facts} == {name: invoice[name] for name in facts}
        assert document["status"] == "open"
        assert [(c, Decimal(r), base, tax) for c, r, base, tax in document["tax"]] == [
            (t["category"], Decimal(t["rate"]), t["base_minor"], t["tax_minor"])
            for t in invoice["tax"]
        ]
    assert vendor.violations() == []


def test_issues_the_expected_sections_and_lines(billed):
    wanted, documents, _vendor, _day = billed

    by_key = {(d["bill_to"], d["currency"]): d for d in documents}
    for invoice in wanted["invoices"]:
        document = by_key[invoice["bill_to"], invoice["currency"]]
        assert {s["account"] for s in document["sections"]} == invoice["sections"].keys()
        for section in document["sections"]:
            oracle = invoice["sections"][section["account"]]
            sums = ("net_minor", "tax_minor", "gross_minor")
            assert {n: section[n] for n in sums} == {n: oracle[n] for n in sums}
            lines = [
                {name: value for name, value in line.items() if name in oracle["lines"][0]}
                for line in section["lines"]
            ]
            assert lines == sorted(oracle["lines"], key=lambda x: (x["subscription"], x["start"]))
        if tie := invoice["tax_tie"]:
            # Of equal fractions the first in the tree got the left-over cents.
            places = [section["account"] for section in document["sections"]]
            first = sorted(tie["accounts"], key=places.index)[: len(tie["got_the_cent"])]
            assert first == tie["got_the_cent"]


def test_numbers_documents_and_orders_sections_by_the_tree(billed):
    wanted, documents, _vendor, _day = billed

    assert [[d["bill_to"], d["currency"]] for d in documents] == wanted["invoice_order"][ORDER]
    assert [d["number"] for d in documents] == [
        f"RE-2026-{number:06d}" for number in range(1, len(documents) + 1)
    ]
    orders = {(i["bill_to"], i["currency"]): i["section_order"] for i in wanted["invoices"]}
    for document in documents:
        order = orders[document["bill_to"], document["currency"]]
        assert [section["account"] for section in document["sections"]] == order[ORDER]


def test_makes_nothing_when_run_again(billed):
    _wanted, documents, vendor, day = billed

    report = vendor.run(day)

    assert report.invoice_ids == []
    assert report.run.status == "done"
    assert vendor.documents() == documents


@pytest.mark.parametrize(("customer", "day"), CUSTOMERS)
def test_drafts_first_and_issues_the_same_later(vendor, customer, day):
    vendor.has_files(customer)

    drafted = vendor.run(day, issue=False)
    drafts = vendor.documents(drafted.invoice_ids)
    issued = vendor.run(day, issue=True)
    documents = vendor.documents(issued.invoice_ids)

    assert drafted.run.status == "to_approve"
    assert issued.run.status == "done"
    assert {(d["number"], d["status"], d["issue_date"]) for d in drafts} == {
        (None, "to_approve", None)
    }
    changing = {"number", "status", "issue_date", "due_date"}
    assert [{k: v for k, v in d.items() if k not in changing} for d in drafts] == [
        {k: v for k, v in d.items() if k not in changing} for d in documents
    ]
    assert [[d["bill_to"], d["currency"]] for d in documents] == expected(customer, day)[
        "invoice_order"
    ][ORDER]
    assert vendor.violations() == []
