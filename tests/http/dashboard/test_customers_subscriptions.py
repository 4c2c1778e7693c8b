"""The subscriptions of an account: its own, or with all below it, as of any day."""

import io
import zipfile
from datetime import date
from http import HTTPStatus

import pytest

from accounts.operations.moving import place_account
from dashboard.pages.customers import subscriptions as page_module
from subscriptions.models import Subscription
from tenancy.queries import paging
from tests.http.dashboard.conftest import NASTY
from tests.http.dashboard.test_customers_account import read, url_of
from tests.http.dashboard.test_customers_money import rows
from tests.http.dashboard.test_subscriptions import text_of
from tests.markup import squeezed
from tests.scenes import scene
from tests.world import account, price, subscription

MOST_STATEMENTS = 13
"""One more than other pages have: what waits for its invoice decides when the next one comes."""


@scene
def sold(billed):
    """A branch with what runs, begins later, ends and has ended, and a team that differs."""
    billed.has(
        "accounts",
        account("own", "branch", name="Eigen", bill_to="own", payer="group"),
        account("team", "branch", name="Team"),
    )
    billed.has("prices", price("support", "50.00", currency="CHF", tax_rate=19))
    billed.has(
        "subscriptions",
        subscription("later", "branch", "platform", "2027-03-01"),
        subscription("over", "branch", "platform", "2025-01-01", end_date="2026-01-01"),
        subscription("s5", "own", "seats", "2026-11-01", quantity=3),
        subscription("s6", "team", "support", "2026-11-01", end_date="2027-06-01"),
    )
    with billed.seen():
        found = Subscription.objects.filter(external_id="s6")
        found.update(override_bill_to_id=billed.id_of("branch"), po_number="PO 4711")
    return billed


def names(page):
    return [(row[0], row[1]) for row in rows(page)]


def test_is_shown_to_staff_alone_in_few_statements(
    sold, alice, charlie, bob, visit, other_vendor, statements
):
    url = url_of(sold, "group", "subscriptions/?below=1")

    assert visit(charlie).get(url).status_code == HTTPStatus.NOT_FOUND
    assert visit(bob("group")).get(url).status_code == HTTPStatus.FORBIDDEN
    assert len(statements(visit(alice), url)) <= MOST_STATEMENTS
    assert NASTY not in read(visit(alice), url)


def test_keeps_own_and_those_below_apart(sold, alice, visit):
    client, url = visit(alice), url_of(sold, "branch", "subscriptions/")
    own, below = client.get(url), client.get(f"{url}?below=1")

    assert "All 3 Active 1 Trial 0 Begins later 1 Paused 0 Ends 0 Ended 1" in text_of(own)
    assert "Sum of all 3 subscriptions of this account €72.00" in text_of(own)
    assert "All 5 Active 2 Trial 0 Begins later 1 Paused 0 Ends 1 Ended 1" in text_of(below)
    assert "Sum of all 5 subscriptions with sub-accounts €99.00" in text_of(below)
    assert "of this account" not in text_of(below)
    assert {used for _name, used in names(own.content.decode())} == {"Zweig Süd"}


def test_says_who_is_invoiced_who_pays_and_why(sold, alice, visit):
    page = read(visit(alice), url_of(sold, "branch", "subscriptions/?below=1&sort=account"))

    found = {row[1]: row for row in rows(page) if row[4] != "–"}
    assert {key: row[-2:] for key, row in found.items()} == {
        "Eigen": ["Eigen", "Gruppe Nord"],
        "Team": ["Zweig Süd", "Zweig Süd"],
        "Zweig Süd": ["Gruppe Nord", "Gruppe Nord"],
    }
    assert found["Team"][2:8] == [
        "1", "CHF50.00 monthly", "CHF50.00", "1 Nov 2026", "1 Jun 2027", "1 Dec 2026"
    ]  # fmt: skip
    for mark in ("set on the account itself", "set on the subscription", "default"):
        assert mark in page


def test_names_the_account_that_something_is_inherited_from(sold, alice, visit):
    sold.has("accounts", account("twig", "own", name="Ast"))
    sold.has("subscriptions", subscription("s7", "twig", "seats", "2026-11-01"))
    page = squeezed(read(visit(alice), url_of(sold, "twig", "subscriptions/")))

    settings = url_of(sold, "own", "settings/")
    assert f'inherited from <a href="{settings}">Eigen</a>' in page


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("q=seats", ["Eigen", "Zweig Süd"]),
        ("q=support+team", ["Team"]),
        ("q=4711", ["Team"]),
        ("q=eigen", ["Eigen"]),
        ("q=%00", ["Eigen", "Team", "Zweig Süd", "Zweig Süd", "Zweig Süd"]),
        ("status=future", ["Zweig Süd"]),
        ("status=non_renewing", ["Team"]),
        ("status=cancelled", ["Zweig Süd"]),
        ("status=cancelled&q=seats", []),
    ],
)
def test_finds(sold, alice, visit, query, found):
    page = read(
        visit(alice), url_of(sold, "branch", f"subscriptions/?below=1&{query}&sort=account")
    )

    assert [used for _name, used in names(page)] == found
    assert ("No subscription has all of what you are looking for." in page) == (not found)


