"""Making and changing accounts over the API."""

import json
from typing import Any

import pytest

from accounts.models import Account, AccountTag, Placement, SettingInterval
from accounts.models.nodes import BEGINNING
from tenancy.models import AuditEntry, Event
from tests.http.api import world
from tests.http.api.test_refusals import assert_problem
from tests.world import account

ACCOUNTS = "/api/v1/accounts"
FULL = {
    "external_id": "new",
    "name": "Nordhafen Rügen",
    "kind": "subsidiary",
    "parent": "ext:A",
    "legal_name": "Nordhafen Rügen GmbH",
    "email": "post@ruegen.example",
    "address": {
        "line1": "Am Kai 1",
        "line2": "Haus B",
        "postal_code": "18546",
        "city": "Sassnitz",
        "region": "MV",
        "country": "DE",
    },
    "vat_id": "DE136695976",
    "currency": "EUR",
    "language": "de",
    "time_zone": "Europe/Berlin",
    "cost_centre": "4711",
    "tags": ["Gold", "north"],
    "metadata": {"crm": {"id": 7, "open": True}},
}


def patch(caller: Any, path: str, body: Any, **headers: str) -> Any:
    return caller.client.patch(
        path,
        json.dumps(body),
        content_type="application/json",
        headers={"Authorization": f"Bearer {caller.secret}", **headers},
    )


def counted(shop: Any) -> tuple[int, ...]:
    with shop.seen():
        models = (Account, AccountTag, Placement, SettingInterval, AuditEntry, Event)
        return tuple(model.objects.count() for model in models)


def codes(body: Any) -> list[tuple[str, str]]:
    return [(one["pointer"], one["code"]) for one in body["errors"]]


def test_makes_an_account_below_another(api, nordlicht):
    answer = api.post(ACCOUNTS, FULL)

    assert answer.status_code == 201, answer.content
    body = answer.json()
    assert answer.headers["Location"].endswith(f"{ACCOUNTS}/{body['id']}")
    assert answer.headers["ETag"] == api.get(f"{ACCOUNTS}/{body['id']}").headers["ETag"]
    assert {name: body[name] for name in FULL if name != "parent"} == {
        name: value for name, value in FULL.items() if name != "parent"
    }
    assert body["parent"]["external_id"] == "A"
    assert [step["name"] for step in body["path"]] == [
        "Nordhafen Gruppe",
        "Nordhafen Spedition",
        "Nordhafen Rügen",
    ]
    assert body["status"] == "active"
    assert body["vat_id_check"] == {"form": "valid", "vies": "not_asked"}
    with nordlicht.seen():
        made = Account.objects.get(external_id="new")
        placed = Placement.objects.get(account=made)
    assert made.contract_party_id == nordlicht.accounts["G"].id
    assert (placed.parent_id, placed.valid_from) == (nordlicht.accounts["A"].id, BEGINNING)
    assert nordlicht.faults() == []
    assert nordlicht.violations() == []


def test_makes_a_customer_of_its_own(api, nordlicht):
    body = api.post(ACCOUNTS, {"name": " Neu\u00a0GmbH ", "kind": "company"}).json()

    assert (body["parent"], body["name"], body["external_id"]) == (None, "Neu GmbH", None)
    assert body["vat_id_check"] == {"form": "none", "vies": "not_asked"}
    with nordlicht.seen():
        made = Account.objects.get(name="Neu GmbH")
    assert made.contract_party_id == made.id
    assert nordlicht.faults() == []


def test_one_that_has_its_own_invoice_is_party_for_those_below(api, nordlicht):
    api.post(ACCOUNTS, {"external_id": "b1", "name": "B1", "kind": "department", "parent": "ext:B"})

    with nordlicht.seen():
        made = Account.objects.get(external_id="b1")
    assert made.contract_party_id == nordlicht.accounts["B"].id


def test_finds_what_was_made(api):
    api.post(ACCOUNTS, FULL)

    for query in ("q=ruegen", "q=DE136695976", "tag=gold", "in=ext:G&tag=NORTH&kind=subsidiary"):
        found = api.get(f"{ACCOUNTS}?{query}").json()["data"]
        assert [one["external_id"] for one in found] == ["new"], query
    assert api.get(f"{ACCOUNTS}?tag=silver").json()["data"] == []


def test_the_same_again_is_the_same_account(api, nordlicht):
    first = api.post(ACCOUNTS, FULL)
    before = counted(nordlicht)

    second = api.post(ACCOUNTS, FULL)

    assert (first.status_code, second.status_code) == (201, 200)
    assert second.json() == first.json()
    assert counted(nordlicht) == before


