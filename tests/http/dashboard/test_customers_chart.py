"""The org chart: what it draws of large trees, folds, other days, lines, the picture as a file."""

import re
from datetime import timedelta
from http import HTTPStatus
from xml.etree import ElementTree

import pytest

from dashboard.pages.customers import chart_reading
from tenancy.ids import public_id
from tests.http.dashboard.conftest import NASTY
from tests.http.dashboard.test_customers_account import read, url_of
from tests.http.dashboard.test_customers_tree import MOVED, moved  # noqa: F401
from tests.scenes import scene
from tests.world import TODAY, account

MOST_STATEMENTS = 12


def cards(page):
    """Return level and name of every card."""
    found = re.findall(r'role="treeitem" aria-level="(\d+)"[^>]*aria-label="([^"]*)"', page)
    return [(int(level), re.split(r", (?=[A-Z])", label)[0]) for level, label in found]


def ties(page):
    return re.findall(r'class="tie (\w+)" d=', page.partition('role="tree"')[2])


def folds(page):
    found = re.findall(r'class="fold" href="([^"]+)" aria-label="([^"]+)"', page)
    return {label: url.replace("&amp;", "&") for url, label in found}


@scene
def wide(billed):
    """Forty accounts below the branch, and thirty below the first of those."""
    billed.has("accounts", *(account(f"k{n}", "branch", name=f"Kind {n:03}") for n in range(40)))
    billed.has("accounts", *(account(f"e{n}", "k0", name=f"Enkel {n:03}") for n in range(30)))
    return billed


@pytest.mark.parametrize("page", ["chart/", "chart/?format=svg"])
def test_is_shown_to_staff_alone(billed, charlie, bob, visit, other_vendor, page):
    url = url_of(billed, "branch", page)

    assert visit(charlie).get(url).status_code == HTTPStatus.NOT_FOUND
    assert visit(bob("group")).get(url).status_code == HTTPStatus.FORBIDDEN


def test_draws_the_tree_with_what_each_account_says(billed, alice, visit):
    page = read(visit(alice), url_of(billed, "group", "chart/"))

    assert cards(page) == [
        (1, "Gruppe Nord"),
        (2, "&lt;script&gt;alert(&quot;x&quot;)&lt;/script&gt; &amp; Söhne"),
        (2, "Zweig Süd"),
    ]
    assert NASTY not in page
    assert (
        "Zweig Süd, Company. MRR with sub-accounts: €72.00. Invoiced to: Gruppe Nord. "
        "Paid by: Gruppe Nord. Sub-accounts: 0." in page
    )
    # The group's own 100, 8 x 9 of the branch, 2.5 x 9 of the other.
    assert "MRR with sub-accounts: €194.50" in page
    assert ties(page) == ["invoiced", "invoiced"]


def test_draws_who_pays_from_recipient_to_payer(billed, alice, visit):
    billed.has("accounts", account("own", "branch", name="Eigen", bill_to="own", payer="group"))
    page = read(visit(alice), url_of(billed, "group", "chart/"))

    assert sorted(ties(page)) == ["invoiced", "invoiced", "pays"]
    assert "Eigen, Company. MRR with sub-accounts: –. Invoiced to: Eigen. Paid by: Gruppe" in page
    # Seen from the branch, the payer stands above the picture.
    assert ties(read(visit(alice), url_of(billed, "branch", "chart/"))) == []


def test_a_line_to_a_recipient_further_up_runs_by_the_account_between(billed, alice, visit):
    billed.has("accounts", account("low", "branch", name="Unten"))
    page = read(visit(alice), url_of(billed, "group", "chart/"))

    ways = re.findall(r'class="tie invoiced" d="([^"]*)"', page.partition('role="tree"')[2])
    assert len(ways) == 3
    # Each leads to the next column alone, along the lines of the tree.
    assert all("C" not in way for way in ways)
    # Whom all of these are invoiced to stands above the picture.
    assert ties(read(visit(alice), url_of(billed, "branch", "chart/"))) == []


def test_hides_lines_that_were_switched_off(billed, alice, visit):
    client, url = visit(alice), url_of(billed, "group", "chart/")

    assert 'class="org "' in read(client, url)
    assert 'class="org no-pays"' in read(client, f"{url}?lines=none&lines=invoiced")
    page = read(client, f"{url}?lines=none")
    assert 'class="org no-invoiced no-pays"' in page
    assert "checked" not in page.partition("data-chart-switches")[2].partition("as_of")[0]


def test_draws_some_of_many_and_leads_to_the_others(wide, alice, visit):
    client = visit(alice)
    page = read(client, url_of(wide, "group", "chart/"))

    shown = cards(page)
    assert (3, "Kind 011") in shown
    assert (3, "Kind 012") not in shown
    assert (3, "+ 28 more below Zweig Süd") in shown
    (url,) = re.findall(r'href="([^"]+from=12)"', page)
    further = cards(read(client, url))
    assert further[:3] == [
        (1, "Zweig Süd"),
        (2, "12 accounts before below Zweig Süd"),
        (2, "Kind 012"),
    ]
    assert further[-1] == (2, "+ 4 more below Zweig Süd")


