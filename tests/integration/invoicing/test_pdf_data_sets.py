"""The invoice of the first example customer on paper: every account, every sum."""

import io
import json

from pypdf import PdfReader

from invoicing.documents.formats import Formats
from invoicing.documents.making import get_pdf, make_files
from invoicing.models import Invoice
from tests.scenes import scene
from tests.world import DATA, NOW

MSP = json.loads((DATA / "msp" / "expected-2026-12-01.json").read_text("utf-8"))

CLIENTS_WITH_BRANCHES = 3


@scene
def pages(vendor):
    vendor.has_files("msp")
    report = vendor.run("2026-12-01")
    with vendor.seen():
        invoice = Invoice.objects.get(pk__in=report.invoice_ids, bill_to__external_id="MSP")
    assert make_files(vendor.actor, invoice.pk, now=NOW)
    content = get_pdf(vendor.actor, invoice.pk, now=NOW).content
    texts = [page.extract_text() for page in PdfReader(io.BytesIO(content)).pages]
    return [" ".join(text.split()) for text in texts]


def test_shows_every_account_with_its_sum_and_page(vendor, pages):
    (wanted,) = [i for i in MSP["invoices"] if i["bill_to"] == "MSP"]
    formats = Formats.of("de", "EUR")
    whole = " ".join(pages)

    assert f"Summe netto {formats.money(wanted['net_minor'])}".replace("\xa0", " ") in pages[0]
    assert (
        f"Rechnungsbetrag {formats.money(wanted['gross_minor'])}".replace("\xa0", " ") in pages[0]
    )
    assert len(wanted["sections"]) == 53
    assert whole.count("Zwischensumme ") == 53
    assert whole.count(" mit Unterkonten ") == CLIENTS_WITH_BRANCHES
    for section in wanted["sections"].values():
        assert f" {formats.amount(section['net_minor'])}" in whole
    for number, page in enumerate(pages[1:], 2):
        assert f"Seite {number} von {len(pages)}" in page
