"""Lists are read to their end by key, whatever comes or goes meanwhile."""

from datetime import date

import pytest
from django.core import signing

from invoicing.models import Invoice
from tenancy import database
from tests.http.api import world
from tests.http.api.test_refusals import assert_problem
from tests.scenes import scene
from tests.world import account

MANY = [account(f"N{number:02}", "S", name=f"Same name {number % 3}") for number in range(23)]


@scene
def nordlicht():
    made = world.vendor("nordlicht")
    world.add_accounts(made, MANY)
    world.subscribe(made, [("G", 1), ("B", 1), *((row["external_id"], 1) for row in MANY)])
    world.bill(made)
    world.bill(made, issue=False, run_date=date(2027, 1, 1))
    return made


def pages(api, path, limit):
    """Yield the rows of each page, to the end."""
    cursor = ""
    while True:
        separator = "&" if "?" in path else "?"
        body = api.get(f"{path}{separator}limit={limit}{cursor}").json()
        yield body["data"]
        assert body["has_more"] is (body["next_cursor"] is not None)
        if not body["has_more"]:
            return
        cursor = f"&cursor={body['next_cursor']}"


@pytest.mark.parametrize("limit", [1, 7, 28, 200])
@pytest.mark.parametrize(
    "path",
    [
        "/api/v1/accounts",
        "/api/v1/accounts?in=ext:S&q=Same",
        "/api/v1/accounts/ext:S/subtree",
        "/api/v1/invoices",
        "/api/v1/charges",
        "/api/v1/billing-runs",
    ],
)
def test_reads_each_row_once(api, path, limit):
    whole = api.get(path if "?" in path else f"{path}?limit=200").json()["data"]

    read = list(pages(api, path, limit))

    assert [row for page in read for row in page] == whole
    assert all(len(page) == limit for page in read[:-1])
    assert len(read) == max(1, -(-len(whole) // limit))


def test_reads_on_from_drafts_to_what_is_issued(api, nordlicht):
    rows = [row for page in pages(api, "/api/v1/invoices", 1) for row in page]

    assert [row["issue_date"] for row in rows] == [None] * 3 + ["2026-12-01"] * 3
    with database.scope(nordlicht.id):
        assert len(rows) == Invoice.objects.count()


def test_neither_skips_nor_doubles_when_rows_come_between(api, nordlicht):
    first = api.get("/api/v1/accounts?limit=10").json()
    world.add_accounts(nordlicht, [account("early", name="A first one")])
    rest = api.get(f"/api/v1/accounts?limit=200&cursor={first['next_cursor']}").json()

    ids = [row["external_id"] for body in (first, rest) for row in body["data"]]

    assert len(ids) == len(set(ids)) == 28
    assert "early" not in ids


def test_goes_on_with_another_limit(api):
    first = api.get("/api/v1/accounts?limit=3").json()
    second = api.get(f"/api/v1/accounts?limit=5&cursor={first['next_cursor']}").json()
    whole = api.get("/api/v1/accounts").json()["data"]

    assert first["data"] + second["data"] == whole[:8]


def test_pages_by_fifty_unless_told(api, nordlicht):
    world.add_accounts(nordlicht, [account(f"M{n}", name=f"More {n}") for n in range(40)])

    body = api.get("/api/v1/accounts").json()

    assert (len(body["data"]), body["has_more"]) == (50, True)


def test_takes_no_cursor_of_another_list(api):
    cursor = api.get("/api/v1/accounts?limit=1").json()["next_cursor"]
    for path in (
        "/api/v1/invoices?",
        "/api/v1/accounts/ext:S/subtree?",
        "/api/v1/accounts?kind=company&",
    ):
        assert_problem(api.get(f"{path}cursor={cursor}"), 400, "invalid_cursor")


def test_takes_no_cursor_of_another_vendor(andere, api, caller):
    theirs = caller(andere.secret).get("/api/v1/accounts?limit=1").json()["next_cursor"]

    assert_problem(api.get(f"/api/v1/accounts?cursor={theirs}"), 400, "invalid_cursor")


@pytest.mark.parametrize(
    "cursor",
    [
        "x",
        "eyJhIjoxfQ:1abc:def",
        signing.dumps(["a", "b"]),
        signing.dumps(["a", "b"], salt="cursor"),
        "%F0%9F%92%B6",
        ":::",
        "a" * 2_000,
    ],
    # Signatures bear the second they were made in: workers would name the tests differently.
    ids=["letter", "shape", "other salt", "right salt", "emoji", "empty", "long"],
)
def test_takes_no_cursor_of_its_own_making(api, cursor):
    assert_problem(api.get(f"/api/v1/accounts?cursor={cursor}"), 400, "invalid_cursor")


def test_takes_no_cursor_that_is_far_too_long(api):
    answer = api.get(f"/api/v1/accounts?cursor={'a' * 2_001}")

    assert_problem(answer, 422, "invalid_parameters")


def test_refuses_a_cursor_whose_row_has_left_the_subtree(api, nordlicht):
    body = api.get("/api/v1/accounts/ext:S/subtree?limit=3").json()
    left = body["data"][-1]["external_id"]
    with database.scope(nordlicht.id):
        from accounts import tree

        tree.move(nordlicht.id, nordlicht.accounts[left].id, None)

    answer = api.get(f"/api/v1/accounts/ext:S/subtree?cursor={body['next_cursor']}")

    assert_problem(answer, 400, "invalid_cursor")
