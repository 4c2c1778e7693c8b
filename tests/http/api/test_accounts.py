"""Accounts over the API: shapes, references, filters, subtrees, settings."""

from datetime import date

import pytest

from accounts import tree
from accounts.models import Placement
from tenancy import database
from tests.http.api import world
from tests.world import account


@pytest.fixture
def moved(nordlicht):
    """``A1`` stood below ``B`` until the first of July."""
    a1, b, a = (nordlicht.accounts[name] for name in ("A1", "B", "A"))
    with database.scope(nordlicht.id):
        Placement.objects.filter(account=a1).update(valid_from=date(2026, 7, 1), parent=a)
        Placement.objects.create(
            tenant=nordlicht.tenant, account=a1, parent=b, valid_to=date(2026, 7, 1)
        )
    return nordlicht


def external_ids(answer):
    assert answer.status_code == 200, answer.content
    return [row["external_id"] for row in answer.json()["data"]]


def test_shows_an_account_with_its_place(api, nordlicht):
    a1, a, g = (nordlicht.accounts[name] for name in ("A1", "A", "G"))

    body = api.get("/api/v1/accounts/ext:A1").json()

    created_at = body.pop("created_at")
    assert created_at.endswith("Z")
    assert body == {
        "id": a1.public_id,
        "external_id": "A1",
        "name": "Niederlassung Kiel",
        "kind": "company",
        "status": "active",
        "parent": {"id": a.public_id, "external_id": "A", "name": "Nordhafen Spedition"},
        "legal_name": "A1 GmbH",
        "email": "",
        "address": {
            "line1": "Hafenstr. 1",
            "line2": "",
            "postal_code": "",
            "city": "Bremen",
            "region": "",
            "country": "DE",
        },
        "vat_id": "",
        "currency": "EUR",
        "language": None,
        "time_zone": None,
        "cost_centre": None,
        "tags": [],
        "metadata": {},
        "merged_into": None,
        "vat_id_check": {"form": "none", "vies": "not_asked"},
        "path": [
            {"id": g.public_id, "name": "Nordhafen Gruppe"},
            {"id": a.public_id, "name": "Nordhafen Spedition"},
            {"id": a1.public_id, "name": "Niederlassung Kiel"},
        ],
        "children_count": 0,
    }


def test_shows_the_same_by_either_id(api, nordlicht):
    by_id = api.get(f"/api/v1/accounts/{nordlicht.accounts['G'].public_id}").json()

    assert by_id == api.get("/api/v1/accounts/ext:G").json()
    assert (by_id["parent"], by_id["children_count"]) == (None, 2)


def test_finds_an_external_id_with_a_slash(api, nordlicht):
    world.add_accounts(nordlicht, [account("N/1:7 ä", name="Slash")])

    answer = api.get("/api/v1/accounts/ext:N%2F1:7%20%C3%A4")

    assert answer.json()["external_id"] == "N/1:7 ä"
    assert external_ids(api.get("/api/v1/accounts/ext:N%2F1:7%20%C3%A4/subtree")) == ["N/1:7 ä"]


def test_tells_who_has_it_already_that_nothing_changed(api):
    first = api.get("/api/v1/accounts/ext:G")
    etag = first.headers["ETag"]

    again = api.get("/api/v1/accounts/ext:G", **{"If-None-Match": f'"other", W/{etag}'})
    other = api.get("/api/v1/accounts/ext:A", **{"If-None-Match": etag})

    assert (again.status_code, again.content, again.headers["ETag"]) == (304, b"", etag)
    assert other.status_code == 200
    kept = {one.headers["Cache-Control"] for one in (first, again)}
    assert kept == {"private, no-store"}


def test_lists_all_by_name(api):
    answer = api.get("/api/v1/accounts")

    assert external_ids(answer) == ["B", "A1", "G", "A", "S"]
    assert (answer.json()["next_cursor"], answer.json()["has_more"]) == (None, False)
    assert answer.headers["Cache-Control"] == "private, no-store"
    assert set(answer.json()["data"][0]) == {
        *("id", "external_id", "name", "kind", "status", "parent", "legal_name", "email"),
        *("address", "vat_id", "currency", "language", "time_zone", "cost_centre"),
        *("tags", "metadata", "created_at", "merged_into"),
    }


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("in=ext:A", ["A1", "A"]),
        ("in=ext:A1", ["A1"]),
        ("parent=ext:G", ["B", "A"]),
        ("parent=ext:A1", []),
        ("parent=none", ["G", "S"]),
        ("kind=group", ["G"]),
        ("status=archived", []),
        ("q=NORDHAFEN", ["G", "A"]),
        ("q=a1", ["A1"]),
        ("in=ext:G&kind=company&q=lager", ["B"]),
    ],
)
def test_filters(api, query, found):
    assert external_ids(api.get(f"/api/v1/accounts?{query}")) == found


