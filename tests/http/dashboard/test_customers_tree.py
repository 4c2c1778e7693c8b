"""The tree table: closed accounts, another day, columns, and the tree as a file."""

import csv
import io
import re
from datetime import date, timedelta
from http import HTTPStatus

import pytest
from django.db import connection

from accounts import tree
from accounts.models import Account, Placement
from accounts.queries import past_trees, trees
from dashboard.pages.customers import tree as tree_page
from tests.http.dashboard.test_customers_account import read, rows_in, url_of
from tests.world import TODAY, account

MOVED = TODAY - timedelta(days=3)


@pytest.fixture
def moved(billed):
    """The branch, with a team below it, stood below the nasty one until three days ago."""
    billed.has("accounts", account("team", "branch", name="Team Eins"))
    with billed.seen():
        ids = {key: billed.id_of(key) for key in ("branch", "nasty", "group")}
        Placement.objects.filter(account_id=ids["branch"]).delete()
        for parent, start, end in (
            ("nasty", date(1, 1, 1), MOVED),
            ("group", MOVED, None),
        ):
            Placement.objects.create(
                tenant_id=billed.tenant_id,
                account_id=ids["branch"],
                parent_id=ids[parent],
                valid_from=start,
                valid_to=end,
            )
    return billed


def levels(page):
    return {name[:6]: int(level) for level, name in rows_in(page)}


def heads(page):
    return re.findall(r'role="columnheader"[^>]*>([^<]+)<', page)


@pytest.mark.parametrize(("huge", "many"), [(10_000, 5_000), (0, 5_000), (0, 0)])
def test_hides_what_is_closed_until_asked(billed, alice, visit, monkeypatch, huge, many):
    monkeypatch.setattr(trees, "HUGE_TREE", huge)
    monkeypatch.setattr(trees, "MANY_FOUND", many)
    client, url = visit(alice), url_of(billed, "group", "tree/")
    with billed.seen():
        Account.objects.filter(pk=billed.id_of("branch")).update(status="archived")

    assert "Zweig Süd" not in read(client, url)
    shown = read(client, f"{url}?closed=1")
    assert "Zweig Süd" in shown
    assert "Archived" in shown
    assert "Zweig Süd" not in read(client, f"{url}?q=zweig")
    assert "<mark>Zweig Süd</mark>" in read(client, f"{url}?q=zweig&closed=1")


@pytest.mark.parametrize("whole", [500, 0])
def test_keeps_what_is_closed_above_what_is_in_use(billed, alice, visit, monkeypatch, whole):
    monkeypatch.setattr(trees, "WHOLE_TREE", whole)
    billed.has("accounts", account("team", "branch", name="Team Eins"))
    with billed.seen():
        Account.objects.filter(pk=billed.id_of("branch")).update(status="archived")
        Account.objects.filter(pk=billed.id_of("nasty")).update(status="archived")
    page = read(visit(alice), url_of(billed, "group", "tree/"))

    assert "Zweig Süd" in page
    assert "Söhne" not in page


def test_shows_the_tree_of_another_day(moved, alice, visit):
    client, url = visit(alice), url_of(moved, "group", "tree/")
    now = read(client, url)
    then = read(client, f"{url}?as_of={MOVED - timedelta(days=1)}")

    assert levels(now) == {"Gruppe": 1, "Zweig ": 2, "Team E": 3, "&lt;sc": 2}
    assert levels(then) == {"Gruppe": 1, "&lt;sc": 2, "Zweig ": 3, "Team E": 4}
    assert "Overdue with sub-accounts, EUR" in heads(now)
    assert "Overdue with sub-accounts, EUR" not in heads(then)
    assert "as of 19 Nov 2026" in then
    # 100 + 8 x 9 + 2.5 x 9; on that day the branch's 72 belonged to the nasty one.
    assert "194.50" in then
    assert "94.50" in then
    assert "94.50" not in now.replace("194.50", "")


@pytest.mark.parametrize("query", ["as_of={day}", "as_of={day}&q=team", "as_of={day}&closed=1"])
def test_reads_another_day_in_few_statements(moved, alice, visit, statements, query):
    url = url_of(moved, "group", "tree/")
    asked = query.format(day=MOVED - timedelta(days=1))

    assert len(statements(visit(alice), f"{url}?{asked}")) <= 12


def test_opens_branches_of_another_day(moved, alice, visit, monkeypatch):
    client, day = visit(alice), MOVED - timedelta(days=1)
    part = read(
        client,
        url_of(moved, "nasty", f"tree/?as_of={day}&level=3"),
        headers={"HX-Request": "true"},
    )

    assert rows_in(part) == [("3", "Zweig Süd")]
    assert f"as_of={day}" in part
    found = read(client, url_of(moved, "group", f"tree/?as_of={day}&q=team"))
    assert levels(found) == {"Gruppe": 1, "&lt;sc": 2, "Zweig ": 3, "Team E": 4}