@pytest.mark.parametrize(
    "other",
    [{"name": "Other"}, {"parent": "ext:G"}, {"tags": []}, {"metadata": {}}, {"currency": "CHF"}],
)
def test_refuses_an_external_id_that_is_anothers(api, nordlicht, other):
    api.post(ACCOUNTS, FULL)
    before = counted(nordlicht)

    assert_problem(api.post(ACCOUNTS, {**FULL, **other}), 409, "external_id_taken")
    assert counted(nordlicht) == before


def test_a_dry_run_makes_nothing(api, nordlicht):
    before = counted(nordlicht)

    answer = api.post(f"{ACCOUNTS}?dry_run=true", FULL)

    assert answer.status_code == 200
    assert answer.json()["name"] == FULL["name"]
    assert counted(nordlicht) == before
    assert_problem(api.get(f"{ACCOUNTS}/ext:new"), 404, "not_found")
    refused = api.post(f"{ACCOUNTS}?dry_run=true", {**FULL, "vat_id": "DE1"})
    assert_problem(refused, 422, "invalid_account")


@pytest.mark.parametrize(
    ("wrong", "pointer", "code"),
    [
        ({"name": "\x07Bell"}, "/name", "control_character"),
        ({"name": "N" * 10_000}, "/name", "too_long"),
        ({"vat_id": "DE136695975"}, "/vat_id", "invalid_vat_id"),
        ({"vat_id": "FR40303265045"}, "/vat_id", "invalid_vat_id"),
        ({"email": "nobody"}, "/email", "not_an_email"),
        ({"address": {"country": "Germany"}}, "/address/country", "unknown_country"),
        ({"address": {"city": "C" * 101}}, "/address/city", "too_long"),
        ({"currency": "XYZ"}, "/currency", "unknown_currency"),
        ({"language": "fr"}, "/language", "unknown_value"),
        ({"time_zone": "Mars/Base"}, "/time_zone", "unknown_time_zone"),
        ({"cost_centre": "9" * 101}, "/cost_centre", "too_long"),
        ({"external_id": "e" * 201}, "/external_id", "too_long"),
        ({"tags": [str(n) for n in range(21)]}, "/tags", "invalid_tags"),
        ({"tags": ["t" * 41]}, "/tags", "invalid_tags"),
        ({"tags": ["a,b"]}, "/tags", "invalid_tags"),
        ({"metadata": {"a": "x" * 16_000}}, "/metadata", "invalid_metadata"),
        ({"metadata": {str(n): n for n in range(51)}}, "/metadata", "invalid_metadata"),
        ({"metadata": {"n" * 41: 1}}, "/metadata", "invalid_metadata"),
        ({"metadata": {"a": [[[[[[1]]]]]]}}, "/metadata", "invalid_metadata"),
        ({"metadata": {"a": "\x00"}}, "/metadata", "invalid_metadata"),
    ],
)
def test_refuses_what_cannot_be(api, nordlicht, wrong, pointer, code):
    before = counted(nordlicht)

    body = assert_problem(api.post(ACCOUNTS, {**FULL, **wrong}), 422, "invalid_account")

    assert codes(body) == [(pointer, code)]
    assert counted(nordlicht) == before


@pytest.mark.parametrize(
    ("wrong", "pointer"),
    [
        ({"name": ""}, "/name"),
        ({"name": 7}, "/name"),
        ({"kind": "firm"}, "/kind"),
        ({"parent": "ext:nobody"}, "/parent"),
        ({"address": "Hof 3"}, "/address"),
        ({"address": {"street": "Hof 3"}}, "/address/street"),
        ({"address": {"city": 5}}, "/address/city"),
        ({"tags": "gold"}, "/tags"),
        ({"tags": [1]}, "/tags/0"),
        ({"metadata": [1]}, "/metadata"),
        ({"metadata": None}, "/metadata"),
        ({"color": "red"}, "/color"),
        ({"status": "archived"}, "/status"),
    ],
)
def test_refuses_a_body_that_says_nothing_sensible(api, nordlicht, wrong, pointer):
    before = counted(nordlicht)

    body = assert_problem(api.post(ACCOUNTS, {**FULL, **wrong}), 422, "invalid_body")

    assert [one["pointer"] for one in body["errors"]] == [pointer]
    assert counted(nordlicht) == before


@pytest.mark.parametrize("number", ["1e999", "-1e999"])
def test_refuses_own_data_that_is_no_number(api, number):
    text = json.dumps({**FULL, "metadata": {"n": "N"}}).replace('"N"', number)

    assert api.post(ACCOUNTS, text).status_code in {400, 422}


