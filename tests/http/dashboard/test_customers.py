"""The list of customers: figures, filters, order, pages and files, in few statements."""

import csv
import io
import re
from http import HTTPStatus

import pytest

from accounts.operations.accounts import edit_account
from dashboard.pages.customers import listing
from tenancy.ids import public_id
from tenancy.queries import paging
from tests.http.dashboard.conftest import NASTY
from tests.markup import tight
from tests.world import NOW, TODAY, account

MOST_STATEMENTS = 12


def names_in(page):
    return re.findall(r'<th scope="row" class="lead"><a href="[^"]+">([^<]*)</a>', page)


def read(client, query=""):
    answer = client.get(f"/customers/{query}")
    assert answer.status_code == HTTPStatus.OK
    return tight(answer.content.decode())


def test_lists_customers_with_what_they_bring_in_and_owe(billed, alice, visit):
    page = read(visit(alice))

    assert names_in(page) == ["Firma Allein", "Gruppe Nord"]
    # 100 + 8 x 9 + 2.5 x 9
    assert "194.50" in page
    assert "Sum of all 2 accounts" in page
    assert "€294.50" in page


def test_lists_all_accounts_with_their_paths(billed, alice, visit):
    page = read(visit(alice), "?all=1")

    assert len(names_in(page)) == 4
    above = f'<a href="/customers/{public_id("acc", billed.id_of("group"))}/">Gruppe Nord</a>'
    assert f'<span class="second">{above}</span>' in page
    # What lies below two rows is counted once.
    assert "€294.50" in page


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("?q=allein", ["Firma Allein"]),
        ("?q=zweig", []),
        ("?q=zweig&all=1", ["Zweig Süd"]),
        ("?all=1&q=branch", ["Zweig Süd"]),
        ("?kind=group", []),
        ("?sort=nonsense&after=nonsense&before=%00", ["Firma Allein", "Gruppe Nord"]),
        ("?sort=-name", ["Gruppe Nord", "Firma Allein"]),
        ("?sort=-accounts", ["Gruppe Nord", "Firma Allein"]),
        ("?sort=accounts", ["Firma Allein", "Gruppe Nord"]),
    ],
)
def test_filters_and_sorts(billed, alice, visit, query, expected):
    assert names_in(read(visit(alice), query)) == expected


def test_filters_by_tag_in_any_case_and_says_so(billed, alice, visit):
    client = visit(alice)
    own = {"tags": ["Key account"], "now": NOW, "today": TODAY}
    edit_account(alice, billed.id_of("branch"), **own)
    page = read(client, "?all=1&tag=key+account")

    assert names_in(page) == ["Zweig Süd"]
    assert "Tag: key account" in page
    assert "<option>Key account</option>" in page
    assert names_in(read(client, "?tag=Key+account")) == []
    assert names_in(read(client, "?all=1&tag=%00none")) == []


@pytest.mark.parametrize("query", ["kind=nonsense", "all=yes", "kind=nonsense&format=csv"])
def test_refuses_a_filter_that_means_nothing(billed, alice, visit, query):
    answer = visit(alice).get(f"/customers/?{query}")

    assert answer.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
    assert "is nothing to filter by. Nothing was listed or saved." in answer.content.decode()
    assert "Firma Allein" not in answer.content.decode()


def test_offers_to_search_deeper(billed, alice, visit):
    page = read(visit(alice), "?q=zweig")

    assert "No customers match" in page
    assert 'href="?q=zweig&amp;all=1"' in page


def test_teaches_where_nothing_is_yet(vendor, alice, visit):
    assert "No customers yet" in read(visit(alice))


def test_needs_few_statements(billed, alice, visit, statements):
    for query in ("", "?all=1", "?q=nord", "?sort=-accounts"):
        assert len(statements(visit(alice), f"/customers/{query}")) <= MOST_STATEMENTS


