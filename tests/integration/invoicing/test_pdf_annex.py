"""The annex: every line of an invoice as CSV."""

import csv

import pytest

from invoicing.documents import annex
from invoicing.documents.annex import COLUMNS, get_annex
from invoicing.documents.making import get_pdf
from tenancy.errors import Forbidden, NotFound
from tests.scenes import scene
from tests.world import NOW, TODAY, account, price, subscription


@scene
def invoice_id(vendor):
    vendor.has(
        "accounts",
        account("C", cost_centre="=K-1", po_number="4500"),
        account("C-1", "C", name="Nord, „Süd“", legal_name=""),
    )
    vendor.has("prices", price("desk", "9.00", name="=HYPERLINK(1)", model="per_unit"))
    vendor.has(
        "subscriptions",
        subscription("S1", "C", "desk", "2026-11-16"),
        subscription("S2", "C-1", "desk", "2026-11-01", "2.5"),
    )
    (found,) = vendor.run("2026-11-23").invoice_ids
    return found


def pieces(actor, invoice_id):
    return get_annex(actor, invoice_id, today=TODAY).pieces


def read(text):
    whole = "".join(text)
    assert whole.startswith("\ufeff")
    return list(csv.DictReader(whole.removeprefix("\ufeff").splitlines(), delimiter=";"))


def test_is_named_as_the_document(vendor, invoice_id):
    name = get_annex(vendor.actor, invoice_id, today=TODAY).file_name

    assert name == get_pdf(vendor.actor, invoice_id, now=NOW).file_name.replace(".pdf", ".csv")


def test_lists_every_line(vendor, invoice_id):
    rows = read(pieces(vendor.actor, invoice_id))

    assert list(rows[0]) == list(COLUMNS)
    assert [{name: row[name] for name in COLUMNS if not name.endswith("_id")} for row in rows] == [
        {
            "invoice": "RE-2026-000001",
            "position": "1",
            "customer_number": "C",
            "account": "C",
            "account_path": "C",
            "cost_centre": "'=K-1",
            "po_number": "4500",
            "description": "'=HYPERLINK(1)",
            "period_start": "16.11.2026",
            "period_end": "16.12.2026",
            "quantity": "1",
            "unit_amount": "9",
            "net": "9,00",
            "currency": "EUR",
            "tax_category": "S",
            "tax_rate": "19",
        },
        {
            "invoice": "RE-2026-000001",
            "position": "2",
            "customer_number": "C-1",
            "account": "Nord, „Süd“",
            "account_path": "Nord, „Süd“",
            "cost_centre": "'=K-1",
            "po_number": "4500",
            "description": "'=HYPERLINK(1)",
            "period_start": "01.11.2026",
            "period_end": "01.12.2026",
            "quantity": "2,5",
            "unit_amount": "9",
            "net": "22,50",
            "currency": "EUR",
            "tax_category": "S",
            "tax_rate": "19",
        },
    ]


def test_reads_piece_by_piece(vendor, invoice_id, monkeypatch):
    whole = "".join(pieces(vendor.actor, invoice_id))

    monkeypatch.setattr(annex, "_CHUNK", 1)
    some = list(pieces(vendor.actor, invoice_id))

    assert len(some) == 3
    assert "".join(some) == whole


def test_is_for_those_who_see_the_whole_invoice(vendor, invoice_id, bob, charlie):
    assert len(read(pieces(bob("C"), invoice_id))) == 2
    with pytest.raises(Forbidden):
        pieces(bob("C-1"), invoice_id)
    with pytest.raises(NotFound):
        pieces(charlie, invoice_id)
