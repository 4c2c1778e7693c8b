"""``POST /alignments``: one renewal date for an account and all below it."""

import pytest

from accounts.models import SettingInterval
from invoicing.models import ChangePlan
from invoicing.operations.plans.aligning_jobs import work_on_alignment
from tenancy.models import Job
from tests.http.api.test_refusals import assert_problem
from tests.scenes import scene
from tests.world import NOW, account, price, subscription

URL = "/api/v1/alignments"


@scene
def shop(vendor):
    vendor.has("accounts", account("G"), account("A", "G"), account("B", "G"), account("N"))
    vendor.has("prices", price("ten", "10", tax_rate=19))
    vendor.has(
        "subscriptions",
        subscription("S", "A", "ten", "2026-11-20"),
        subscription("T", "B", "ten", "2026-11-10"),
    )
    vendor.run("2026-11-20")
    return vendor


@pytest.fixture
def api(shop, caller):
    return caller(shop.api_key)


BODY = {"account": "ext:G", "billing_day": 1, "billing_month": 1}


def test_answers_what_would_come_of_it_and_stores_nothing(shop, api):
    answer = api.post(f"{URL}?dry_run=true", BODY).json()

    rows = {row.pop("external_id"): row for row in answer["rows"]}
    assert rows["S"] == {
        "subscription": rows["S"]["subscription"],
        "name": "Ten",
        "account": rows["S"]["account"],
        "old_date": "2026-12-20",
        "new_date": "2027-01-01",
        "stub": {"start": "2026-12-20", "end": "2027-01-01"},
        "days": 12,
        "credited": None,
        "full_days": 31,
        "amount_minor": 387,
        "currency": "EUR",
        "invoice_on": "2027-01-01",
    }
    assert rows["S"]["account"]["external_id"] == "A"
    assert (rows["T"]["old_date"], rows["T"]["amount_minor"]) == ("2026-12-10", 710)
    shown = answer["preview"]["alignment"]
    assert [one["amount_minor"] for one in shown["totals"]] == [387 + 710]
    billed = {one["bill_to"]["external_id"]: one for one in answer["preview"]["billing"]}
    assert billed["G"]["after"]["net_minor"] == 387 + 710 + 2000
    with shop.seen():
        assert not ChangePlan.objects.exists()
        assert not SettingInterval.objects.filter(name="billing_day").exists()


def test_aligns_at_once_and_is_reversed(shop, api):
    answer = api.post(URL, {**BODY, "except": ["ext:B"], "method": "long"})
    plan = answer.json()

    assert answer.status_code == 201
    assert (plan["id"][:4], plan["kind"], plan["status"]) == ("aln_", "alignment", "applied")
    assert plan["title"] == "G renews on 1 January"
    assert [row["external_id"] for row in plan["rows"]] == ["S"]
    assert plan["parameters"]["alignment"]["method"] == "long"
    shown = api.get(f"/api/v1/change-plans/{plan['id']}").json()
    assert shown["preview"]["alignment"]["rows"] == plan["rows"]
    settings = api.get("/api/v1/accounts/ext:B/settings").json()
    assert (settings["billing_day"]["value"], settings["billing_day"]["source"]) == (0, "own")
    back = api.post(f"/api/v1/change-plans/{plan['id']}/reversal", {}).json()
    assert (back["status"], back["title"]) == ("draft", "G: renewal dates as they were")
    done = api.post(f"/api/v1/change-plans/{back['id']}/submission", {}).json()
    assert done["status"] == "applied"
    settings = api.get("/api/v1/accounts/ext:B/settings").json()
    assert (settings["billing_day"]["value"], settings["billing_day"]["source"]) == (
        None, "tenant",
    )  # fmt: skip


def test_rebill_is_answered_with_what_is_credited(shop, api):
    body = {**BODY, "billing_day": 15, "billing_month": None, "method": "rebill"}
    answer = api.post(f"{URL}?dry_run=true", body).json()
    done = api.post(URL, body).json()

    rows = {row["external_id"]: row for row in answer["rows"]}
    said = ("old_date", "new_date", "stub", "days", "credited", "amount_minor", "invoice_on")
    assert [rows["S"][name] for name in said] == [
        "2026-12-20", "2026-12-15", None, -5, {"start": "2026-12-15", "end": "2026-12-20"}, -167,
        "2026-12-15",
    ]  # fmt: skip
    assert rows["T"]["amount_minor"] == 167
    assert done["rows"] == answer["rows"]
    (credit,) = api.get("/api/v1/charges?in=ext:A&kind=credit").json()["data"]
    assert (credit["net_minor"], credit["period"]) == (-167, rows["S"]["credited"])
    (step,) = [one for one in credit["calculation"] if one["rule"] == "credit"]
    assert step["inputs"]["aligned"] == {"since": "2026-12-15", "renewed": "2026-12-20"}


