"""The document of a credit note: what it refers to, what it takes back, where that goes."""

import io
from datetime import date

import pytest
from pypdf import PdfReader

from invoicing.documents.making import get_pdf
from invoicing.models import Invoice, InvoiceLine
from invoicing.operations.correcting import correct_invoice
from invoicing.operations.wanting_corrections import (
    NewCorrection,
)
from tests.world import NOW, account, price, subscription

DAY = date(2026, 12, 15)


@pytest.fixture
def group(vendor):
    vendor.has(
        "accounts",
        account("G", billing_day=1, language="de"),
        account("A", "G", cost_centre="K-1"),
        account("X", language="en", billing_day=1),
    )
    vendor.has("prices", price("desk", "100", model="per_unit"), price("line", "10", tax_rate=7))
    vendor.has(
        "subscriptions",
        subscription("S1", "G", "desk", "2026-12-01", 2),
        subscription("S2", "A", "desk", "2026-12-01", 3),
        subscription("S3", "A", "line", "2026-12-01"),
        subscription("S4", "X", "desk", "2026-12-01", 2),
    )
    vendor.run("2026-12-01")
    return vendor


def correct(vendor, key, **values):
    with vendor.seen():
        invoice = Invoice.objects.get(bill_to_id=vendor.id_of(key), kind="invoice")
    wanted = NewCorrection(**{"reason": "Nicht geliefert", **values})
    return correct_invoice(vendor.actor, invoice.pk, wanted, today=DAY, now=NOW).note


def pdf(vendor, note):
    return get_pdf(vendor.actor, note.pk, now=NOW)


def text_of(made):
    pages = PdfReader(io.BytesIO(made.content)).pages
    return " ".join(" ".join(page.extract_text().split()) for page in pages)


def test_a_whole_one_says_all_with_the_other_sign(group):
    made = pdf(group, correct(group, "G"))

    text = text_of(made)
    for said in (
        "Rechnungskorrektur RK-2026-000001",
        "zu Rechnung RE-2026-000001 vom 01.12.2026",
        "Grund: Nicht geliefert",
        "Korrigiert Rechnung RE-2026-000001",
        "Summe netto −510,00 €",
        "Erstattungsbetrag −605,70 €",
        "mindern den offenen Betrag der Rechnung RE-2026-000001",
        "−2",
    ):
        assert said in text, said
    for unsaid in ("Gutschrift", "Zahlungsziel", "Bitte überweisen", "Fällig", "Rechnungsnummer"):
        assert unsaid not in text, unsaid
    assert "Rechnungskorrektur-2026-12-15-RK-2026-000001" in made.file_name


def test_a_part_says_of_what(group):
    with group.seen():
        line = InvoiceLine.objects.get(subscription__external_id="S4")
        Invoice.objects.filter(pk=line.invoice_id).update(paid_minor=23800, status="paid")

    text = text_of(pdf(group, correct(group, "X", line_ids=(line.pk,), amount_minor=5_000)))

    for said in (
        "Correction RK-2026-000001",
        "of invoice RE-2026-000002 of 1 Dec 2026",
        "part of €200.00",
        "Amount taken back −€59.50",
        "€59.50 is kept as a credit of X GmbH",
    ):
        assert said in text, said


def test_markup_in_a_reason_is_text(group):
    note = correct(group, "G", reason="<script>alert(1)</script> & <b>bold</b>")

    text = "".join(one for one in text_of(pdf(group, note)) if one.isascii() and one != " ")
    assert "<script>alert(1)</script>&<b>bold</b>" in text


def test_the_queue_makes_it_and_it_stays(group):
    note = correct(group, "G")
    first = pdf(group, note)

    assert pdf(group, note).sha256 == first.sha256
    assert group.violations() == []