def test_opens_and_shuts_branches(wide, alice, visit):
    client = visit(alice)
    page = read(client, url_of(wide, "branch", "chart/"))
    assert (3, "Enkel 000") in cards(page)

    shut = read(client, folds(page)["Close the accounts below Kind 000"])
    assert (3, "Enkel 000") not in cards(shut)
    again = read(client, folds(shut)["Open the accounts below Kind 000: 30"])
    assert cards(again) == cards(page)


def test_answers_an_open_page_with_the_chart_alone(wide, alice, visit):
    url = url_of(wide, "branch", f"chart/?shut={public_id('acc', wide.id_of('k0'))}")
    answer = visit(alice).get(url, headers={"HX-Request": "true"})

    part = answer.content.decode()
    assert "<html" not in part
    assert part.lstrip().startswith('<section class="card org-chart" id="org-chart"')
    assert answer["HX-Push-Url"] == url


def test_goes_on_from_an_account_far_below(billed, alice, visit):
    above = ["branch", *(f"d{n}" for n in range(8))]
    billed.has("accounts", *(account(f"d{n}", above[n], name=f"Tiefe {n}") for n in range(8)))
    client = visit(alice)
    opened = "&".join(f"open={public_id('acc', billed.id_of(key))}" for key in above)
    page = read(client, url_of(billed, "group", f"chart/?{opened}"))

    assert max(level for level, _name in cards(page)) == 5
    url = folds(page)["Go on from Tiefe 2, sub-accounts: 5"]
    assert url == url_of(billed, "d2", "chart/")
    assert cards(read(client, url))[0] == (1, "Tiefe 2")


def test_says_when_more_was_opened_than_can_be_drawn(wide, alice, visit, monkeypatch):
    monkeypatch.setattr(chart_reading, "MOST", 20)
    monkeypatch.setattr(chart_reading, "_OPENED_BY_ITSELF", 20)
    opened = f"open={public_id('acc', wide.id_of('branch'))}&open="
    page = read(
        visit(alice),
        url_of(wide, "group", f"chart/?{opened}{public_id('acc', wide.id_of('k0'))}"),
    )

    assert "are too many for one picture" in page
    assert (4, "Enkel 000") not in cards(page)


def test_shows_the_tree_of_another_day(moved, alice, visit):
    client, day = visit(alice), MOVED - timedelta(days=1)
    now = read(client, url_of(moved, "group", "chart/"))
    then = read(client, url_of(moved, "group", f"chart/?as_of={day}"))

    assert (2, "Zweig Süd") in cards(now)
    assert (3, "Zweig Süd") in cards(then)
    assert "Open the accounts below Zweig Süd: 1" in folds(then)
    assert "as of 19 Nov 2026" in then
    # On that day the branch's 72 belonged to the nasty one.
    assert "Söhne, Company. MRR with sub-accounts: €94.50" in then
    opened = read(client, folds(then)["Open the accounts below Zweig Süd: 1"])
    assert (4, "Team Eins") in cards(opened)
    assert "as of 19 Nov 2026" in opened


@pytest.mark.parametrize("query", ["", "?as_of={day}", "?format=svg", "?as_of={day}&closed=1"])
def test_reads_little_however_large_the_tree_is(
    wide,
    moved,
    alice,
    visit,
    statements,
    query,
):
    above = ["e0", *(f"d{n}" for n in range(6))]
    wide.has("accounts", *(account(f"d{n}", above[n], name=f"Tiefe {n}") for n in range(6)))
    url = url_of(wide, "group", f"chart/{query.format(day=MOVED - timedelta(days=1))}")

    assert len(statements(visit(alice), url)) <= MOST_STATEMENTS


def test_is_saved_as_a_picture(billed, alice, visit):
    answer = visit(alice, "de").get(url_of(billed, "group", "chart/?format=svg&lines=invoiced"))

    assert answer["Content-Type"].startswith("image/svg+xml")
    assert f"gruppe-nord-organigramm-{TODAY}.svg" in answer["Content-Disposition"]
    picture = ElementTree.fromstring(answer.content)
    texts = ["".join(one.itertext()) for one in picture.iter("{http://www.w3.org/2000/svg}text")]
    assert {"Organigramm von Gruppe Nord", "Zweig Süd", "Rechnung an"} <= set(texts)
    assert "Wer zahlt" not in texts
    assert b"<script" not in answer.content


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("as_of=nonsense", HTTPStatus.UNPROCESSABLE_ENTITY),
        ("lines=everything", HTTPStatus.UNPROCESSABLE_ENTITY),
        ("format=gif", HTTPStatus.UNPROCESSABLE_ENTITY),
        ("closed=yes", HTTPStatus.UNPROCESSABLE_ENTITY),
        ("open=nonsense", HTTPStatus.NOT_FOUND),
        ("open=acc_%00", HTTPStatus.NOT_FOUND),
        ("from=x", HTTPStatus.OK),
        ("from=99999", HTTPStatus.OK),
    ],
)
def test_refuses_what_means_nothing(billed, alice, visit, query, status):
    assert visit(alice).get(url_of(billed, "group", f"chart/?{query}")).status_code == status
