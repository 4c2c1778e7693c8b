"""Small customers whose documents are easily got wrong, on paper."""

import io

from pypdf import PdfReader

from invoicing.documents.pdf import get_pdf
from invoicing.models import Invoice
from tests.world import NOW


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
