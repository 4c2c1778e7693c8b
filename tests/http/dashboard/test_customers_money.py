"""Responsibilities and money flow: who uses, is invoiced and pays, in full and as a picture."""

import re
from http import HTTPStatus

import pytest

from dashboard.pages.customers import flow_reading, responsibilities
from invoicing.models import Invoice
from subscriptions.models import Subscription
from tests.http.dashboard.conftest import NASTY
from tests.http.dashboard.test_customers_account import read, url_of
from tests.markup import squeezed
from tests.scenes import scene
from tests.world import account, subscription

MOST_STATEMENTS = 12


def rows(page):
    """Return the texts of the cells of each row, without the marks of where they come from."""
    body = page.partition("<tbody>")[2].partition("</tbody>")[0]
    found = []
    for row in body.split("<tr>")[1:]:
        cells = re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row, re.S)
        texts = [re.sub(r'<span class="second.*', "", cell, flags=re.S) for cell in cells]
        found.append([re.sub(r"<[^>]+>", "", text).strip() for text in texts])
    return found


@scene
def family(billed):
    """Below the branch one that has its own invoice and one with a subscription for the group."""
    billed.has(
        "accounts",
        account("own", "branch", name="Eigen", bill_to="own", payer="group"),
        account("team", "branch", name="Team", cost_centre="T-9"),
    )
    billed.has(
        "subscriptions",
        subscription("s5", "own", "seats", "2026-11-01", quantity=3),
        subscription("s6", "team", "seats", "2026-11-01", quantity=2),
    )
    with billed.seen():
        branch_id = billed.id_of("branch")
        Subscription.objects.filter(external_id="s6").update(override_bill_to_id=branch_id)
    return billed


@pytest.mark.parametrize("page", ["flow/", "flow/?of=invoiced", "responsibilities/"])
def test_is_shown_to_staff_alone_in_few_statements(
    family, alice, charlie, bob, visit, other_vendor, statements, page
):
    url = url_of(family, "group", page)

    assert visit(charlie).get(url).status_code == HTTPStatus.NOT_FOUND
    assert visit(bob("group")).get(url).status_code == HTTPStatus.FORBIDDEN
    assert len(statements(visit(alice), url)) <= MOST_STATEMENTS
    assert NASTY not in read(visit(alice), url)


def test_names_who_answers_and_where_it_comes_from(family, alice, visit):
    page = read(visit(alice), url_of(family, "branch", "responsibilities/"))

    assert [row[1:5] for row in rows(page)] == [
        ["Eigen", "Eigen", "Eigen", "Gruppe Nord"],
        ["Team", "Gruppe Nord", "Zweig Süd", "Zweig Süd"],
        ["Zweig Süd", "Gruppe Nord", "Gruppe Nord", "Gruppe Nord"],
    ]
    assert [row[7] for row in rows(page)] == ["S-2", "T-9", "S-2"]
    for mark in ("set on the account itself", "set on the subscription", "inherited from"):
        assert mark in page
    said = squeezed(re.sub(r"<[^>]+>", "", page))
    assert "1 subscription (accounts: 1) is invoiced to Eigen and paid by Gruppe Nord." in said


def test_shows_what_differs_alone(family, alice, visit):
    url = url_of(family, "group", "responsibilities/?deviating=1")
    page = read(visit(alice), url)

    assert "Firma Allein" not in page
    # The nasty one says nothing itself; group and branch say cost centres.
    assert {row[1] for row in rows(page)} == {"Gruppe Nord", "Eigen", "Team", "Zweig Süd"}
    assert visit(alice).get(f"{url}0").status_code == HTTPStatus.UNPROCESSABLE_ENTITY


def test_goes_through_many_page_by_page(family, alice, visit, monkeypatch):
    monkeypatch.setattr(responsibilities, "ROWS", 2)
    client, url = visit(alice), url_of(family, "group", "responsibilities/")
    first = read(client, url)
    second = read(client, f"{url}?from=2")

    assert "1 to 2 of 5" in first
    assert "from=2" in first
    assert "3 to 4 of 5" in second
    assert "In words" not in first
    assert len(rows(read(client, f"{url}?from=4"))) == 1
    assert "Nothing to answer for" in read(client, f"{url}?from=99")


def test_says_when_there_is_nothing(family, alice, visit):
    family.has("accounts", account("empty", name="Leer"))
    client = visit(alice)

    assert "Nothing to answer for" in read(client, url_of(family, "empty", "responsibilities/"))
    assert "No money flows here" in read(client, url_of(family, "empty", "flow/"))
    assert "No money flows here" in read(client, url_of(family, "empty", "flow/?of=invoiced"))


def test_adds_up_what_flows_each_month(family, alice, visit):
    page = read(visit(alice), url_of(family, "group", "flow/"))

    found = {(*row[:3], row[4]) for row in rows(page)}
    assert found == {
        ("Gruppe Nord", "Gruppe Nord", "Gruppe Nord", "€100.00"),
        ("Zweig Süd", "Gruppe Nord", "Gruppe Nord", "€72.00"),
        ("Zweig Süd", "Eigen", "Gruppe Nord", "€27.00"),
        ("Zweig Süd", "Zweig Süd", "Zweig Süd", "€18.00"),
        ("&lt;script&gt;alert(&quot;x&quot;)&lt;/script&gt; &amp; Söhne", "Gruppe Nord",
         "Gruppe Nord", "€22.50"),
    }  # fmt: skip
    assert "€239.50" in page.partition("<tfoot>")[2]
    assert "Zweig Süd: €27.00, invoiced to Eigen, paid by Gruppe Nord (1 item)" in page


def test_adds_up_what_was_invoiced(family, alice, visit):
    page = read(visit(alice), url_of(family, "group", "flow/?of=invoiced"))

    # As the run of December froze it: two months of the group, the branch from 15 November on.
    assert {row[1] for row in rows(page)} == {"Gruppe Nord"}
    with family.seen():
        invoice = Invoice.objects.get(bill_to_id=family.id_of("group"))
    total = page.partition("<tfoot>")[2]
    assert f"{invoice.net_minor / 100:,.2f}" in total


def test_draws_the_largest_and_the_others_as_one(family, alice, visit):
    family.has("accounts", *(account(f"k{n}", "group", name=f"Kind {n:03}") for n in range(20)))
    family.has(
        "subscriptions",
        *(subscription(f"t{n}", f"k{n}", "seats", "2026-11-01", quantity=n + 1) for n in range(20)),
    )
    page = read(visit(alice), url_of(family, "group", "flow/"))

    picture = page.partition('<svg class="flow"')[2].partition("</svg>")[0]
    assert picture.count('class="stop"') == 12 + 3 + 2
    assert "Others" in picture
    assert len(rows(page)) == 25


def test_asks_to_begin_further_down_in_a_large_tree(family, alice, visit, monkeypatch):
    monkeypatch.setattr("dashboard.pages.customers.flow.MOST_ACCOUNTS", 2)
    page = read(visit(alice), url_of(family, "group", "flow/"))

    assert "Too many accounts for one picture" in page
    assert "<table" not in page
    assert flow_reading.MOST_ACCOUNTS == 5_000


def test_refuses_amounts_that_mean_nothing(family, alice, visit):
    url = url_of(family, "group", "flow/?of=everything")

    assert visit(alice).get(url).status_code == HTTPStatus.UNPROCESSABLE_ENTITY