@pytest.mark.parametrize("sort", ["name", "-name", "accounts", "-accounts", "kind"])
def test_pages_by_place_and_loses_no_row(billed, alice, visit, monkeypatch, sort):
    billed.has("accounts", *(account(f"k{n}", name=f"Kunde {n:02}") for n in range(7)))
    monkeypatch.setattr(paging.page_of, "__kwdefaults__", {"size": 2})
    client, seen, query = visit(alice), [], f"?sort={sort}"
    forth = []
    while query:
        page = read(client, query)
        seen += names_in(page)
        forth.append(names_in(page))
        found = re.search(r'href="(\?[^"]+)" rel="next"', page)
        query = found[1].replace("&amp;", "&") if found else ""
    back = re.search(r'href="(\?[^"]+)" rel="prev"', page)[1].replace("&amp;", "&")

    assert len(seen) == len(set(seen)) == 9
    assert names_in(read(client, back)) == forth[-2]


def test_saves_what_is_on_the_screen(billed, alice, visit, monkeypatch):
    monkeypatch.setattr(listing, "_BATCH", 2)
    query = "?all=1&sort=-name&columns=name&columns=mrr"
    client = visit(alice)
    answer = client.get(f"/customers/{query}&format=csv")
    content = answer.getvalue().decode("utf-8-sig")
    rows = list(csv.DictReader(io.StringIO(content)))
    shown = [name.replace("&lt;", "<") for name in names_in(read(client, query))]

    assert (
        answer["Content-Disposition"] == 'attachment; filename="acme-all-accounts-2026-11-23.csv"'
    )
    assert list(rows[0]) == ["Account", "MRR with sub-accounts, EUR"]
    assert len(rows) == len(shown) == 4
    assert [row["Account"] for row in rows if row["Account"] != NASTY] == [
        name for name in shown if "script" not in name
    ]
    group = next(row for row in rows if row["Account"] == "Gruppe Nord")
    assert group["MRR with sub-accounts, EUR"] == "194.50"


def test_saves_a_spreadsheet(billed, alice, visit):
    answer = visit(alice).get("/customers/?format=xlsx")

    assert answer.status_code == HTTPStatus.OK
    assert answer.getvalue()[:2] == b"PK"


def test_refuses_a_file_that_is_too_long(billed, alice, visit, monkeypatch):
    monkeypatch.setattr(listing, "MOST_ROWS", 1)
    answer = visit(alice).get("/customers/?format=csv")

    assert answer.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
    assert "This is too much for one file" in answer.content.decode()


def test_escapes_names(billed, alice, visit):
    page = read(visit(alice), "?all=1")

    assert NASTY not in page
    assert "&lt;script&gt;" in page


def test_is_not_for_customers(billed, bob, visit):
    assert visit(bob("group")).get("/customers/").status_code == HTTPStatus.FORBIDDEN


def test_shows_nothing_of_another_vendor(billed, charlie, visit):
    assert "Gruppe Nord" not in read(visit(charlie), "?all=1")


def test_remembers_the_columns_that_somebody_chose(billed, alice, visit):
    client = visit(alice)
    here = "/customers/?all=1&sort=-name&columns=kind&after=x&format=csv"
    form = {"table": "customers", "columns": ["open", "zzz", "<x>"], "next": here}

    answer = client.post("/columns/", form)

    assert (answer.status_code, answer["Location"]) == (302, "/customers/?all=1&sort=-name")
    assert client.cookies["columns-customers"].value == "open.zzz"
    assert heads_in(client.get("/customers/")) == ["Account", "Open with sub-accounts, EUR"]
    content = client.get("/customers/?format=csv").getvalue().decode("utf-8-sig")
    assert content.splitlines()[0] == 'Account,"Open with sub-accounts, EUR"'
    assert heads_in(client.get("/customers/?columns=kind")) == ["Account", "Type"]

    client.post("/columns/", {**form, "reset": "1", "next": "//evil.example/"})

    assert client.cookies["columns-customers"].value == ""
    assert "Overdue with sub-accounts, EUR" in heads_in(client.get("/customers/"))


def heads_in(answer):
    page = answer.content.decode()
    return [
        re.sub(r"<[^>]*>", "", head).strip()
        for head in re.findall(r"<th scope=\"col\"[^>]*>(.*?)</th>", page, re.S)
    ]


@pytest.mark.parametrize("table", ["", "x" * 41, "a;b", "COLUMNS", "\r\n"])
def test_remembers_nothing_of_what_is_no_table(billed, alice, visit, table):
    client = visit(alice)

    client.post("/columns/", {"table": table, "columns": ["open"]})

    assert [name for name in client.cookies if name.startswith("columns")] == []
