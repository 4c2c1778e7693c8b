"""Declared tables: what the address says, and files that are what is on the screen."""

import csv
import io
from datetime import date
from decimal import Decimal
from http import HTTPStatus
from typing import Any
from zipfile import ZipFile

import pytest
from django.http import QueryDict
from django.utils.translation import override

from accounts.exports import harmless
from tenancy.queries.paging import Order
from web.tables import Amounts, Column, Kind, Link, Table
from web.tables.exports import About, export, plain
from web.tables.file_names import attachment, file_name

TABLE: Table[dict[str, Any]] = Table(
    name="things",
    title="Things",
    default_sort="name",
    columns=(
        Column("name", "Name", Kind.LINK, lambda row: Link(row["name"], "/x/"), sort="name"),
        Column("size", "Size", Kind.NUMBER, lambda row: row["size"], sort="size"),
        Column("owed", "Owed", Kind.MONEY, lambda row: row["owed"], is_summed=True),
        Column("day", "Day", Kind.DATE, lambda row: row["day"], is_default=False),
    ),
)
ROWS = (
    {"name": "=1+1", "size": 3, "owed": Amounts({"EUR": -123450}, "EUR"), "day": None},
    {
        "name": 'Süd; "x"',
        "size": None,
        "owed": Amounts({"EUR": 5, "JPY": 700}, "EUR"),
        "day": date(2026, 11, 23),
    },
)
TOTALS = {"owed": Amounts({"EUR": -123445, "JPY": 700}, "EUR")}


def saved(wanted, query="", language="en"):
    with override(language):
        state = TABLE.state(QueryDict(query))
        about = About(
            "Nord & Süd", "Dinge", date(2026, 11, 23), [("Filters", "=none"), ("By", "Alice")]
        )
        answer = export(wanted, TABLE.chosen(state), [ROWS[:1], ROWS[1:]], TOTALS, about)
        content = b"".join(answer.streaming_content)
        answer.file_to_stream.close()
        return content


@pytest.mark.parametrize(
    ("language", "separator", "amounts"),
    [
        ("en", ",", ["-1234.50", "0.05"]),
        ("de", ";", ["-1234,50", "0,05"]),
    ],
)
def test_writes_csv_the_way_the_readers_spreadsheet_expects(language, separator, amounts):
    content = saved("csv", language=language)

    assert content.startswith(b"\xef\xbb\xbf")
    rows = list(csv.reader(io.StringIO(content.decode("utf-8-sig")), delimiter=separator))
    assert rows[0] == ["Name", "Size", "Owed, EUR", "Owed, JPY"]
    assert [row[2] for row in rows[1:]] == amounts
    assert rows[1][0] == "'=1+1"
    assert rows[2] == ['Süd; "x"', "", amounts[1], "700"]


def test_writes_the_chosen_columns_alone():
    content = saved("csv", "columns=name&columns=day").decode("utf-8-sig")

    assert content.splitlines() == ["Name,Day", "'=1+1,", '"Süd; ""x""",2026-11-23']


def test_writes_typed_cells_below_a_head_that_stays():
    with ZipFile(io.BytesIO(saved("xlsx", "columns=name&columns=owed&columns=day"))) as book:
        sheet = book.read("xl/worksheets/sheet1.xml").decode()
        facts = book.read("xl/worksheets/sheet2.xml").decode()

    assert 'state="frozen"' in sheet
    assert "<v>-1234.50</v>" in sheet
    assert "<v>46349</v>" in sheet
    assert "<f>" not in sheet + facts
    assert "=1+1" in sheet
    assert "Alice" in facts


@pytest.mark.parametrize("text", ["=1", "+1", "-1", "@x", "\tx", "\rx"])
def test_takes_the_sting_out_of_formulas(text):
    assert harmless(text) == f"'{text}"
    assert harmless(f"x{text}") == f"x{text}"


def test_reads_the_state_and_leaves_nonsense_out():
    state = TABLE.state(QueryDict("sort=-size&columns=owed&columns=nonsense&q=x&after=y"))

    assert (state.sort, state.is_falling, state.columns) == ("size", True, ("owed",))
    assert [column.key for column in TABLE.chosen(state)] == ["name", "owed"]
    assert state.url(sort="name") == "?sort=name&columns=owed&columns=nonsense&q=x"
    assert ("q", "x") in state.kept("columns")
    assert TABLE.state(QueryDict("sort=owed")).sort == "name"
    assert TABLE.state(QueryDict("columns=zzz")).columns == ("name", "size", "owed")


