"""What documents keep of each other: the same bytes as without, and bounded."""

import pytest
from weasyprint.text.fonts import FontConfiguration

from invoicing.documents import sheet
from invoicing.documents.content import document
from invoicing.documents.sheet import pdf_bytes
from invoicing.documents.typesetting import shaping, styling
from invoicing.documents.typesetting.shaping import Fonts
from tests.unit.invoicing.invoice_rows import TODAY, line_row, rows

DOCUMENTS = {
    "one line": [([], [line_row("Dienst", net_minor=100)])],
    "two accounts": [
        ([], [line_row("Eigenes", net_minor=100)]),
        (["Nord", "Autohaus Lindner"], [line_row(f"Dienst {n}", 1000) for n in range(70)]),
    ],
    "long words": [
        (["Süd"], [line_row("Donaudampfschifffahrtselektrizitätenhauptbetriebswerk " * 4, 300)])
    ],
}


def resources_with(fonts, monkeypatch):
    """Begin anew, with such fonts."""
    monkeypatch.setattr(sheet, "Fonts", fonts)
    kept = sheet._Resources()
    monkeypatch.setattr(sheet, "_resources", lambda: kept)


@pytest.mark.parametrize("sections", DOCUMENTS.values(), ids=DOCUMENTS)
def test_changes_no_byte(sections, monkeypatch):
    given = document(rows(sections), today=TODAY)
    sheet._resources()
    resources_with(FontConfiguration, monkeypatch)
    cold = pdf_bytes(given)
    resources_with(Fonts, monkeypatch)

    assert pdf_bytes(given) == cold
    for other in DOCUMENTS.values():
        pdf_bytes(document(rows(other), today=TODAY))
    assert pdf_bytes(given) == cold


def test_computes_a_style_once(monkeypatch):
    resources_with(Fonts, monkeypatch)
    given = document(rows(DOCUMENTS["one line"]), today=TODAY)
    pdf_bytes(given)
    fonts = sheet._resources().fonts
    kept, lines = fonts._count, len(fonts.first_lines)

    pdf_bytes(given)

    assert kept > 100
    assert fonts._count == kept
    assert len(fonts.first_lines) == lines


def test_what_is_kept_is_bounded(monkeypatch):
    monkeypatch.setattr(shaping, "MOST_KEPT", 50)
    monkeypatch.setattr(styling, "MOST_KEPT", 50)
    resources_with(Fonts, monkeypatch)
    fonts = sheet._resources().fonts

    for sections in DOCUMENTS.values():
        pdf_bytes(document(rows(sections), today=TODAY))

    assert len(fonts.first_lines) <= 50
    assert fonts._count <= 50
