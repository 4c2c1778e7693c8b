"""Moving a sandbox's clock, and what the scheduler does for live tenants."""

from datetime import date, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import SettingInterval, SettingName
from invoicing import tasks
from invoicing.models import BillingRun
from invoicing.operations.clock import ClockBackwards, ClockTooFar, NotSandbox, advance_clock
from invoicing.operations.clock_jobs import request_clock_move, work_on_clock_move
from invoicing.operations.runs.scheduling import missed_days, run_scheduled_day
from invoicing.queries.run_preview import next_due_date
from tenancy.clock import today_of
from tenancy.errors import Forbidden
from tenancy.models import AuditEntry, Tenant
from tests.world import NOW, TODAY, account, lines_of, price, subscription


def fill(vendor):
    vendor.has(
        "accounts",
        account("A", billing_day=1),
        account("B", "A", bill_to="B", billing_day=31),
        account("C"),
    )
    vendor.has(
        "prices",
        price("ten", "10"),
        price("later", "29.99", timing="arrears"),
        price("yearly", "99.99", interval="year"),
    )
    vendor.has(
        "subscriptions",
        subscription("S1", "A", "ten", "2026-11-24"),
        subscription("S2", "B", "later", "2026-12-05", end_date="2027-06-17"),
        subscription("S3", "B", "yearly", "2026-12-31"),
        subscription("S4", "C", "ten", "2027-01-30"),
    )


def today(vendor):
    with vendor.seen():
        return today_of(Tenant.objects.get())


def totals(vendor):
    found = {}
    for document in vendor.documents():
        for line in lines_of(document):
            key = (document["bill_to"], line[0], line[1])
            assert key not in found
            found[key] = line[3]
    return found


def move(vendor, to):
    return advance_clock(vendor.actor, to_date=date.fromisoformat(to), now=NOW)


def test_bills_every_day_on_the_way_in_order(vendor):
    fill(vendor)

    moved = move(vendor, "2027-11-23")

    assert (moved.from_date, moved.to_date, moved.days) == (TODAY, date(2027, 11, 23), 365)
    assert today(vendor) == date(2027, 11, 23)
    documents = vendor.documents()
    assert len(documents) == moved.invoices
    days = [document["issue_date"] for document in documents]
    assert days == sorted(days)
    assert [d["issue_date"] for d in documents if d["bill_to"] == "C"] == [
        "2027-01-30", "2027-02-28", "2027-03-30", "2027-04-30", "2027-05-30", "2027-06-30",
        "2027-07-30", "2027-08-30", "2027-09-30", "2027-10-30",
    ]  # fmt: skip
    # First charges wait for the billing day: 24 November to 1 December comes with December.
    first = documents[0]
    assert (first["issue_date"], lines_of(first)) == (
        "2026-12-01",
        [("S1", "2026-11-24", "2026-12-01", 233), ("S1", "2026-12-01", "2027-01-01", 1000)],
    )
    assert vendor.violations() == []


def test_makes_what_the_runs_of_each_month_make(vendor, other_vendor):
    fill(vendor)
    fill(other_vendor)

    move(vendor, "2027-05-31")
    for month in pairs_of_months():
        other_vendor.run(month)

    assert totals(vendor) == totals(other_vendor)
    # The documents that fall due on the same day are the same.
    assert sum(totals(vendor).values()) > 0


def pairs_of_months():
    day = date(2026, 11, 30)
    while day <= date(2027, 5, 31):
        yield day
        day = (day + timedelta(days=1)).replace(day=28) + timedelta(days=4)
        day -= timedelta(days=day.day)


def test_moves_in_steps_as_in_one(vendor, other_vendor):
    fill(vendor)
    fill(other_vendor)

    move(vendor, "2027-02-15")
    for to in ("2026-11-23", "2026-12-01", "2026-12-30", "2027-01-31", "2027-02-15", "2027-02-15"):
        move(other_vendor, to)

    assert vendor.documents() == other_vendor.documents()


def held_back(vendor):
    """Branch B is invoiced by itself and has no city: what it owes is held back."""
    vendor.has("accounts", account("A"), account("B", "A", bill_to="B", city=""))
    vendor.has("prices", price("ten", "10"))
    vendor.has("subscriptions", subscription("S1", "B", "ten", "2026-12-01"))


def run_days(vendor):
    with vendor.seen():
        found = BillingRun.objects.order_by("date").values_list("date", flat=True)
        return [day.isoformat() for day in found]


def test_what_is_held_back_is_not_tried_every_day(vendor):
    held_back(vendor)

    moved = move(vendor, "2027-11-23")

    assert (moved.runs, moved.invoices) == (12, 0)
    assert run_days(vendor) == [
        "2026-12-01", *(f"2027-{month:02d}-01" for month in range(1, 12))
    ]  # fmt: skip


