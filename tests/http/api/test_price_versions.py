"""``…/prices/{id}/versions``, ``…/ending``, ``/accounts/{id}/prices`` and ``/jobs/{id}``."""

import hashlib

import pytest

from accounts.access import Action
from accounts.models import ApiKey
from invoicing.operations.prices.working import work_on_repricing
from subscriptions.models import Price
from tenancy.actor import Actor
from tenancy.ids import key_of, uuid7
from tenancy.models import Job
from tests.scenes import scene
from tests.world import NOW, account, price, subscription


@scene
def vendor_with_prices(vendor):
    vendor.has("accounts", account("G", billing_day=1), account("A", "G"), account("X"))
    vendor.has("prices", price("ten", "10", tax_rate=19), price("two", "2", tax_rate=19))
    vendor.has(
        "subscriptions",
        subscription("S", "A", "ten", "2026-12-01"),
        subscription("U", "X", "ten", "2026-12-01"),
    )
    return vendor


@pytest.fixture
def api(vendor_with_prices, caller, monkeypatch):
    monkeypatch.setattr("invoicing.tasks.work_on_repricing.delay", lambda **values: None)
    return caller(vendor_with_prices.api_key)


def through(vendor, answer):
    key = key_of("job", answer.json()["job"]["id"])
    while work_on_repricing(Actor.system(vendor.tenant_id), key, now=NOW):
        pass


BODY = {"valid_from": "2027-01-01", "unit_amount": "12"}


def test_a_dry_run_says_who_is_concerned_and_stores_nothing(api, vendor_with_prices):
    answer = api.post("/api/v1/prices/ext:ten/versions?dry_run=true", BODY)

    said = answer.json()
    assert answer.status_code == 200
    assert (said["version"]["number"], said["version"]["valid_from"]) == (2, "2027-01-01")
    assert said["job"] is None
    effect = said["effect"]
    assert (effect["before_minor"], effect["after_minor"]) == (2000, 2400)
    assert (effect["changed"], effect["subscriptions"], effect["bill_tos"]) == (2, 2, 2)
    with vendor_with_prices.seen():
        assert not Price.objects.filter(first__isnull=False).exists()
        assert not Job.objects.exists()


def test_a_version_is_made_carried_out_and_listed(api, vendor_with_prices):
    answer = api.post("/api/v1/prices/ext:ten/versions", BODY)
    through(vendor_with_prices, answer)

    made = answer.json()
    assert answer.status_code == 202
    job = api.get(answer.headers["Location"].partition("testserver")[2]).json()
    assert (job["status"], job["progress"]) == ("done", {"done": 2, "total": 2})
    assert (job["result"]["changed"], job["result"]["skipped"]) == (2, [])
    listed = api.get("/api/v1/prices/ext:ten/versions").json()["data"]
    assert [(one["version"]["number"], one["valid_until"]) for one in listed] == [
        (1, "2027-01-01"), (2, None)
    ]  # fmt: skip
    assert listed[1]["job"]["id"] == made["job"]["id"]
    assert {one["version"]["first"] for one in listed} == {listed[0]["version"]["id"]}
    # Any version names the same chain.
    again = api.get(f"/api/v1/prices/{made['version']['id']}/versions").json()["data"]
    assert again == listed


def test_the_older_id_stands_for_the_version_of_the_day(api, vendor_with_prices):
    through(vendor_with_prices, api.post("/api/v1/prices/ext:ten/versions", BODY))
    body = {"account": "ext:A", "start_date": "2027-02-01"}

    plain = api.post("/api/v1/subscriptions", {**body, "items": [{"price": "ext:ten"}]})
    exact = api.post(
        "/api/v1/subscriptions", {**body, "items": [{"price": "ext:ten", "exact": True}]}
    )

    assert (plain.status_code, exact.status_code) == (201, 201)
    assert (plain.json()["mrr_minor"], exact.json()["mrr_minor"]) in ((0, 0), (1200, 1000))
    first = api.get("/api/v1/prices/ext:ten").json()["id"]
    assert exact.json()["items"][0]["price"] == first
    assert plain.json()["items"][0]["price"] != first


