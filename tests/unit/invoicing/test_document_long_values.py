"""Values as long as imports take them: what must stand in its place on paper does."""

import io
from decimal import Decimal

import pytest
from pypdf import PdfReader
from weasyprint.text.fonts import FontConfiguration

from invoicing.documents.columns import WIDTH, columns_of
from invoicing.documents.content import document
from invoicing.documents.directions import isolated
from invoicing.documents.fitting import fitted
from invoicing.documents.grids import line_tables, summary_table
from invoicing.documents.sheet import pdf_bytes
from invoicing.documents.typesetting.tables import PADDING, set_table
from invoicing.documents.typesetting.text import Face, Letters, Span
from tests.unit.invoicing.invoice_rows import BILL_TO, SELLER, TODAY, line_row, rows

WORD = "Donaudampfschifffahrtsgesellschaftskapitänsmützenfabrik" * 3
CODE = "SKU-" + "0123456789ABCDEF" * 10
STREET = " ".join(["Straßenname"] * 16) + " " * 8
ARABIC = "خدمة النسخ الاحتياطي (سنوي) 50 GB"
LONG = {
    **BILL_TO,
    "name": "Kurz",
    "legal_name": WORD,
    "line1": STREET,
    "line2": STREET.replace("Straßenname", "Hinterhaus"),
    "city": "Bremen",
    "external_id": "C" * 100,
    "country": "FR",
}


@pytest.fixture
def letters():
    return Letters(FontConfiguration(), {}, "de")


def said(given):
    return document(given, today=TODAY)


def test_keeps_the_address_in_its_field(letters):
    shown = fitted(said(rows(snapshot={"bill_to": LONG})), letters)

    assert len(shown.recipient) == 6
    assert shown.recipient[-2:] == ("28195 Bremen", "FRANKREICH")
    assert "Kurz" not in shown.recipient
    assert shown.recipient[0].startswith("Donaudampf")
    assert sum(line.endswith("…") for line in shown.recipient) == 3
    wide = max(letters.width(Span(line, Face())) for line in shown.recipient)
    assert wide <= 80 * 96 / 25.4


def test_shows_a_long_reference_whole_below_its_label(letters):
    shown = fitted(said(rows(po_number="P" * 100)), letters)

    facts = dict(shown.fact_rows)
    assert "".join(facts["Ihre Bestellnummer"]) == "P" * 100
    assert len(facts["Ihre Bestellnummer"]) > 1
    assert facts["Rechnungsnummer"] == ("RE-2026-000042",)
    assert [label for label, _lines in shown.fact_rows[:4]] == [
        "Rechnungsnummer",
        "Rechnungsdatum",
        "Leistungszeitraum",
        "Zahlbar bis",
    ]


def test_keeps_first_and_last_names_of_a_long_path(letters):
    path = [f"Ebene {level} mit einem recht langen Namen" for level in range(20)]
    given = rows([(path, [line_row()]), (["Süd"], [line_row()])])

    section = fitted(said(given), letters).sections[0]

    assert section.levels[0] == path[0]
    assert "…" in section.levels
    assert section.name == path[-1]


def test_gives_each_amount_the_width_it_needs(letters):
    line = line_row(
        quantity=Decimal("123456789012.123456"),
        unit_amount=Decimal("123456789012.00001667"),
        net_minor=10**14,
        description=CODE,
    )
    short = line_row(period_start=TODAY, period_end=TODAY.replace(day=30))
    invoice = fitted(said(rows([([], [line, short])])), letters)
    columns = columns_of(invoice, letters)

    assert sum(columns.widths) == pytest.approx(WIDTH)
    for table in line_tables(invoice, columns):
        for row in (row for group in set_table(table, letters).groups for row in group):
            for cell in row.cells:
                assert all(part.width <= cell.width - 2 * PADDING + 1 for part in cell.lines)
    below = ["".join(s.text for s in part) for part in table.rows[1].cells[0].paragraphs]
    assert below[-1] == "23.–29.11.2026"


def test_cuts_names_in_tables_after_some_lines(letters):
    given = rows([([WORD * 2, "A"], [line_row()]), ([WORD * 2], [line_row()])])
    invoice = fitted(said(given), letters)
    columns = columns_of(invoice, letters)
    overview = set_table(summary_table(invoice, {}, columns), letters)

    for row in (row for group in overview.groups for row in group):
        assert all(len(cell.lines) <= 3 for cell in row.cells)
    last = overview.groups[1][0].cells[1].lines[-1]
    assert last.pieces[-1].text.endswith("…")


def test_puts_no_hyphen_into_a_code(letters):
    for code in (CODE, "sku_0123456789ABCDEF0123456789", "Artikelnummernverzeichnis-2026-000042"):
        face = Face(breaks=True)
        lines = letters.lines((Span(code, face),), face, 90)

        assert len(lines) > 1
        assert "".join(piece.text for line in lines for piece in line.pieces) == code


def test_isolates_what_runs_from_right_to_left():
    assert isolated("Desk 50 GB") == "Desk 50 GB"
    assert isolated(ARABIC) == ("\u2067خدمة النسخ الاحتياطي (سنوي) \u206650 GB\u2069\u2069")
    assert isolated("Backup خدمة") == "\u2066\u2066Backup\u2069 خدمة\u2069"


def test_each_line_of_text_from_right_to_left_says_so(letters):
    face = Face(breaks=True)
    lines = letters.lines((Span(isolated(ARABIC * 3), face),), face, 100)

    assert len(lines) > 1
    assert all(line.pieces[0].text.startswith("\u2067") for line in lines)


@pytest.mark.parametrize("language", ["de", "en"])
def test_keeps_number_dates_and_total_on_the_first_page(language):
    path = [f"{WORD} {level}" for level in range(20)]
    seller = {
        **SELLER,
        "name": WORD,
        "line1": STREET,
        "register_entry": f"Amtsgericht {WORD}",
        "directors": ", ".join(["Jana Petersen"] * 14),
    }
    given = rows(
        [(path, [line_row(CODE, net_minor=10**14)]), (["B"], [line_row(ARABIC)])],
        snapshot={"bill_to": LONG, "seller": seller},
        po_number="P" * 100,
        language=language,
    )
    for section in given.sections:
        section.cost_centre, section.po_number = "K" * 100, "Q" * 100

    reader = PdfReader(io.BytesIO(pdf_bytes(said(given))))
    first = " ".join(reader.pages[0].extract_text().split())

    assert "RE-2026-000042" in first
    assert ("Rechnungsbetrag" if language == "de" else "Amount due") in first
    for page in reader.pages:
        for x, y in _places(page):
            assert -1 <= x <= 596
            assert 0 <= y <= 843


def _places(page):
    """Return where pieces of text begin, in points from the lower left."""
    found = []

    def keep(text, cm, tm, _font, _size):
        if text.strip():
            x, y = tm[4:6]
            found.append((cm[0] * x + cm[2] * y + cm[4], cm[1] * x + cm[3] * y + cm[5]))

    page.extract_text(visitor_text=keep)
    return found