def test_tries_again_what_is_held_back_on_days_on_which_settings_change(vendor, other_vendor):
    for one in (vendor, other_vendor):
        held_back(one)
        with one.seen():
            SettingInterval.objects.filter(
                account_id=one.id_of("B"), name=SettingName.BILL_TO
            ).update(valid_to=date(2027, 3, 15))

    move(vendor, "2027-05-31")
    for days in range(1, 190):
        move(other_vendor, (TODAY + timedelta(days=days)).isoformat())

    assert vendor.documents() == other_vendor.documents()
    assert [(d["bill_to"], d["issue_date"]) for d in vendor.documents()] == [
        ("A", "2027-04-01"), ("A", "2027-05-01"),
    ]  # fmt: skip
    assert "2027-03-15" in run_days(vendor)
    assert (len(run_days(vendor)), len(run_days(other_vendor))) == (7, 182)
    assert vendor.violations() == []


def statements(act):
    with CaptureQueriesContext(connection) as queries:
        act()
    return len(queries)


def test_asks_by_one_statement_for_the_next_day(vendor):
    held_back(vendor)
    vendor.bills("2026-12-01")

    with vendor.seen():
        assert next_due_date(vendor.actor) == date(2026, 12, 1)
        assert next_due_date(vendor.actor, after=date(2026, 12, 1)) == date(2027, 1, 1)
        with CaptureQueriesContext(connection) as queries:
            next_due_date(vendor.actor, after=date(2026, 12, 1))
    assert len(queries) == 1


def test_days_without_anything_due_cost_nothing(vendor, other_vendor):
    for one in (vendor, other_vendor):
        one.has("accounts", account("A"))
        one.has("prices", price("yearly", "99.99", interval="year"))
        one.has("subscriptions", subscription("S1", "A", "yearly", "2027-11-01"))

    week = statements(lambda: move(vendor, "2026-11-30"))
    months = statements(lambda: move(other_vendor, "2027-10-31"))

    assert months == week


def test_between_two_runs_the_clock_asks_little(vendor, monkeypatch):
    fill(vendor)
    from invoicing.operations import clock

    original, in_runs = clock.run_billing, []

    def counted(actor, **options):
        with CaptureQueriesContext(connection) as queries:
            report = original(actor, **options)
        in_runs.append(len(queries))
        return report

    monkeypatch.setattr(clock, "run_billing", counted)
    with CaptureQueriesContext(connection) as queries:
        moved = move(vendor, "2027-05-31")

    assert moved.runs == len(in_runs) > 6
    # Two transactions: one that looks for the next day, one that notes where the clock stands.
    # Tests have a savepoint and the tenant's own setting more for each.
    assert (len(queries) - sum(in_runs)) / (moved.runs + 1) <= 16


def test_moves_in_the_background_as_at_once(vendor, other_vendor):
    for one in (vendor, other_vendor):
        fill(one)
        one.has("accounts", account("held", city=""))
        one.has("subscriptions", subscription("S9", "held", "ten", "2026-12-07"))
    job_id = request_clock_move(vendor.actor, to_date=date(2027, 3, 31), now=NOW)

    while work_on_clock_move(vendor.actor, job_id, now=NOW):
        pass
    move(other_vendor, "2027-03-31")

    assert vendor.documents() == other_vendor.documents()
    assert run_days(vendor) == run_days(other_vendor)
    assert today(vendor) == date(2027, 3, 31)


def test_goes_on_where_it_was_broken_off(vendor, monkeypatch):
    fill(vendor)
    from invoicing.operations import clock

    original = clock.run_billing

    def fails_in_march(actor, *, run_date, **options):
        if run_date >= date(2027, 3, 1):
            raise RuntimeError("power cut")
        return original(actor, run_date=run_date, **options)

    with monkeypatch.context() as patch:
        patch.setattr(clock, "run_billing", fails_in_march)
        with pytest.raises(RuntimeError):
            move(vendor, "2027-06-30")

    assert TODAY < today(vendor) < date(2027, 3, 1)
    move(vendor, "2027-06-30")
    assert today(vendor) == date(2027, 6, 30)
    march = [d for d in vendor.documents() if d["issue_date"] == "2027-03-01"]
    assert [d["bill_to"] for d in march] == ["A"]
    assert vendor.violations() == []


def test_passes_over_days_that_a_run_ahead_has_taken(vendor):
    fill(vendor)
    ahead = vendor.bills("2027-02-01")
    assert len(ahead) == 3

    moved = move(vendor, "2027-02-15")

    assert moved.invoices == 0
    assert today(vendor) == date(2027, 2, 15)
    assert vendor.documents() == ahead