def test_shows_the_parent_only_where_it_is_in_reach(nordlicht, caller):
    limited = caller(nordlicht.key(reach="A"))

    rows = {row["external_id"]: row for row in limited.get("/api/v1/accounts").json()["data"]}

    assert rows["A"]["parent"] is None
    assert rows["A1"]["parent"]["external_id"] == "A"
    assert external_ids(limited.get("/api/v1/accounts?parent=none")) == ["A"]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("in=ext:B&as_of=2026-06-30", ["B", "A1"]),
        ("in=ext:B&as_of=2026-07-01", ["B"]),
        ("in=ext:A&as_of=2026-06-30", ["A"]),
        ("parent=ext:B&as_of=2026-06-30", ["A1"]),
        ("parent=ext:B", []),
    ],
)
def test_lists_the_tree_as_it_stood(moved, api, query, found):
    assert external_ids(api.get(f"/api/v1/accounts?{query}")) == found


def test_names_the_parent_of_then(moved, api):
    rows = api.get("/api/v1/accounts?q=A1&as_of=2026-06-30").json()["data"]

    assert rows[0]["parent"]["external_id"] == "B"


def test_lists_a_subtree_depth_first(api, nordlicht):
    rows = api.get("/api/v1/accounts/ext:G/subtree").json()["data"]

    assert [(row["external_id"], row["depth"]) for row in rows] == [
        ("G", 0),
        ("B", 1),
        ("A", 1),
        ("A1", 2),
    ]
    assert rows[3] == {
        "id": nordlicht.accounts["A1"].public_id,
        "external_id": "A1",
        "parent": nordlicht.accounts["A"].public_id,
        "name": "Niederlassung Kiel",
        "kind": "company",
        "status": "active",
        "depth": 2,
    }
    assert rows[0]["parent"] is None


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("depth=0", ["G"]),
        ("depth=1", ["G", "B", "A"]),
        ("depth=2", ["G", "B", "A", "A1"]),
        ("as_of=2026-06-30", ["G", "B", "A1", "A"]),
        ("as_of=2026-06-30&depth=1", ["G", "B", "A"]),
    ],
)
def test_lists_a_subtree_to_a_depth_and_as_it_stood(moved, api, query, found):
    assert external_ids(api.get(f"/api/v1/accounts/ext:G/subtree?{query}")) == found


def test_agrees_with_the_recursion_over_parents(api, nordlicht):
    for name, top in nordlicht.accounts.items():
        with database.scope(nordlicht.id):
            below = tree.descendants_by_recursion(nordlicht.id, top.id)
        rows = api.get(f"/api/v1/accounts/ext:{name}/subtree").json()["data"]
        ids = {one.public_id for one in nordlicht.accounts.values() if one.id in below}

        assert {row["id"] for row in rows} == ids


def test_shows_settings_with_where_they_come_from(api, nordlicht):
    g, b = nordlicht.accounts["G"].public_id, nordlicht.accounts["B"].public_id

    of_a1 = api.get("/api/v1/accounts/ext:A1/settings").json()
    of_b = api.get("/api/v1/accounts/ext:B/settings").json()

    assert of_a1["billing_day"] == {"value": 1, "source": "inherited", "from": g, "locked": False}
    assert of_a1["currency"]["source"] == "own"
    assert of_a1["bill_to"]["value"] == g
    assert of_b["bill_to"] == {"value": b, "source": "own", "from": b, "locked": False}
    assert of_b["seller"]["value"].startswith("sel_")
    assert of_b["seller"]["source"] == "tenant"


def test_tells_who_asks(api, nordlicht, caller):
    body = api.get("/api/v1/me").json()
    limited = caller(nordlicht.key(scopes=["accounts:read"], reach="A")).get("/api/v1/me").json()

    assert body["tenant"]["id"] == nordlicht.tenant.public_id
    assert (body["tenant"]["slug"], body["tenant"]["sandbox"]) == ("nordlicht", True)
    assert body["today"] == "2026-12-10"
    assert body["key"]["prefix"] == nordlicht.secret[:16]
    assert "accounts:read" in body["scopes"]
    assert body["reach"] is None
    assert limited["scopes"] == ["accounts:read"]
    assert limited["reach"]["external_id"] == "A"