@pytest.mark.parametrize("query", ["as_of=nonsense", "as_of=20261201&format=csv", "closed=yes"])
def test_refuses_a_filter_that_means_nothing(billed, alice, visit, query):
    answer = visit(alice).get(url_of(billed, "group", f"tree/?{query}"))

    assert answer.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
    assert "is nothing to filter by. Nothing was listed or saved." in answer.content.decode()


def test_takes_no_day_for_today(billed, alice, visit):
    page = read(visit(alice), url_of(billed, "group", "tree/?as_of=&from=x&format=pdf"))

    assert "Overdue with sub-accounts, EUR" in heads(page)


def test_shows_chosen_columns(billed, alice, visit):
    query = "?columns=status&columns=subscriptions&columns=next&columns=currency"
    query += "&columns=language&columns=payment_terms_days&columns=cost_centre"
    page = read(visit(alice), url_of(billed, "group", f"tree/{query}"))

    assert heads(page) == [
        "Account",
        "Status",
        "Subscriptions of this account",
        "Next billing with sub-accounts",
        "Currency",
        "Invoice language",
        "Payment terms",
        "Cost centre",
    ]
    row = page[page.index(">Zweig Süd<") :].split("</tr>")[0]
    for part in ("Active", ">1<", "EUR", "14 days net", "S-2"):
        assert part in row


def test_saves_the_whole_tree_with_levels_and_paths(moved, alice, visit, monkeypatch):
    monkeypatch.setattr(trees, "WHOLE_TREE", 0)
    answer = visit(alice).get(url_of(moved, "group", "tree/?format=csv&columns=mrr"))
    rows = list(csv.DictReader(io.StringIO(answer.getvalue().decode("utf-8-sig"))))

    assert [(row["Level"], row["Path"]) for row in rows[2:4]] == [
        ("2", "Gruppe Nord / Zweig Süd"),
        ("3", "Gruppe Nord / Zweig Süd / Team Eins"),
    ]
    assert rows[0]["MRR with sub-accounts, EUR"] == "194.50"
    assert len(rows) == 4
    assert visit(alice).get(url_of(moved, "group", "tree/?format=xlsx")).getvalue()[:2] == b"PK"


@pytest.mark.parametrize("day", ["", f"&as_of={MOVED - timedelta(days=1)}"])
def test_shows_the_first_of_many_that_are_found(moved, alice, visit, monkeypatch, day):
    client, url = visit(alice), url_of(moved, "group", "tree/")
    moved.has("accounts", *(account(f"many{n}", "team", name=f"Viel {n}") for n in range(4)))
    monkeypatch.setattr(trees, "FOUND_AT_ONCE", 3)
    monkeypatch.setattr(past_trees, "FOUND_AT_ONCE", 3)

    page = read(client, f"{url}?q=viel{day}")

    assert re.findall(r"<mark>(Viel .)</mark>", page) == ["Viel 0", "Viel 1", "Viel 2"]
    assert "The first 3 of 4 accounts found. Type more to see others." in page
    assert "Team Eins" in page
    assert "1 account found" in read(client, f"{url}?q=viel+3{day}")


def test_search_costs_the_same_however_many_are_found(billed, alice, visit, statements):
    client, url = visit(alice), url_of(billed, "group", "tree/?q=viel")
    billed.has("accounts", account("few", "branch", name="Viel"))
    read(client, url)
    few = statements(client, url)
    rows = (account(f"many{n}", f"many{n - 1}" if n % 9 else "branch", name=f"Viel {n}")
            for n in range(60))  # fmt: skip
    billed.has("accounts", *rows)
    many = statements(client, url)

    assert len(many) == len(few) <= 14


@pytest.mark.parametrize("page", ["tree/", "tree/?q=viel", "chart/"])
def test_reads_trees_by_indexes_whatever_the_statistics(billed, alice, visit, statements, page):
    """Tables of a few rows are scanned gladly: that every step could use an index is asked."""
    sent = statements(visit(alice), url_of(billed, "group", page))
    plans = []
    with billed.seen(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        for sql in sent:
            if "accounts_account" in sql and sql.lstrip().startswith(("SELECT", "WITH", "(SELECT")):
                cursor.execute(f"EXPLAIN {sql}")
                plans += [row[0] for row in cursor.fetchall()]

    assert len(plans) > 20
    assert not [line for line in plans if "Seq Scan on" in line]


def test_refuses_a_file_that_is_too_long(billed, alice, visit, monkeypatch):
    monkeypatch.setattr(tree_page, "MOST_ROWS", 1)
    answer = visit(alice).get(url_of(billed, "group", "tree/?format=csv"))

    assert answer.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
    assert "This is too much for one file" in answer.content.decode()


def test_keeps_the_order_of_a_tree_after_moves(billed, alice, visit):
    with billed.seen():
        tree.move(billed.tenant_id, billed.id_of("nasty"), billed.id_of("branch"))
    page = read(visit(alice), url_of(billed, "group", "tree/"))

    assert [level for level, _name in rows_in(page)] == ["1", "2", "3"]