def test_a_price_is_negotiated_listed_below_and_ended(api, vendor_with_prices):
    body = {"price": "ext:ten", **BODY, "unit_amount": "8"}
    answer = api.post("/api/v1/accounts/ext:G/prices", body)
    through(vendor_with_prices, answer)

    version = answer.json()["version"]
    assert (answer.status_code, version["account"]["external_id"]) == (202, "G")
    for key, source in (("G", "own"), ("A", "inherited")):
        [row] = api.get(f"/api/v1/accounts/ext:{key}/prices").json()["data"]
        assert (row["version"]["id"], row["source"]) == (version["id"], source)
    assert api.get("/api/v1/accounts/ext:X/prices").json()["data"] == []
    url = f"/api/v1/prices/{version['id']}/ending"
    tried = api.post(f"{url}?dry_run=true", {"ends_on": "2027-03-01"}).json()
    assert (tried["effect"]["before_minor"], tried["effect"]["after_minor"]) == (800, 1000)
    ended = api.post(url, {"ends_on": "2027-03-01"})
    through(vendor_with_prices, ended)
    assert (ended.status_code, ended.json()["version"]["ends_on"]) == (202, "2027-03-01")


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({}, 422, "invalid_body"),
        ({**BODY, "valid_from": "01.01.2027"}, 422, "invalid_body"),
        ({**BODY, "valid_from": "1900-01-01"}, 422, "invalid_price"),
        ({**BODY, "unit_amount": "NaN"}, 422, "invalid_body"),
        ({**BODY, "unit_amount": "1e400"}, 422, None),
        ({**BODY, "unit_amount": "-1"}, 422, "invalid_price"),
        ({**BODY, "currency": "USD"}, 422, "invalid_price"),
        ({**BODY, "interval": "year"}, 422, "invalid_price"),
        ({**BODY, "unit_amount": "10"}, 422, "nothing_to_change"),
        ({**BODY, "external_id": "two"}, 409, "external_id_taken"),
        ({**BODY, "surprise": 1}, 422, "invalid_body"),
    ],
)
def test_refuses_a_version(api, vendor_with_prices, body, status, code):
    answer = api.post("/api/v1/prices/ext:ten/versions", body)

    assert answer.status_code == status
    assert code in (None, answer.json()["code"])
    with vendor_with_prices.seen():
        assert not Price.objects.filter(first__isnull=False).exists()


def test_versions_that_overlap_are_refused(api, vendor_with_prices):
    through(vendor_with_prices, api.post("/api/v1/prices/ext:ten/versions", BODY))

    for day in ("2026-12-24", "2027-01-01"):
        body = {"valid_from": day, "unit_amount": "13"}
        answer = api.post("/api/v1/prices/ext:ten/versions", body)
        assert (answer.status_code, answer.json()["code"]) == (409, "price_versions_overlap")


def test_one_change_of_a_price_at_a_time(api):
    assert api.post("/api/v1/prices/ext:ten/versions", BODY).status_code == 202
    body = {"valid_from": "2027-02-01", "unit_amount": "13"}

    answer = api.post("/api/v1/prices/ext:ten/versions", body)

    assert (answer.status_code, answer.json()["code"]) == (409, "price_change_under_way")


def test_who_reaches_a_branch_is_not_told_who_negotiated_above_it(api, vendor_with_prices, caller):
    body = {"price": "ext:ten", **BODY, "unit_amount": "8"}
    through(vendor_with_prices, api.post("/api/v1/accounts/ext:G/prices", body))
    secret = f"sk_test_{uuid7().hex}"
    with vendor_with_prices.seen():
        ApiKey.objects.create(
            tenant_id=vendor_with_prices.tenant_id,
            name="Branch",
            prefix=secret[:16],
            digest=hashlib.sha256(secret.encode()).hexdigest(),
            scopes=[str(action) for action in Action],
            reach_id=vendor_with_prices.id_of("A"),
        )
    branch = caller(secret)

    [row] = branch.get("/api/v1/accounts/ext:A/prices").json()["data"]

    assert (row["version"]["unit_amount"], row["source"]) == ("8", "inherited")
    assert row["version"]["account"] is None
    assert branch.get("/api/v1/accounts/ext:G/prices").status_code == 404
    assert branch.post("/api/v1/accounts/ext:A/prices", body).status_code == 403
    assert branch.get("/api/v1/prices/ext:ten/versions").status_code == 403