def test_keeps_country_ids_that_nobody_can_check(api):
    wanted = {**FULL, "vat_id": "12-3456789", "address": {"country": "US"}}

    body = api.post(ACCOUNTS, wanted).json()

    assert (body["vat_id"], body["vat_id_check"]["form"]) == ("12-3456789", "unknown")


def test_refuses_a_level_too_many(api, nordlicht):
    rows = [account(f"L{n}", f"L{n - 1}" if n else "") for n in range(100)]
    world.add_accounts(nordlicht, rows)
    before = counted(nordlicht)

    answer = api.post(ACCOUNTS, {"name": "L100", "kind": "department", "parent": "ext:L99"})

    assert_problem(answer, 422, "tree_too_deep")
    assert counted(nordlicht) == before


# -- changing --------------------------------------------------------------------------------


def test_changes_what_is_said_and_nothing_else(api, nordlicht):
    api.post(ACCOUNTS, FULL)
    before = api.get(f"{ACCOUNTS}/ext:new").json()

    answer = patch(
        api,
        f"{ACCOUNTS}/ext:new",
        {"name": "Rügen", "address": {"line1": "Am Kai 2"}, "cost_centre": None, "tags": ["west"]},
    )

    assert answer.status_code == 200, answer.content
    changed = {name for name in before if before[name] != answer.json()[name]}
    assert changed == {"name", "address", "cost_centre", "tags", "path"}
    assert answer.json()["address"] == {**FULL["address"], "line1": "Am Kai 2"}
    assert answer.json()["cost_centre"] is None
    with nordlicht.seen():
        event = Event.objects.filter(kind="account.updated").latest("id")
        entry = AuditEntry.objects.filter(action="account.updated").latest("id")
    assert event.data == {"external_id": "new", "changed": ["cost_centre", "line1", "name", "tags"]}
    assert entry.before == {
        "name": "Nordhafen Rügen", "line1": "Am Kai 1", "cost_centre": "4711",
        "tags": ["Gold", "north"],
    }  # fmt: skip
    assert nordlicht.faults() == []


def test_the_same_again_changes_nothing(api, nordlicht):
    before = counted(nordlicht)

    patch(api, f"{ACCOUNTS}/ext:A", {"name": "Nordhafen Spedition"})

    assert counted(nordlicht) == before


def test_documents_keep_the_name_they_were_issued_with(api, nordlicht):
    patch(api, f"{ACCOUNTS}/ext:G", {"name": "Südhafen", "legal_name": "Südhafen AG"})

    invoice = nordlicht.invoice_of("G")
    assert invoice.snapshot["bill_to"]["legal_name"] == "G GmbH"
    assert nordlicht.violations() == []


def test_gives_an_account_an_external_id(api):
    made = api.post(ACCOUNTS, {"name": "Neu", "kind": "company"}).json()

    patch(api, f"{ACCOUNTS}/{made['id']}", {"external_id": "neu"})

    assert api.get(f"{ACCOUNTS}/ext:neu").json()["id"] == made["id"]
    taken = patch(api, f"{ACCOUNTS}/{made['id']}", {"external_id": "G"})
    assert codes(assert_problem(taken, 409, "external_id_taken")) == [
        ("/external_id", "external_id_taken")
    ]


def test_a_country_that_the_vat_id_is_not_of_is_refused(api):
    api.post(ACCOUNTS, FULL)

    answer = patch(api, f"{ACCOUNTS}/ext:new", {"address": {"country": "AT"}})

    assert codes(assert_problem(answer, 422, "invalid_account")) == [("/vat_id", "invalid_vat_id")]


def test_an_imported_vat_id_that_is_wrong_hinders_no_other_change(api, nordlicht):
    world.add_accounts(nordlicht, [account("W", vat_id="DE1")])

    assert patch(api, f"{ACCOUNTS}/ext:W", {"name": "Wanda"}).status_code == 200
    assert api.get(f"{ACCOUNTS}/ext:W").json()["vat_id_check"]["form"] == "invalid"


def test_an_old_tag_changes_nothing(api, nordlicht):
    old = api.get(f"{ACCOUNTS}/ext:A").headers["ETag"]
    patch(api, f"{ACCOUNTS}/ext:A", {"name": "Between"}, **{"If-Match": old})
    before = counted(nordlicht)

    answer = patch(api, f"{ACCOUNTS}/ext:A", {"name": "Late"}, **{"If-Match": old})

    assert_problem(answer, 412, "precondition_failed")
    assert counted(nordlicht) == before


