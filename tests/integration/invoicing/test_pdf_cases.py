"""Small customers whose documents are easily got wrong, on paper."""

import io

from pypdf import PdfReader

from invoicing.documents.making import get_pdf
from invoicing.models import Invoice
from tests.world import NOW, account, price, subscription


def text_of(content):
    pages = PdfReader(io.BytesIO(content)).pages
    return " ".join(" ".join(page.extract_text().split()) for page in pages)


def pages_of(vendor, case):
    """Bill a case and return its documents' pages as text, by the bill-to's customer number."""
    vendor.has_files(f"cases/{case}")
    report = vendor.run("2026-12-01")
    with vendor.seen():
        found = list(Invoice.objects.filter(pk__in=report.invoice_ids).select_related("bill_to"))
    return {
        invoice.bill_to.external_id: [
            " ".join(page.extract_text().split())
            for page in PdfReader(
                io.BytesIO(get_pdf(vendor.actor, invoice.pk, now=NOW).content)
            ).pages
        ]
        for invoice in found
    }


def test_two_clients_of_one_name_have_a_sum_each(vendor):
    (first, *_others) = pages_of(vendor, "same-names")["MSP"]

    assert "Müller GmbH (C1) mit Unterkonten 30,00" in first
    assert "Müller GmbH (C2) mit Unterkonten 120,00" in first
    assert "150,00" not in first
    assert "Summe netto 310,00 €" in first


def test_long_values_leave_everything_in_its_place(vendor):
    found = pages_of(vendor, "long-values")

    assert {key: len(pages) for key, pages in found.items()} == {"S": 1, "W": 1, "R": 1}
    for (page,) in found.values():
        for text in ("Rechnungsnummer RE-2026-", "Rechnungsdatum 01.12.2026", "01067 Dresden"):
            assert text in page
    (sku,) = found["S"]
    assert "123.456,123456" in sku
    assert "Rechnungsbetrag 2,45 €" in sku
    assert "\u2010" not in sku
    assert "P" * 100 in sku.replace(" ", "")
    (rightwards,) = found["R"]
    assert "50 GB" in rightwards
    assert "Rechnungsbetrag 11,90 €" in rightwards


def test_reverse_charge_is_said_once(vendor):
    (page,) = pages_of(vendor, "monaco")["FRid"]

    assert page.count("Steuerschuldnerschaft des Leistungsempfängers") == 1
    assert "DEUTSCHLAND" in page


def test_prints_what_a_price_says_it_counts(vendor):
    vendor.has("accounts", account("C"))
    counted = price("storage", "0.50", model="per_unit", unit="GB")
    vendor.has("prices", counted)
    # A file without the column says nothing against it.
    unsaid = {name: value for name, value in counted.items() if name != "unit"}
    vendor.has("prices", unsaid)
    vendor.has("subscriptions", subscription("S", "C", "storage", "2026-12-01", 40))
    (invoice_id,) = vendor.run("2026-12-01").invoice_ids

    assert "Storage 40 GB 0,50" in text_of(get_pdf(vendor.actor, invoice_id, now=NOW).content)


def test_refuses_a_unit_that_no_column_holds(vendor):
    report = vendor.load("prices", [price("storage", "1", unit="x" * 21)])

    assert [(error.column, error.code) for error in report.errors] == [("unit", "too_long")]