def test_many_are_aligned_by_a_job_that_is_stopped_and_goes_on(shop, api, monkeypatch):
    monkeypatch.setattr("invoicing.tasks.work_on_alignment.delay", lambda **values: None)
    monkeypatch.setattr("invoicing.operations.plans.aligning.AT_ONCE", 1)
    answer = api.post(URL, BODY)
    plan = answer.json()
    url = f"/api/v1/change-plans/{plan['id']}"
    assert (answer.status_code, plan["status"]) == (202, "applying")
    assert plan["job"] == {
        "id": plan["job"]["id"], "status": "waiting", "progress": {"done": 0, "total": 2},
    }  # fmt: skip
    assert plan["applied_at"] is None

    assert api.post(f"{url}/interruption", {}).json()["job"]["status"] == "stopped"
    one = {"effective": "now", "items": [{"quantity": "2"}]}
    assert_problem(api.post("/api/v1/subscriptions/ext:S/changes", one), 409, "subscription_held")
    assert api.post(f"{url}/resumption", {}).json()["job"]["status"] == "waiting"
    with shop.seen():
        job = Job.objects.get()
    assert not work_on_alignment(shop.actor, job.pk, now=NOW)
    done = api.get(url).json()
    assert (done["status"], done["job"]["status"]) == ("applied", "done")
    assert done["preview"]["alignment"]["rows"] == plan["rows"]
    small = api.post(URL, {**BODY, "account": "ext:N"}).json()
    assert (small["status"], small["job"]) == ("applied", None)


def test_waits_as_a_draft_or_for_its_day(shop, api):
    draft = api.post(URL, {**BODY, "draft": True}).json()
    later = api.post(URL, {**BODY, "effective_date": "2026-12-01"}).json()

    assert (draft["status"], later["status"]) == ("draft", "scheduled")
    assert_problem(api.post(URL, BODY), 409, "overlapping_plan")
    gone = api.post(f"/api/v1/change-plans/{later['id']}/withdrawal", {})
    assert gone.json()["status"] == "withdrawn"


@pytest.mark.parametrize(
    ("change", "status", "code"),
    [
        ({"account": "ext:nobody"}, 422, "invalid_body"),
        ({"except": ["ext:nobody"]}, 422, "invalid_body"),
        ({"except": ["ext:N"]}, 422, "invalid_alignment"),
        ({"scope": "payer", "account": "ext:A"}, 422, "invalid_alignment"),
        ({"scope": "all"}, 422, "invalid_body"),
        ({"billing_day": 0}, 422, "invalid_body"),
        ({"billing_day": 32}, 422, "invalid_body"),
        ({"billing_day": "1"}, 422, "invalid_body"),
        ({"billing_day": 1e400}, 400, "malformed"),
        ({"billing_month": 13}, 422, "invalid_body"),
        ({"method": "gift"}, 422, "invalid_body"),
        ({"effective_date": "2026-11-22"}, 422, "effective_date_past"),
        ({"effective_date": "2999-01-01"}, 422, "effective_date_too_far"),
        ({"include_subtree": "yes"}, 422, "invalid_body"),
        ({"more": 1}, 422, "invalid_body"),
    ],
)
def test_refuses_what_makes_no_sense(shop, api, change, status, code):
    assert_problem(api.post(URL, {**BODY, **change}), status, code)
    with shop.seen():
        assert not ChangePlan.objects.exists()


def test_is_planned_here_and_not_among_other_changes(api):
    answer = api.post("/api/v1/change-plans", {"kind": "alignment", "account": "ext:G"})
    assert_problem(answer, 422, "invalid_body")


def test_an_own_billing_day_is_shown_as_long_as_it_holds(shop, api):
    body = {
        "account": "ext:A",
        "external_id": "OWN",
        "items": [{"price": "ext:ten"}],
        "start_date": "2026-11-20",
        "billing_day": 15,
    }
    before = api.post("/api/v1/subscriptions", body).json()["billing_day"]
    assert api.post(URL, BODY).status_code == 201
    after = api.get("/api/v1/subscriptions/ext:OWN").json()["billing_day"]

    assert (before, after) == (15, None)