@pytest.mark.parametrize(
    ("to", "error"),
    [("2026-11-22", ClockBackwards), ("2100-01-01", ClockTooFar), ("2036-11-24", None)],
)
def test_refuses_to_go_back_or_too_far(vendor, to, error):
    if error is None:
        # Ten years are fine, where nothing is to be done.
        assert move(vendor, "2036-11-20").days == 3_650
        return
    fill(vendor)
    with pytest.raises(error):
        move(vendor, to)

    assert today(vendor) == TODAY
    with vendor.seen():
        assert not BillingRun.objects.exists()


def test_refuses_a_live_tenant(live_vendor):
    with pytest.raises(NotSandbox):
        move(live_vendor, "2027-01-01")


def test_is_for_those_who_may(vendor):
    vendor.actor = vendor.staff("Bob", "support")

    with pytest.raises(Forbidden):
        move(vendor, "2027-01-01")

    assert today(vendor) == TODAY


def test_leaves_a_trace(vendor):
    move(vendor, "2026-12-24")

    with vendor.seen():
        entry = AuditEntry.objects.get(action="tenant.clock_moved")
    assert (entry.before, entry.after) == ({"today": "2026-11-23"}, {"today": "2026-12-24"})


# -- the scheduler -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("last", "expected"),
    [
        (None, [TODAY]),
        (TODAY, []),
        (TODAY - timedelta(days=1), [TODAY]),
        (TODAY - timedelta(days=3), [TODAY - timedelta(days=n) for n in (2, 1, 0)]),
        (date(2020, 1, 1), [TODAY - timedelta(days=n) for n in range(62, -1, -1)]),
        (TODAY + timedelta(days=5), []),
    ],
)
def test_knows_the_days_it_missed(live_vendor, last, expected):
    live_vendor.change_tenant(scheduled_until=last)

    assert missed_days(live_vendor.actor, today=TODAY) == expected


def test_makes_a_run_for_every_missed_day_and_drafts_only(live_vendor):
    live_vendor.has("accounts", account("A"))
    live_vendor.has("prices", price("weekly", "7", interval="week"))
    live_vendor.has("subscriptions", subscription("S1", "A", "weekly", "2026-11-09"))
    live_vendor.change_tenant(scheduled_until=date(2026, 11, 8))

    for day in missed_days(live_vendor.actor, today=TODAY):
        run_scheduled_day(live_vendor.actor, day=day, today=TODAY, now=NOW)

    with live_vendor.seen():
        assert Tenant.objects.get().scheduled_until == TODAY
        days = list(BillingRun.objects.order_by("date").values_list("date", flat=True))
    assert {date(2026, 11, 9), date(2026, 11, 16), date(2026, 11, 23)} <= set(days)
    # Each took up what the one before had drafted (R27).
    (document,) = live_vendor.documents()
    assert (document["status"], lines_of(document)) == (
        "to_approve",
        [
            ("S1", f"2026-11-{day:02d}", end, 700)
            for day, end in [(9, "2026-11-16"), (16, "2026-11-23"), (23, "2026-11-30")]
        ],
    )
    assert missed_days(live_vendor.actor, today=TODAY) == []


def test_passes_over_a_day_that_can_no_longer_be_billed(live_vendor):
    from accounts.models import Seller

    with live_vendor.seen():
        Seller.objects.update(is_placeholder=False)
    live_vendor.has("accounts", account("A"), account("B"))
    live_vendor.has("prices", price("ten", "10"))
    live_vendor.has(
        "subscriptions",
        subscription("S1", "A", "ten", "2026-11-22"),
        subscription("S2", "B", "ten", "2026-11-20"),
    )
    live_vendor.run("2026-11-22", within="A")
    live_vendor.change_tenant(scheduled_until=date(2026, 11, 19), approval_required=False)

    for day in missed_days(live_vendor.actor, today=TODAY):
        run_scheduled_day(live_vendor.actor, day=day, today=TODAY, now=NOW)

    assert [(d["bill_to"], d["issue_date"], d["number"]) for d in live_vendor.documents()] == [
        ("A", "2026-11-22", "RE-2026-000001"),
        ("B", "2026-11-22", "RE-2026-000002"),
    ]


def test_tasks_bill_live_tenants_and_leave_sandboxes_alone(committed_vendor, monkeypatch):
    from tests.world import make_vendor

    live = make_vendor("live", sandbox=False)
    started = []
    monkeypatch.setattr(tasks.bill_missed_days, "delay", lambda **kw: started.append(kw))

    tasks.start_daily_runs()

    assert started == [{"tenant_id": str(live.tenant_id)}]
    tasks.bill_missed_days(**started[0])
    with live.seen():
        assert Tenant.objects.get().scheduled_until is not None