@pytest.mark.parametrize(
    ("cookie", "shown", "is_usual"),
    [
        ("owed", ("owed",), False),
        ("day.owed", ("owed", "day"), False),
        ("size.owed", ("size", "owed"), True),
        ("zzz", ("name", "size", "owed"), True),
        ("", ("name", "size", "owed"), True),
        ("<script>.owed.owed", ("owed",), False),
    ],
)
def test_remembers_columns_unless_the_address_names_some(cookie, shown, is_usual):
    cookies = {"columns-things": cookie, "columns-others": "day"}
    state = TABLE.state(QueryDict("q=x"), cookies)

    assert (state.columns, state.is_usual) == (shown, is_usual)
    assert TABLE.state(QueryDict("columns=size"), cookies).columns == ("size",)


@pytest.mark.parametrize(
    ("words", "name", "header"),
    [
        (("Nordhafen", "Rechnungen"), "nordhafen-rechnungen-2026-11-23.csv", ""),
        (
            ("Brückner & Söhne", "Rechnungsläufe"),
            "brückner-söhne-rechnungsläufe-2026-11-23.csv",
            'attachment; filename="brueckner-soehne-rechnungslaeufe-2026-11-23.csv"; '
            "filename*=UTF-8''br%C3%BCckner-s%C3%B6hne-rechnungsl%C3%A4ufe-2026-11-23.csv",
        ),
        (
            ("東京", "Été"),
            "東京-été-2026-11-23.csv",
            'attachment; filename="ete-2026-11-23.csv"; '
            "filename*=UTF-8''%E6%9D%B1%E4%BA%AC-%C3%A9t%C3%A9-2026-11-23.csv",
        ),
        (('a"; x="../\r\n',), "a-x-2026-11-23.csv", ""),
        (("",), "2026-11-23.csv", ""),
    ],
)
def test_names_files_after_what_they_hold(words, name, header):
    assert file_name(*words, day=date(2026, 11, 23), ending="csv") == name
    assert attachment(name) == (header or f'attachment; filename="{name}"')


def test_says_how_it_is_sorted_and_how_it_could_be():
    with override("en"):
        shown = TABLE.shown(ROWS, TABLE.state(QueryDict("sort=name")), TOTALS, "Sum")

    name, size, owed = shown.heads
    assert (name.direction, name.url) == ("ascending", "?sort=-name")
    assert (size.direction, size.url) == ("", "?sort=-size")
    # Several currencies: no head names one of them, and each amount bears its own.
    assert (owed.title, owed.url) == ("Owed", "")
    assert [row.cells[2].value.is_mixed for row in shown.rows] == [True] * len(ROWS)
    assert [cell.kind for cell in shown.foot] == ["text", "nothing", "sums"]


def test_shows_the_main_currency_and_counts_the_others():
    with override("en"):
        mixed, foreign = (
            Amounts({"EUR": 1, "JPY": 700, "CHF": 2}, "EUR"),
            Amounts({"JPY": 7}, "EUR"),
        )

        assert (mixed.shown, mixed.more, mixed.all) == ("0.01", "+2", "€0.01, CHF0.02, JP¥700")
        assert (foreign.shown, foreign.more) == ("JP¥7", "")
        assert (Amounts({}, "EUR").shown, Amounts({"EUR": -5}, "EUR").shown) == ("–", "−0.05")
        assert Amounts({"JPY": 7, "CHF": 2}, "EUR").more == "+2"
    assert plain(mixed, "JPY") == Decimal(700)
    assert plain(mixed, "USD") is None


@pytest.mark.parametrize("text", ["", "x", "%00", "bnVsbA", "WzEsIDJd", "W251bGwsICJ4Il0", "ä"])
def test_does_not_stumble_over_cursors(vendor, alice, visit, text):
    assert visit(alice).get("/invoices/", {"after": text}).status_code == HTTPStatus.OK
    if len(text) < 8:
        assert Order("name").parse(text) is None