@pytest.mark.parametrize("query", ["status=odd", "as_of=tomorrow", "below=2"])
def test_refuses_a_filter_that_means_nothing(sold, alice, visit, query):
    url = url_of(sold, "branch", f"subscriptions/?{query}")

    assert visit(alice).get(url).status_code == HTTPStatus.UNPROCESSABLE_ENTITY


def test_tells_states_periods_and_settings_of_another_day(sold, alice, visit):
    client, url = visit(alice), url_of(sold, "branch", "subscriptions/?below=1")
    then, later = client.get(f"{url}&as_of=2025-06-15"), client.get(f"{url}&as_of=2027-06-01")

    assert "All 5 Active 0 Trial 0 Begins later 4 Paused 0 Ends 1 Ended 0" in text_of(then)
    assert "As of 15 Jun 2025" in text_of(then)
    assert "All 5 Active 3 Trial 0 Begins later 0 Paused 0 Ends 0 Ended 2" in text_of(later)
    over = next(row for row in rows(then.content.decode()) if row[6] == "1 Jan 2026")
    assert over[-3] == "1 Jul 2025"


def test_shows_the_tree_of_that_day(sold, alice, visit, statements):
    with sold.seen():
        place_account(sold.actor, sold.id_of("team"), sold.id_of("firm"), day=date(2026, 11, 20))
    client = visit(alice)
    branch = url_of(sold, "branch", "subscriptions/?below=1&q=team")
    firm = url_of(sold, "firm", "subscriptions/?below=1&q=team")

    before = read(client, f"{branch}&as_of=2026-11-10")
    assert [row[-2:] for row in rows(before)] == [["Zweig Süd", "Zweig Süd"]]
    assert rows(read(client, branch)) == []
    assert rows(read(client, f"{firm}&as_of=2026-11-10")) == []
    # What names a recipient in another family is invoiced as its account is.
    assert [row[-2:] for row in rows(read(client, firm))] == [["Firma Allein", "Firma Allein"]]
    assert len(statements(client, f"{branch}&as_of=2026-11-10")) <= MOST_STATEMENTS + 2


def test_saves_what_is_shown(sold, alice, visit):
    client = visit(alice)
    url = url_of(
        sold, "branch", "subscriptions/?below=1&status=active&as_of=2027-03-02&sort=account"
        "&columns=account&columns=mrr&columns=payer&columns=payer_origin"
    )  # fmt: skip
    text = b"".join(client.get(f"{url}&format=csv")).decode("utf-8-sig")
    assert text.splitlines() == [
        'Subscription,Used by,"MRR, EUR",Paid by,Payer comes from',
        "Seats,Eigen,27.00,Gruppe Nord,set on the account itself",
        "Seats,Zweig Süd,72.00,Gruppe Nord,default",
        "Platform,Zweig Süd,100.00,Gruppe Nord,default",
    ]
    book = b"".join(client.get(f"{url}&format=xlsx"))
    with zipfile.ZipFile(io.BytesIO(book)) as parts:
        said = "".join(parts.read(name).decode() for name in parts.namelist())
    assert "Zweig Süd and below, Active, As of 2 Mar 2027" in said


def test_goes_through_many_page_by_page(sold, alice, visit, monkeypatch):
    monkeypatch.setattr(paging, "PAGE_SIZE", 2)
    monkeypatch.setattr(paging.page_of, "__kwdefaults__", {"size": 2})
    client, url = visit(alice), url_of(sold, "branch", "subscriptions/?below=1&sort=account")
    first = client.get(url)
    older = first.context["page"].older
    second = read(client, f"{url}&after={older}")

    assert [used for _name, used in names(first.content.decode())] == ["Eigen", "Team"]
    assert [used for _name, used in names(second)] == ["Zweig Süd", "Zweig Süd"]


def test_says_that_a_file_would_be_too_long(sold, alice, visit, monkeypatch):
    monkeypatch.setattr(page_module, "MOST_ROWS", 2)
    answer = visit(alice).get(url_of(sold, "branch", "subscriptions/?below=1&format=csv"))

    assert answer.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
    assert "A file has at most 2 rows" in text_of(answer)


def test_leads_on_where_there_is_nothing(sold, alice, visit):
    sold.has("accounts", account("empty", name="Leer"))
    client, url = visit(alice), url_of(sold, "empty", "subscriptions/")

    assert "Look below it too" in read(client, url)
    assert "has ever had a subscription" in read(client, f"{url}?below=1")
    form = read(client, f"/subscriptions/new/?account={sold.id_of('empty')}")
    assert "New subscription" in form
