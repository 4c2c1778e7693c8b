"""The list of customers as it was on another day: who stood where, settings, figures, files."""

import csv
import io
import re
from datetime import date, timedelta
from http import HTTPStatus

import pytest

from accounts.models import Placement
from accounts.operations import account_settings
from tenancy.queries import paging
from tests.http.dashboard.test_customers import heads_in, names_in, read
from tests.scenes import scene
from tests.world import NOW, TODAY, account, price, subscription

MOVED = TODAY - timedelta(days=3)
THEN = (MOVED - timedelta(days=1)).isoformat()


@scene
def grown(vendor):
    """“Süd” with its team was a customer of its own until three days ago; “Neu” came that day."""
    vendor.has(
        "accounts",
        account("north", name="Nord", payment_terms_days=10),
        account("south", "north", name="Süd"),
        account("team", "south", name="Team"),
        account("new", name="Neu"),
    )
    vendor.has("prices", price("p", "10.00"), price("q", "20.00"), price("r", "30.00"))
    vendor.has(
        "subscriptions",
        subscription("s", "north", "p", "2026-01-01"),
        subscription("t", "team", "q", "2026-01-01"),
        subscription("u", "team", "r", "2026-11-22"),
    )
    with vendor.seen():
        ids = {key: vendor.id_of(key) for key in ("north", "south", "new")}
        Placement.objects.filter(account_id__in=[ids["south"], ids["new"]]).delete()
        for key, parent, start, end in (
            ("south", None, date(1, 1, 1), MOVED),
            ("south", "north", MOVED, None),
            ("new", None, MOVED, None),
        ):
            Placement.objects.create(
                tenant_id=vendor.tenant_id,
                account_id=ids[key],
                parent_id=ids[parent] if parent else None,
                valid_from=start,
                valid_to=end,
            )
    terms = account_settings.WantedSettings({"payment_terms_days": 21}, TODAY, {})
    account_settings.change_settings(
        vendor.actor, vendor.id_of("south"), terms, today=TODAY, now=NOW
    )
    return vendor


def table(client, query):
    answer = client.get(f"/customers/?{query}&format=csv")
    return list(csv.DictReader(io.StringIO(answer.getvalue().decode("utf-8-sig"))))


def test_shows_who_stood_where_and_what_it_brought(grown, alice, visit):
    client = visit(alice)
    now, then = read(client), read(client, f"?as_of={THEN}")

    assert names_in(now) == ["Neu", "Nord"]
    assert names_in(then) == ["Nord", "Süd"]
    assert "as of 19 Nov 2026" in then
    assert [
        one for one in heads_in(client.get(f"/customers/?as_of={THEN}")) if "verdue" in one
    ] == []
    assert "data-bulk" not in then
    columns = "columns=accounts&columns=mrr&columns=mrr_own&columns=open"
    sizes, brings = "Accounts", "MRR with sub-accounts, EUR"
    assert [(row[sizes], row[brings]) for row in table(client, columns)] == [
        ("1", ""), ("3", "60.00")
    ]  # fmt: skip
    assert [(row[sizes], row[brings]) for row in table(client, f"as_of={THEN}&{columns}")] == [
        ("1", "10.00"), ("2", "20.00")
    ]  # fmt: skip
    assert "€30.00" in then


def test_shows_all_accounts_with_the_parent_and_settings_of_that_day(grown, alice, visit):
    client, query = visit(alice), "all=1&columns=payment_terms_days"

    assert [row["Payment terms"] for row in table(client, query)] == [
        "14 days net", "10 days net", "21 days net", "21 days net"
    ]  # fmt: skip
    assert [list(row.values()) for row in table(client, f"{query}&as_of={THEN}")] == [
        ["Nord", "10 days net"], ["Süd", "14 days net"], ["Team", "14 days net"]
    ]  # fmt: skip
    assert ">Nord</a></span>" not in read(client, f"?all=1&as_of={THEN}")
    assert ">Nord</a></span>" in read(client, "?all=1")


@pytest.mark.parametrize("query", ["", "&all=1&columns=cost_centre", "&q=team&all=1", "&kind=x"])
def test_needs_few_statements_and_keeps_its_filters(grown, alice, visit, statements, query):
    client, url = visit(alice), f"/customers/?as_of={THEN}{query}"
    if "kind=x" in query:
        assert client.get(url).status_code == HTTPStatus.UNPROCESSABLE_ENTITY
        return
    assert len(statements(client, url)) <= 12
    assert f'name="as_of" value="{THEN}"' in read(client, url.removeprefix("/customers/"))


def test_pages_through_the_day_and_sums_what_is_found(grown, alice, visit, monkeypatch):
    monkeypatch.setattr(paging.page_of, "__kwdefaults__", {"size": 1})
    client, query, seen = visit(alice), f"?as_of={THEN}&all=1&sort=-accounts", []
    while query:
        page = read(client, query)
        seen += names_in(page)
        following = re.search(r'href="(\?[^"]+)" rel="next"', page)
        query = following[1].replace("&amp;", "&") if following else ""

    assert seen == ["Nord", "Süd", "Team"]
    assert "€20.00" in read(client, f"?as_of={THEN}&q=süd")
    assert client.get("/customers/?as_of=yesterday").status_code == HTTPStatus.UNPROCESSABLE_ENTITY
    assert names_in(read(client, "?as_of=0001-01-01&q=neu")) == []
