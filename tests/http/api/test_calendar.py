"""``GET /api/v1/calendar``: days, kinds, pages, and who sees what."""

import pytest

from tests.http.api import world
from tests.scenes import scene


@scene
def nordlicht():
    made = world.vendor("nordlicht")
    world.subscribe(made, [("G", 1), ("A", 1), ("A1", 1)])
    world.bill(made)
    return made


@pytest.fixture
def api(nordlicht, caller):
    return caller(nordlicht.key())


def test_lists_what_falls_on_some_days(api):
    answer = api.get("/api/v1/calendar?from=2026-12-01&to=2027-01-31")

    body = answer.json()
    assert answer.status_code == 200
    assert {one["kind"] for one in body["data"]} == {"run", "invoice", "due", "renewal"}
    assert {one["kind"] for one in body["data"] if one["account"] is None} == {"run"}
    first = body["data"][0]
    assert set(first) == {
        "date", "kind", "account", "title", "amount_minor", "currency", "is_part", "links",
    }  # fmt: skip
    assert body["calendar"]["is_being_made"] is False
    assert body["calendar"]["ready_until"] is None


def test_pages_without_a_gap(api):
    path = "/api/v1/calendar?from=2026-12-01&to=2027-03-31"
    whole = api.get(f"{path}&limit=200").json()["data"]
    seen, cursor = [], ""
    while True:
        page = api.get(f"{path}&limit=3{cursor}").json()
        seen += page["data"]
        if not page["has_more"]:
            break
        cursor = f"&cursor={page['next_cursor']}"

    assert len(whole) > 6
    assert seen == whole


def test_keeps_to_kinds(api):
    path = "/api/v1/calendar?from=2026-12-01&to=2027-03-31"

    body = api.get(f"{path}&kinds=renewal,end").json()

    assert {one["kind"] for one in body["data"]} == {"renewal"}


def test_shows_a_key_the_kinds_of_its_scopes(nordlicht, caller):
    key = nordlicht.key(scopes=["invoices:read"])

    body = caller(key).get("/api/v1/calendar?from=2026-12-01&to=2027-03-31").json()

    assert {one["kind"] for one in body["data"]} == {"invoice", "due"}


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("from=2026-12-02&to=2026-12-01", "dates_too_far"),
        ("from=2026-12-02&to=2028-12-01", "dates_too_far"),
        ("kinds=party", "invalid_parameters"),
        ("from=yesterday", "invalid_parameters"),
        ("in=ext:nobody", "invalid_parameters"),
    ],
)
def test_refuses_what_means_nothing(api, query, code):
    answer = api.get(f"/api/v1/calendar?{query}")

    assert answer.status_code == 422
    assert answer.json()["code"] == code