def test_a_dry_run_changes_nothing(api, nordlicht):
    before = counted(nordlicht)

    answer = patch(api, f"{ACCOUNTS}/ext:A?dry_run=true", {"name": "Tried"})

    assert answer.json()["name"] == "Tried"
    assert api.get(f"{ACCOUNTS}/ext:A").json()["name"] == "Nordhafen Spedition"
    assert counted(nordlicht) == before


# -- who may -----------------------------------------------------------------------------------


def test_settings_take_the_right_to_change_settings(caller, nordlicht):
    key = caller(nordlicht.key(scopes=["accounts:read", "accounts:write"]))
    before = counted(nordlicht)

    assert_problem(key.post(ACCOUNTS, FULL), 403, "forbidden")
    assert_problem(patch(key, f"{ACCOUNTS}/ext:A", {"cost_centre": "1"}), 403, "forbidden")
    assert counted(nordlicht) == before
    plain = {n: v for n, v in FULL.items() if n not in
             {"currency", "language", "time_zone", "cost_centre"}}  # fmt: skip
    assert key.post(ACCOUNTS, plain).status_code == 201
    assert patch(key, f"{ACCOUNTS}/ext:A", {"name": "Mine"}).status_code == 200


def test_a_key_of_a_branch_stays_in_it(caller, nordlicht):
    key = caller(nordlicht.key(reach="A"))
    child = {"name": "Child", "kind": "department"}
    before = counted(nordlicht)

    assert_problem(key.post(ACCOUNTS, child), 403, "forbidden")
    assert_problem(key.post(ACCOUNTS, {**child, "parent": "ext:B"}), 422, "invalid_body")
    assert_problem(patch(key, f"{ACCOUNTS}/ext:B", {"name": "x"}), 404, "not_found")
    assert counted(nordlicht) == before
    assert key.post(ACCOUNTS, {**child, "parent": "ext:A1"}).status_code == 201


def test_another_vendors_account_is_nobodys(api, nordlicht, andere):
    stranger = andere.accounts["G"].public_id
    before = counted(andere)

    below = api.post(ACCOUNTS, {"name": "x", "kind": "company", "parent": stranger})

    assert_problem(below, 422, "invalid_body")
    assert_problem(patch(api, f"{ACCOUNTS}/{stranger}", {"name": "x"}), 404, "not_found")
    assert counted(andere) == before


# -- archiving ---------------------------------------------------------------------------------


def test_refuses_to_archive_what_something_hangs_on(api, nordlicht):
    before = counted(nordlicht)

    answer = api.post(f"{ACCOUNTS}/ext:A/archival", "")

    body = assert_problem(answer, 409, "account_in_use")
    assert [one["code"] for one in body["errors"]] == ["child", "active_subscription"]
    assert body["errors"][0]["detail"] == (
        f"Sub-accounts (1): Niederlassung Kiel ({nordlicht.accounts['A1'].public_id})"
    )
    assert "sub-A" in body["errors"][1]["detail"]
    assert counted(nordlicht) == before


def test_archives_what_nothing_hangs_on_and_takes_it_back(api, nordlicht):
    made = api.post(ACCOUNTS, {**FULL, "parent": "ext:A1"}).json()
    url = f"{ACCOUNTS}/{made['id']}"

    tried = api.post(f"{url}/archival?dry_run=true", "")
    assert (tried.json()["status"], api.get(url).json()["status"]) == ("archived", "active")
    first, again = api.post(f"{url}/archival", ""), api.post(f"{url}/archival", "")
    assert first.json()["status"] == again.json()["status"] == "archived"
    below = api.post(ACCOUNTS, {"name": "x", "kind": "person", "parent": made["id"]})
    assert_problem(below, 409, "account_archived")
    with nordlicht.seen():
        assert Event.objects.filter(kind="account.archived").count() == 1

    assert api.post(f"{url}/reopening", "").json()["status"] == "active"
    assert nordlicht.faults() == []


def test_nothing_below_an_archived_account_is_reopened(api, nordlicht):
    top = api.post(ACCOUNTS, {"name": "Top", "kind": "company"}).json()["id"]
    low = api.post(ACCOUNTS, {"name": "Low", "kind": "person", "parent": top}).json()["id"]
    api.post(f"{ACCOUNTS}/{low}/archival", "")
    assert api.post(f"{ACCOUNTS}/{top}/archival", "").status_code == 200

    answer = api.post(f"{ACCOUNTS}/{low}/reopening", "")

    assert_problem(answer, 409, "parent_archived")
