"""Pages are read and codes drawn by quicker ways than the library's: to the same bytes."""

import pydyf
import pytest
from weasyprint import HTML, svg
from weasyprint.svg.path import path

from invoicing.documents import sheet
from invoicing.documents.content import document
from invoicing.documents.sheet import pdf_bytes
from invoicing.documents.typesetting import writing
from invoicing.documents.typesetting.codes import draw_codes_at_once
from invoicing.documents.typesetting.parsing import ParsedPage, parsed
from tests.unit.invoicing.invoice_rows import TODAY, line_row, rows

SECTIONS = {
    "one line": [([], [line_row("Dienst", net_minor=100)])],
    "two accounts": [
        ([], [line_row("Eigenes & <mehr>", net_minor=100)]),
        (["Nord", "Autohaus Lindner"], [line_row(f"Dienst {n}", 1000) for n in range(70)]),
    ],
}


@pytest.fixture
def library(monkeypatch):
    """Let the library do all by itself."""
    monkeypatch.setattr(
        sheet,
        "parsed",
        lambda html, fetcher: HTML(string=html, base_url=None, url_fetcher=fetcher),
    )
    monkeypatch.setitem(svg.TAGS, "path", path)
    monkeypatch.setattr(pydyf, "_to_bytes", writing._to_bytes)


@pytest.mark.parametrize("sections", SECTIONS.values(), ids=SECTIONS)
def test_changes_no_byte(sections, request):
    given = document(rows(sections), today=TODAY)
    ours = pdf_bytes(given)
    draw_codes_at_once()
    assert svg.TAGS["path"] is not path

    request.getfixturevalue("library")

    assert pdf_bytes(given) == ours


@pytest.mark.parametrize("sections", SECTIONS.values(), ids=SECTIONS)
def test_reads_our_pages_as_xml(sections, monkeypatch):
    found = []
    monkeypatch.setattr(sheet, "parsed", lambda *given: found.append(parsed(*given)) or found[-1])

    pdf_bytes(document(rows(sections), today=TODAY))

    assert found
    assert {type(page) for page in found} == {ParsedPage}


def test_a_name_that_xml_does_not_allow_is_printed_all_the_same():
    given = rows(SECTIONS["one line"])
    snapshot = given.invoice.snapshot
    recipient = {**snapshot["bill_to"], "legal_name": "Nord\x0bSüd GmbH"}
    given.invoice.snapshot = {**snapshot, "bill_to": recipient}

    assert pdf_bytes(document(given, today=TODAY)).startswith(b"%PDF")


class Strokes:
    """Keeps what is drawn."""

    def __init__(self):
        self.drawn = []

    def move_to(self, x, y):
        self.drawn.append(("m", x, y))

    def line_to(self, x, y):
        self.drawn.append(("l", x, y))

    def curve_to(self, *points):
        self.drawn.append(("c", *points))

    def close(self):
        self.drawn.append("h")


class Image:
    """An image as a path is drawn into it."""

    def __init__(self):
        self.stream = Strokes()

    def point(self, x, y, font_size):
        return svg.utils.size(x, font_size), svg.utils.size(y, font_size)


class Node(dict):
    def __init__(self, d):
        super().__init__(d=d)
        self.vertices = []


@pytest.mark.parametrize(
    "d", ["M4 4.5h7m1 0h2m-37 1h1", "M4 4.5h7", "M0 0L1.5 2z", "m1 1h2v3", "M1 1h1.5", ""]
)
def test_draws_what_the_library_draws(d):
    draw_codes_at_once()
    ours, theirs = Image(), Image()

    svg.TAGS["path"](ours, Node(d), 16)
    path(theirs, Node(d), 16)

    assert ours.stream.drawn == theirs.stream.drawn
