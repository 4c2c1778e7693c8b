"""Contacts and their roles over the API."""

import json
from typing import Any

import pytest

from accounts.models import Contact, Grant
from tenancy.models import AuditEntry
from tests.http.api.test_refusals import assert_problem

KIM = {"account": "ext:A", "name": "Kim", "email": "kim@a.example", "language": "de"}


@pytest.fixture
def kim(api):
    return api.post("/api/v1/contacts", {**KIM, "external_id": "kim"}).json()


def stored(shop: Any) -> list[Any]:
    with shop.seen():
        return [sorted(map(str, m.objects.values_list())) for m in (Contact, Grant, AuditEntry)]


def patch(caller: Any, path: str, body: Any, **headers: str) -> Any:
    return caller.client.patch(
        path,
        json.dumps(body),
        content_type="application/json",
        headers={"Authorization": f"Bearer {caller.secret}", **headers},
    )


def grant(caller: Any, **values: Any) -> Any:
    body = {"contact": "ext:kim", "account": "ext:A", "role": "viewer", **values}
    return caller.post("/api/v1/grants", body)


def test_makes_and_shows_a_contact(api, nordlicht):
    answer = api.post("/api/v1/contacts", {**KIM, "external_id": "kim"})

    assert answer.status_code == 201, answer.content
    body = answer.json()
    a = nordlicht.accounts["A"]
    assert body.pop("created_at").endswith("Z")
    assert body == {
        "id": body["id"],
        "external_id": "kim",
        "account": {"id": a.public_id, "external_id": "A", "name": a.name},
        "name": "Kim",
        "email": "kim@a.example",
        "language": "de",
        "has_login": False,
    }
    assert api.get("/api/v1/contacts/ext:kim").json()["id"] == body["id"]
    assert answer.headers["ETag"] == api.get(f"/api/v1/contacts/{body['id']}").headers["ETag"]


def test_lists_contacts_of_a_subtree(api, kim):
    api.post("/api/v1/contacts", {**KIM, "account": "ext:B", "name": "Bo"})

    for query, names in (("", ["Bo", "Kim"]), ("in=ext:A", ["Kim"]), ("account=ext:G", [])):
        found = api.get(f"/api/v1/contacts?{query}").json()["data"]
        assert [one["name"] for one in found] == names, query


def test_the_same_again_is_the_same_contact(api, kim, nordlicht):
    before = stored(nordlicht)

    again = api.post("/api/v1/contacts", {**KIM, "external_id": "kim"})

    assert (again.status_code, again.json()) == (200, kim)
    other = api.post("/api/v1/contacts", {**KIM, "external_id": "kim", "name": "Kai"})
    assert_problem(other, 409, "external_id_taken")
    assert stored(nordlicht) == before


@pytest.mark.parametrize(
    ("wrong", "code", "pointer"),
    [
        ({"email": "nobody"}, "invalid_contact", "/email"),
        ({"name": "\x07"}, "invalid_contact", "/name"),
        ({"name": "N" * 10_000}, "invalid_contact", "/name"),
        ({"language": "fr"}, "invalid_contact", "/language"),
        ({"name": ""}, "invalid_body", "/name"),
        ({"account": "ext:nobody"}, "invalid_body", "/account"),
        ({"phone": "1"}, "invalid_body", "/phone"),
    ],
)
def test_refuses_what_cannot_be(api, nordlicht, wrong, code, pointer):
    before = stored(nordlicht)

    body = assert_problem(api.post("/api/v1/contacts", {**KIM, **wrong}), 422, code)

    assert [one["pointer"] for one in body["errors"]] == [pointer]
    assert stored(nordlicht) == before


