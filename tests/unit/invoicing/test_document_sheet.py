"""The document on paper: pages, heads that repeat, marks, and nothing from outside."""

import io

import pytest
from pypdf import PdfReader
from weasyprint import HTML

from invoicing.documents.content import document
from invoicing.documents.sheet import NoResources, ResourceRefused, page_html, pdf_bytes
from tests.unit.invoicing.invoice_rows import (
    BILL_TO,
    SELLER,
    TODAY,
    draft_rows,
    line_row,
    rows,
)

LONG_NAME = "Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft mbH"


def laid_out(given):
    return PdfReader(io.BytesIO(pdf_bytes(document(given, today=TODAY))))


def pages(given):
    texts = [page.extract_text() for page in laid_out(given).pages]
    return [" ".join(text.replace("\u202f", " ").split()) for text in texts]


@pytest.fixture(scope="module")
def long_invoice():
    """Three accounts, the second of which needs more than a page."""
    sections = [
        ([], [line_row("Eigenes", net_minor=100)]),
        (["Nord", "Autohaus Lindner"], [line_row(f"Dienst {n}", 1000) for n in range(70)]),
        (["Süd", LONG_NAME], [line_row("Letztes", net_minor=300)]),
    ]
    return rows(sections)


@pytest.fixture(scope="module")
def long_pages(long_invoice):
    return pages(long_invoice)


def test_has_totals_and_overview_on_the_first_page(long_pages):
    first = long_pages[0]

    for text in (
        "Rechnung RE-2026-000042",
        "Sammelrechnung für 3 Konten",
        "Summe netto 704,00 €",
        "Umsatzsteuer 19 % 133,76 €",
        "Rechnungsbetrag 837,76 €",
        "Mit der Banking-App scannen",
        "2 Nord › Autohaus Lindner 2 700,00",
        "USt-IdNr. DE136695976",
    ):
        assert text in first


def test_numbers_the_following_pages_and_repeats_head_and_foot(long_pages):
    count = len(long_pages)

    assert count > 2
    assert f"Seite 1 von {count}" in long_pages[0]
    for number, page in enumerate(long_pages[1:], 2):
        assert f"Rechnung RE-2026-000042 Seite {number} von {count}" in page
        assert "Amtsgericht Kiel, HRB 4711" in page


def test_says_where_an_account_is_continued(long_pages):
    begins, *continues = [page for page in long_pages if "2. Nord › Autohaus Lindner" in page]

    assert "(Fortsetzung)" not in begins
    assert continues
    assert all("(Fortsetzung)" in page for page in continues)
    assert "(Fortsetzung)" not in " ".join(p for p in long_pages if p not in continues)


def test_sums_each_account_on_the_page_of_its_last_line(long_pages):
    (page,) = [page for page in long_pages if "Zwischensumme Autohaus Lindner 700,00" in page]

    assert "Dienst 69 " in page


def test_lists_the_accounts_as_bookmarks_and_is_archival(long_invoice):
    reader = laid_out(long_invoice)

    titles = [entry["/Title"] for entry in _flat(reader.outline)]
    assert "2. Nord › Autohaus Lindner" in titles
    assert reader.metadata.title == "Rechnung RE-2026-000042"
    assert reader.metadata.author == "Fjordlicht Software GmbH"
    assert reader.trailer["/Root"]["/Lang"] == "de"
    assert reader.trailer["/Root"]["/MarkInfo"]["/Marked"]
    metadata = reader.trailer["/Root"]["/Metadata"].get_data()
    assert b'pdfaid:part="3" pdfaid:conformance="A"' in metadata


def test_one_account_needs_neither_overview_nor_subtotal():
    (page,) = pages(rows())

    assert "Leistung Menge Einheit Einzelpreis USt Netto EUR Desk 8 Stück 9,00 19 % 72,00" in page
    for text in ("Übersicht", "Sammelrechnung", "Zwischensumme", "(Fortsetzung)"):
        assert text not in page


def test_speaks_english():
    (page,) = pages(rows(language="en"))

    for text in (
        "Invoice RE-2026-000042",
        "Service period 1–31 Dec 2026",
        "Payable by 15 Dec 2026",
        "Please transfer €85.68 by 15 Dec 2026 to the account below, quoting RE-2026-000042.",
        "Amount due €85.68",
        "Service Qty Unit Unit price VAT Net EUR",
        "Payment terms: 14 days from the invoice date, no discount.",
    ):
        assert text in page


def test_a_draft_is_marked_on_every_page():
    given = draft_rows([([], [line_row() for _ in range(60)])])

    found = pages(given)

    assert len(found) > 1
    assert all("ENTWURF" in page for page in found)
    assert "Rechnungsnummer" not in found[0]


def test_names_are_text_whatever_they_contain():
    name = "<img src=http://169.254.169.254/> & <b>Söhne</b>"
    given = rows(
        [
            ([name], [line_row('<link rel=stylesheet href="file:///etc/passwd">')]),
            ([], [line_row()]),
        ],
        snapshot={
            "bill_to": {**BILL_TO, "legal_name": name},
            "seller": {**SELLER, "name": "<script>alert(1)</script>"},
        },
    )

    html = page_html(document(given, today=TODAY))
    text = " ".join(pages(given))

    assert "<img" not in html
    assert "<script" not in html
    assert "<link" not in html
    assert name in text


@pytest.mark.parametrize("url", ["http://169.254.169.254/", "file:///etc/passwd", "data:,x"])
def test_asks_for_nothing_from_outside(url):
    with pytest.raises(ResourceRefused):
        HTML(string=f'<img src="{url}">', url_fetcher=NoResources()).write_pdf()


def test_the_same_invoice_gives_the_same_bytes():
    given = rows()

    first, second = (pdf_bytes(document(given, today=TODAY)) for _ in range(2))

    assert first == second


def _flat(outline):
    for entry in outline:
        yield from _flat(entry) if isinstance(entry, list) else [entry]
