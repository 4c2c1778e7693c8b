"""``/api/v1/test-clock``: where it stands, what comes next, moving it, and who may."""

from datetime import date

import pytest

from accounts.access import Action
from invoicing.models import BillingRun, ChangePlan, Invoice
from invoicing.operations.clock_jobs import work_on_clock_move
from invoicing.operations.plans.deciding import submit_plan
from invoicing.operations.plans.planning import create_plan
from invoicing.queries.plans.wanted import Wanted
from tenancy.actor import Actor
from tenancy.models import Job, Tenant
from tests.http.api import world
from tests.scenes import scene

URL = "/api/v1/test-clock"


@scene
def nordlicht():
    made = world.vendor("nordlicht")
    world.subscribe(made, [("G", 1), ("A", 1), ("A1", 1)])
    world.bill(made)
    made.change_tenant(test_clock_at=world.NOW)
    return made


@pytest.fixture
def api(nordlicht, caller):
    return caller(nordlicht.key())


@pytest.fixture(autouse=True)
def _nobody_works(monkeypatch):
    monkeypatch.setattr("invoicing.tasks.work_on_clock_move.delay", lambda **_values: None)


def work(shop):
    """Do what the worker does, to the end; return how many steps it took."""
    with shop.seen():
        job = Job.objects.get(kind=Job.Kind.CLOCK, status=Job.Status.WAITING)
    steps = 1
    while work_on_clock_move(Actor.system(shop.tenant_id), job.pk, now=world.NOW):
        steps += 1
    return steps


def test_says_where_it_stands_and_what_comes_next(api):
    body = api.get(URL).json()

    assert body == {"now": "2026-12-10", "next_event": "2027-01-01", "move": None, "moves": []}


def test_moves_to_a_day_and_says_what_was_made(nordlicht, api):
    answer = api.post(URL, {"now": "2027-02-15"})

    assert answer.status_code == 202
    assert answer.headers["Location"].endswith(URL)
    move = answer.json()["move"]
    assert (move["status"], move["from_date"], move["to_date"]) == (
        "waiting", "2026-12-10", "2027-02-15",
    )  # fmt: skip
    assert move["progress"] == {"done": 0, "total": 67}

    assert work(nordlicht) > 1
    body = api.get(URL).json()
    assert (body["now"], body["next_event"], body["move"]) == ("2027-02-15", "2027-03-01", None)
    (done,) = body["moves"]
    assert (done["status"], done["runs"], done["change_plans"]) == ("done", 2, 0)
    assert [one["date"] for one in done["billing_runs"]] == ["2027-01-01", "2027-02-01"]
    with nordlicht.seen():
        made = {one.public_id for one in BillingRun.objects.filter(date__gte="2027-01-01")}
        assert {one["id"] for one in done["billing_runs"]} == made
        issued = Invoice.objects.filter(issue_date__gte="2027-01-01").count()
    assert done["invoices"] == issued > 0


@pytest.mark.parametrize(
    ("step", "day"),
    [
        ("day", "2026-12-11"),
        ("week", "2026-12-17"),
        ("month", "2027-01-10"),
        ("month_end", "2026-12-31"),
        ("next_event", "2027-01-01"),
    ],
)
def test_moves_by_a_step(nordlicht, api, step, day):
    assert api.post(URL, {"step": step}).json()["move"]["to_date"] == day
    work(nordlicht)
    assert api.get(URL).json()["now"] == day


def test_what_it_would_bring_is_what_it_then_brings(nordlicht, api):
    before = api.get(URL).json()
    said = api.post(f"{URL}?dry_run=true", {"now": "2027-01-31"}).json()
    assert api.get(URL).json() == before

    api.post(URL, {"now": "2027-01-31"})
    work(nordlicht)

    with nordlicht.seen():
        made = Invoice.objects.filter(issue_date__gte="2027-01-01")
        assert said["documents"] == made.count()
        assert said["sums"] == [
            {"currency": "EUR", "net_minor": sum(made.values_list("net_minor", flat=True))}
        ]
    done = api.get(URL).json()["moves"][0]
    assert said["run_dates"] == [one["date"] for one in done["billing_runs"]]
    assert (said["days"], said["is_whole"], said["change_plans"]) == (52, True, 0)