def test_changes_a_contact_that_is_as_seen(api, kim, nordlicht):
    url = f"/api/v1/contacts/{kim['id']}"
    old = api.get(url).headers["ETag"]

    first = patch(api, url, {"email": "k@a.example"}, **{"If-Match": old})
    before = stored(nordlicht)
    late = patch(api, url, {"email": "late@a.example"}, **{"If-Match": old})

    assert first.json() == {**kim, "email": "k@a.example"}
    assert_problem(late, 412, "precondition_failed")
    assert_problem(patch(api, url, {"email": ""}), 422, "invalid_body")
    tried = patch(api, f"{url}?dry_run=true", {"name": "Tried"})
    assert tried.json()["name"] == "Tried"
    assert stored(nordlicht) == before


def test_gives_a_role_and_ends_it(api, kim, nordlicht):
    answer = grant(api, starts_on="2026-12-01")
    again = grant(api, starts_on="2026-12-01")

    assert (answer.status_code, again.status_code) == (201, 200)
    body = answer.json()
    assert again.json() == body
    assert (body["contact"]["external_id"], body["account"]["external_id"]) == ("kim", "A")
    assert (body["role"], body["starts_on"], body["ends_on"]) == ("viewer", "2026-12-01", None)
    assert_problem(grant(api, ends_on="2027-01-01"), 409, "already_granted")
    listed = api.get("/api/v1/grants?in=ext:G&contact=ext:kim").json()["data"]
    assert listed == [body]

    url = f"/api/v1/grants/{body['id']}/ending"
    ended = api.post(url, {})
    assert ended.json() == {**body, "ends_on": "2026-12-10"}
    before = stored(nordlicht)
    assert api.post(url, {"ends_on": "2027-05-01"}).json() == ended.json()
    assert stored(nordlicht) == before
    assert grant(api).status_code == 201


@pytest.mark.parametrize(
    ("values", "code"),
    [
        ({"role": "owner"}, "invalid_body"),
        ({"contact": "ext:nobody"}, "invalid_body"),
        ({"account": "ext:nobody"}, "invalid_body"),
        ({"starts_on": "2027-01-01", "ends_on": "2027-01-01"}, "invalid_grant"),
    ],
)
def test_refuses_a_role_that_cannot_be(api, kim, nordlicht, values, code):
    before = stored(nordlicht)

    assert_problem(grant(api, **values), 422, code)
    assert stored(nordlicht) == before


def test_ends_nothing_in_the_past(api, kim, nordlicht):
    made = grant(api).json()
    before = stored(nordlicht)

    answer = api.post(f"/api/v1/grants/{made['id']}/ending", {"ends_on": "2026-12-09"})

    assert_problem(answer, 422, "invalid_grant")
    assert stored(nordlicht) == before


def test_nobody_gives_more_than_they_have(api, caller, kim, nordlicht):
    scopes = ["accounts:read", "settings:read", "subscriptions:read", "invoices:read"]
    key = caller(nordlicht.key(scopes=[*scopes, "people:write"]))

    assert_problem(grant(key, role="admin"), 403, "forbidden")
    assert grant(key, role="viewer").status_code == 201


def test_a_key_of_a_branch_stays_in_it(caller, kim, nordlicht):
    key = caller(nordlicht.key(reach="A1"))
    before = stored(nordlicht)

    assert_problem(key.get(f"/api/v1/contacts/{kim['id']}"), 404, "not_found")
    assert_problem(patch(key, f"/api/v1/contacts/{kim['id']}", {"name": "x"}), 404, "not_found")
    assert_problem(key.post("/api/v1/contacts", KIM), 422, "invalid_body")
    assert_problem(grant(key, account="ext:A1"), 422, "invalid_body")
    assert stored(nordlicht) == before


def test_another_vendors_people_are_nobodys(caller, api, kim, nordlicht, andere):
    stranger = caller(andere.secret)
    made = grant(api).json()
    before = stored(nordlicht)

    assert_problem(stranger.get(f"/api/v1/contacts/{kim['id']}"), 404, "not_found")
    assert_problem(stranger.get(f"/api/v1/grants/{made['id']}"), 404, "not_found")
    assert_problem(stranger.post(f"/api/v1/grants/{made['id']}/ending", {}), 404, "not_found")
    assert_problem(grant(stranger, contact=kim["id"]), 422, "invalid_body")
    assert stored(nordlicht) == before
