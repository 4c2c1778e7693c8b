"""The tables of documents: what stands on which page, sums of branches, and their structure."""

import io
from dataclasses import replace

import pytest
from pypdf import PdfReader
from weasyprint.text.fonts import FontConfiguration

from invoicing.documents.content import document
from invoicing.documents.sheet import pdf_bytes
from invoicing.documents.typesetting.paging import fill_rooms
from invoicing.documents.typesetting.tables import (
    Cell,
    RowLook,
    SetRow,
    SetTable,
    Table,
    TableRow,
    set_table,
)
from invoicing.documents.typesetting.text import Face, Letters, Span
from tests.unit.invoicing.invoice_rows import TODAY, line_row, rows

PAGES_OF_LINES = 4


def table(*heights, head=10, gap=5):
    """Return a table whose groups are single rows of these heights."""
    look = RowLook()
    groups = tuple((SetRow((), look, height),) for height in heights)
    return SetTable(SetRow((), look, head), groups, gap)


def seen(rooms):
    """Return for each room what stands in it: height of the row and place."""
    return [[(placed.row.height, placed.y) for placed in room.rows] for room in rooms]


def test_repeats_the_head_on_each_page():
    rooms = fill_rooms([table(30, 30, 30)], first=50, other=75)

    assert seen(rooms) == [[(10, 0), (30, 10)], [(10, 0), (30, 10), (30, 40)]]
    assert [placed.continues for placed in rooms[1].rows] == [True, False, False]


def test_begins_on_the_next_page_what_does_not_fit_with_its_head():
    rooms = fill_rooms([table(30)], first=39, other=100)

    assert seen(rooms) == [[], [(10, 0), (30, 10)]]
    assert not rooms[1].rows[0].continues


def test_leaves_no_gap_at_the_top_of_a_page():
    rooms = fill_rooms([table(30), table(30), table(30)], first=40, other=85)

    assert seen(rooms) == [
        [(10, 0), (30, 10)],
        [(10, 0), (30, 10), (10, 45), (30, 55)],
    ]


def test_shows_a_row_that_no_page_has_room_for():
    rooms = fill_rooms([table(500, 30)], first=40, other=100)

    assert seen(rooms) == [[], [(10, 0), (500, 10)], [(10, 0), (30, 10)]]


@pytest.fixture(scope="module")
def reader():
    """An invoice of two branches, with an account alone and one of several pages."""
    sections = [
        (["Zentrale"], [line_row("Eigenes", net_minor=100)]),
        (["Nord", "Autohaus"], [line_row(f"Dienst {n}", 1000) for n in range(90)]),
        (["Nord", "Bäckerei"], [line_row("Brot", 2000)]),
        (["Süd", "Chemie"], [line_row("Säure", 3000)]),
        (["Süd", "Druckerei"], [line_row("Papier", 4000), line_row("Farbe", 500)]),
    ]
    given = rows(sections)
    return PdfReader(io.BytesIO(pdf_bytes(document(given, today=TODAY))))


def words(page):
    return " ".join(page.extract_text().replace("\u202f", " ").split())


def test_sums_up_the_branches_of_several_accounts(reader):
    first = words(reader.pages[0])

    assert "Nord mit Unterkonten 920,00" in first
    assert "Süd mit Unterkonten 75,00" in first
    assert "Zentrale mit" not in first


def test_tells_and_links_the_page_of_each_account(reader):
    first = words(reader.pages[0])
    targets = {
        str(name): reader.get_destination_page_number(place) + 1
        for name, place in reader.named_destinations.items()
    }

    assert targets.keys() == {f"section-{n}" for n in range(1, 6)}
    assert targets["section-5"] > PAGES_OF_LINES - 1
    for place, name in enumerate(["Zentrale", "Nord › Autohaus", "Süd › Druckerei"], 1):
        section = {3: 5}.get(place, place)
        page = targets[f"section-{section}"]
        assert f"{section} {name} {page} " in first
        assert f"{section}. {name}" in words(reader.pages[page - 1])
    links = [annotation.get_object() for annotation in reader.pages[0]["/Annots"]]
    assert [link["/Dest"] for link in links] == [f"section-{n}" for n in range(1, 6)]


def elements(element, role):
    """Return the elements of a role below one of the structure."""
    kids = element.get("/K", [])
    for kid in kids if isinstance(kids, list) else [kids]:
        found = kid.get_object()
        if isinstance(found, dict) and "/S" in found:
            if found["/S"] == role:
                yield found
            yield from elements(found, role)


def test_tells_screen_readers_of_tables_rows_and_heads(reader):
    root = reader.trailer["/Root"]["/StructTreeRoot"]
    tables = list(elements(root, "/Table"))
    overview = next(one for one in tables if len(list(elements(one, "/Link"))) > 0)

    assert len(list(elements(overview, "/TR"))) == 1 + 5 + 2
    assert [head["/A"]["/Scope"] for head in elements(overview, "/TH")] == ["/Column"] * 4
    lines = [row for one in tables for row in elements(one, "/TR")]
    assert len(lines) > 100


def test_numbers_what_is_drawn_as_the_structure_does(reader):
    numbers = reader.trailer["/Root"]["/StructTreeRoot"]["/ParentTree"]["/Nums"]
    for page, parents in zip(reader.pages, numbers[1::2], strict=False):
        marks = page.get_contents().get_data().count(b"/MCID")

        assert marks == len(parents)
        for mark, parent in enumerate(parents):
            kids = parent.get_object()["/K"]
            assert mark in (kids if isinstance(kids, list) else [kids])


@pytest.fixture(scope="module")
def letters():
    """Letters of a German document."""
    return Letters(FontConfiguration(), {}, "de")


def test_lets_a_name_reach_over_the_heads_beside_it_but_not_what_stands_between_them(letters):
    face = Face(breaks=True)
    words = (Span("Autohaus Lindner GmbH, Filiale Stuhr", face),)
    narrow = Cell((words, words), face)
    row = TableRow((replace(narrow, over=500),), RowLook())

    lines = set_table(Table((100,), row, (TableRow((narrow,), RowLook()),), (1,)), letters)

    (head,), (plain,) = lines.head.cells, lines.groups[0][0].cells
    first = len(plain.lines) // 2
    assert len(head.lines) == 1 + first
    assert head.lines[0].width > 100 > head.lines[1].width


def test_keeps_short_words_whole(letters):
    face = Face(breaks=True)
    broken = letters.lines((Span("Filiale Nordwesten Großhandelsgesellschaft", face),), face, 75)

    texts = ["".join(piece.text for piece in line.pieces).strip() for line in broken]
    assert texts[:2] == ["Filiale", "Nordwesten"]
    assert all(text.endswith("\u2010") for text in texts[2:-1])