def test_names_the_change_plans_on_the_way(nordlicht, api):
    values = {"account": nordlicht.accounts["A1"].pk, "parent": nordlicht.accounts["G"].pk}
    actor = nordlicht.actor
    plan = create_plan(
        actor,
        Wanted(ChangePlan.Kind.MOVE, values["account"], date(2026, 12, 20), values["parent"]),
        today=world.TODAY,
        now=world.NOW,
    )
    submit_plan(actor, plan.pk, today=world.TODAY, now=world.NOW)

    assert api.get(URL).json()["next_event"] == "2026-12-20"
    said = api.post(f"{URL}?dry_run=true", {"step": "next_event"}).json()
    assert (said["to_date"], said["change_plans"]) == ("2026-12-20", 1)
    (named,) = said["first_change_plans"]
    assert (named["id"], named["account"]["external_id"]) == (plan.public_id, "A1")

    api.post(URL, {"step": "next_event"})
    work(nordlicht)
    assert api.get(URL).json()["moves"][0]["change_plans"] == 1


def test_one_move_at_a_time(nordlicht, api):
    first = api.post(URL, {"now": "2026-12-31"}).json()["move"]

    assert api.post(URL, {"now": "2026-12-31"}).json()["move"]["id"] == first["id"]
    other = api.post(URL, {"now": "2027-01-31"})
    assert (other.status_code, other.json()["code"]) == (409, "clock_is_moving")
    with nordlicht.seen():
        assert Job.objects.filter(kind=Job.Kind.CLOCK).count() == 1


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({}, "invalid_body"),
        ({"now": "2026-12-31", "step": "day"}, "invalid_body"),
        ({"now": "31.12.2026"}, "invalid_body"),
        ({"now": None}, "invalid_body"),
        ({"step": "year"}, "invalid_body"),
        ({"now": "2026-12-31", "to": "x"}, "invalid_body"),
        ({"now": "2026-12-09"}, "clock_backwards"),
        ({"now": "2199-01-01"}, "clock_too_far"),
    ],
)
def test_refuses_what_no_clock_can_show(api, body, code):
    answer = api.post(URL, body)

    assert (answer.status_code, answer.json()["code"]) == (422, code)


def test_has_no_next_event_where_nothing_runs(api, nordlicht, caller):
    empty = world.vendor("empty")
    empty.change_tenant(test_clock_at=world.NOW)
    own = caller(empty.key())

    assert own.get(URL).json()["next_event"] is None
    answer = own.post(URL, {"step": "next_event"})
    assert (answer.status_code, answer.json()["code"]) == (422, "nothing_due")


def test_is_for_who_may_move_it(nordlicht, caller):
    reads = caller(nordlicht.key(scopes=[Action.VIEW_RUNS]))
    moves = caller(nordlicht.key(scopes=[Action.MOVE_CLOCK]))
    below = caller(nordlicht.key(reach="A"))
    other = caller(nordlicht.key(scopes=[Action.VIEW_ACCOUNT]))

    assert reads.get(URL).status_code == 200
    assert reads.post(URL, {"step": "day"}).status_code == 403
    assert moves.get(URL).status_code == 403
    # What runs would make is for who may see runs.
    assert moves.post(f"{URL}?dry_run=true", {"step": "day"}).status_code == 403
    assert moves.post(URL, {"step": "day"}).status_code == 202
    assert other.get(URL).status_code == 403
    assert (below.get(URL).status_code, below.post(URL, {"step": "day"}).status_code) == (403, 403)


def test_is_of_sandboxes_alone(nordlicht, api):
    with nordlicht.seen():
        Tenant.objects.update(is_sandbox=False, test_clock_at=None)

    for answer in (api.get(URL), api.post(URL, {"step": "day"})):
        assert (answer.status_code, answer.json()["code"]) == (409, "not_sandbox")
