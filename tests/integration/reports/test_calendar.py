"""The billing calendar: what it tells, compared with what runs then bill, and to whom."""

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import pytest

from accounts.models import SettingInterval
from accounts.operations.moving import place_account
from invoicing.models import BillingRun, ChangePlan, Invoice
from invoicing.operations.clock import advance_clock
from invoicing.operations.plans.deciding import submit_plan
from invoicing.operations.plans.planning import create_plan
from invoicing.operations.subscriptions.binding import change_contract
from invoicing.operations.subscriptions.changing import change_subscription
from invoicing.operations.subscriptions.ending import cancel_subscription
from invoicing.operations.subscriptions.pausing import pause_subscription
from invoicing.operations.subscriptions.wanting import ItemAddition
from invoicing.queries.plans.wanted import Wanted
from reports.declarations import Kind
from reports.models import CalendarEntry, Forecast
from reports.operations import forecasts, making
from reports.operations.forecasts import refresh_calendar
from reports.operations.making import make_wanted_forecast
from reports.queries.calendar import DatesTooFar, calendar_entries, day_sums, nearest_day
from reports.words import title_of
from subscriptions.models import Price, Subscription
from subscriptions.operations.subscriptions.contracting import Contract
from tenancy.database import scope
from tenancy.errors import NotFound
from tenancy.ids import uuid7
from tenancy.models import Tenant
from tests.scenes import scene
from tests.world import NOW, TODAY, account, price, subscription

UNTIL = date(2027, 3, 31)


@scene
def group(vendor):
    """A group that is invoiced together, a firm beside it, and something of each kind."""
    vendor.has(
        "accounts",
        account("G", billing_day=1, payment_terms_days=30),
        account("A", "G"),
        account("B", "G"),
        account("firm", collection="charge"),
    )
    vendor.has(
        "prices",
        price("ten", "10.00", tax_rate=19),
        price("seat", "", model="graduated", tiers="10:9:0|inf:7.5:0", tax_rate=19),
        price("year", "100", interval="year", tax_rate=19),
    )
    vendor.has(
        "subscriptions",
        subscription("g", "G", "ten", "2026-12-01"),
        subscription("a", "A", "seat", "2026-11-15", quantity=24),
        subscription("b", "B", "year", "2026-12-10", end_date="2027-03-20"),
        subscription("f", "firm", "ten", "2026-12-05"),
    )
    return vendor


def refresh(vendor, key=None, *, actor=None, today=TODAY, now=NOW):
    with vendor.seen():
        tenant = Tenant.objects.get(pk=vendor.tenant_id)
        within = None if key is None else vendor.id_of(key)
    actor = replace(actor or vendor.actor, today=today)
    return refresh_calendar(actor, within, tenant=tenant, today=today, now=now)


def entries(vendor, key=None, *, actor=None, first=TODAY, last=UNTIL, **options):
    with vendor.seen():
        within = None if key is None else vendor.id_of(key)
        found = calendar_entries(
            actor or vendor.actor, within=within, first=first, last=last, **options
        )
        return list(found)


def told(vendor, *args, **options):
    return [
        (str(one.date), one.kind, one.account.external_id, one.amount_minor)
        for one in entries(vendor, *args, **options)
    ]


def test_tells_the_days_on_which_something_falls(group):
    refresh(group)

    assert told(group, "firm", last=date(2027, 1, 31)) == [
        ("2026-12-05", "invoice", "firm", 1190),
        ("2026-12-19", "debit", "firm", 1190),
        ("2027-01-05", "invoice", "firm", 1190),
        ("2027-01-05", "renewal", "firm", 1000),
        ("2027-01-19", "debit", "firm", 1190),
    ]
    assert ("2027-03-20", "end", "B", None) in told(group, "G")


def test_tells_to_the_cent_what_runs_then_bill(group):
    refresh(group)
    foretold = {
        (one.date, one.bill_to_id, one.amount_minor) for one in entries(group, kinds=[Kind.INVOICE])
    }
    dues = {
        (one.date, one.bill_to_id, one.amount_minor)
        for one in entries(group, kinds=[Kind.DUE, Kind.DEBIT])
    }

    advance_clock(group.actor, to_date=UNTIL, now=NOW)

    with group.seen():
        made = {(one.issue_date, one.bill_to_id, one.gross_minor) for one in Invoice.objects.all()}
        paid = {
            (one.due_date, one.bill_to_id, one.gross_minor)
            for one in Invoice.objects.filter(due_date__lte=UNTIL)
        }
    assert len(made) == 8
    assert foretold == made
    assert dues == paid


def test_keeps_the_name_of_an_invoice_when_it_is_issued(group):
    refresh(group)
    before = {one.key for one in entries(group, "firm", kinds=[Kind.INVOICE, Kind.DEBIT])}
    advance_clock(group.actor, to_date=date(2026, 12, 10), now=NOW)

    refresh(group, today=date(2026, 12, 10))
    after = entries(group, "firm", kinds=[Kind.INVOICE, Kind.DEBIT])

    assert {one.key for one in after if one.date <= UNTIL} == before
    assert [title_of(one) for one in after[:2]] == [
        "Invoice RE-2026-000002: firm",
        "Debit: RE-2026-000002, firm",
    ]


def test_shows_a_part_to_who_reaches_no_more(group):
    refresh(group)
    bob = group.customer("Bob", "viewer", "A")

    seen = told(group, actor=bob, last=date(2026, 12, 31))

    # 10 x 9.00 + 14 x 7.50 a month, 16/30 of November and December, with tax.
    assert [one for one in seen if one[1] != "renewal"] == [("2026-12-01", "invoice", "A", 35581)]
    assert {one[2] for one in seen} == {"A"}
    assert "part of A" in title_of(entries(group, actor=bob, kinds=[Kind.INVOICE])[0])


def test_tells_the_part_of_an_account_to_who_asks_for_it_alone(group):
    refresh(group)

    whole = told(group, "G", kinds=[Kind.INVOICE], last=date(2026, 12, 31))
    parts = [
        told(group, key, only=True, kinds=[Kind.INVOICE], last=date(2026, 12, 31))
        for key in ("A", "B")
    ]

    assert whole[0][0] == "2026-12-01"
    assert [[one[2] for one in some] for some in parts] == [["A"], []]


def test_tells_a_part_in_an_invoice_of_another_tree(group):
    """Of its own tree somebody sees all whole; a part may be of one that it has left."""
    refresh(group)
    days = {"first": date(2026, 12, 1), "last": date(2026, 12, 1)}
    before = told(group, "firm", **days)
    with group.seen():
        part = CalendarEntry.objects.filter(is_part=True, date=days["first"]).first()
        part.pk, part.key, part.account_id = uuid7(), "part:other", group.id_of("firm")
        part.save(force_insert=True)
        minor = part.amount_minor

    own = [one for one in told(group, "firm", **days) if one not in before]
    assert own == [("2026-12-01", "invoice", "firm", minor)]
    rita = group.customer("Rita", "viewer", "firm")
    assert ("2026-12-01", "invoice", "firm", minor) in told(group, actor=rita, **days)
    # Who sees the whole invoice sees no part of it beside.
    assert ("2026-12-01", "invoice", "firm", minor) not in told(group, **days)


def test_shows_a_stranger_nothing(group):
    refresh(group)
    eve = group.customer("Eve", "admin", "firm")

    assert {one[2] for one in told(group, actor=eve)} == {"firm"}
    with pytest.raises(NotFound):
        refresh(group, "G", actor=eve)
    assert told(group, "G", actor=eve) == []


def test_keeps_other_tenants_apart(group, other_vendor):
    refresh(group)

    assert told(other_vendor) == []


def test_shows_plans_to_staff_alone(group):
    wanted = Wanted("move", group.id_of("A"), date(2027, 1, 15))
    alice = group.staff("Alice", "finance_admin")
    plan = create_plan(alice, wanted, today=TODAY, now=NOW)
    submit_plan(alice, plan.pk, today=TODAY, now=NOW)
    bob = group.customer("Bob", "admin", "G")

    refresh(group)

    assert told(group, kinds=[Kind.PLAN]) == [("2027-01-15", "plan", "A", None)]
    assert told(group, actor=bob, kinds=[Kind.PLAN]) == []
    with group.seen():
        assert ChangePlan.objects.get().is_open


class TestRuns:
    """Runs are the tenant's: told once for a day, whatever number of trees they bill."""

    def days(self, group, *args, **options):
        found = entries(group, *args, kinds=[Kind.RUN], **options)
        return [(str(one.date), title_of(one)) for one in found]

    def test_are_those_that_are_then_made(self, group):
        refresh(group)
        # G and the firm are both billed on 5 December at the latest.
        group.has("subscriptions", subscription("f2", "firm", "ten", "2026-12-01"))
        refresh(group)

        foretold = self.days(group)
        assert foretold[:2] == [
            ("2026-12-01", "Billing run to come"),
            ("2026-12-05", "Billing run to come"),
        ]
        assert {day for day, _title in foretold} == {
            str(one.date) for one in entries(group, kinds=[Kind.INVOICE])
        }

        advance_clock(group.actor, to_date=UNTIL, now=NOW)
        with group.seen():
            # On other days something begins that waits for its invoice.
            made = {str(one.run.date) for one in Invoice.objects.select_related("run")}
        assert [day for day, _title in foretold] == sorted(made)

    def test_that_were_made_lead_to_themselves(self, group):
        group.run("2026-12-01", today=date(2026, 12, 1))

        refresh(group, today=date(2026, 12, 1))

        (first, *_others) = entries(group, kinds=[Kind.RUN], first=date(2026, 12, 1))
        with group.seen():
            assert first.subject == BillingRun.objects.get().public_id
        assert title_of(first) == "Billing run"

    def test_are_told_to_the_tenants_own_people_and_of_all_accounts_alone(self, group):
        refresh(group)

        assert self.days(group, "G") == []
        assert self.days(group, actor=group.customer("Bob", "admin", "G")) == []
        assert self.days(group, actor=group.staff("Mira", "support")) != []

    def test_are_summed_once_for_a_day(self, group):
        group.has("subscriptions", subscription("f2", "firm", "ten", "2026-12-01"))
        refresh(group)

        with group.seen():
            found = calendar_entries(group.actor, first=TODAY, last=UNTIL, kinds=[Kind.RUN])
            assert {one.count for one in day_sums(found)} == {1}


def test_makes_only_what_has_changed_again(group):
    refresh(group)
    with group.seen():
        Forecast.objects.update(took_seconds=99)

    assert refresh(group).is_being_made is False
    group.has("subscriptions", subscription("new", "A", "ten", "2026-12-01"))
    refresh(group)

    with group.seen():
        left = dict(Forecast.objects.values_list("root__external_id", "took_seconds"))
        assert (left["G"] < 99, left["firm"]) == (True, 99)
    assert "new" in {
        name_of(group, one.subject_id)
        for one in entries(group, kinds=[Kind.RENEWAL])
    }  # fmt: skip


def name_of(vendor, key):
    with vendor.seen():
        return Subscription.objects.get(pk=key).external_id


def test_makes_it_again_on_another_day(group):
    refresh(group)

    assert refresh(group, today=TODAY + timedelta(days=1)).is_being_made is False
    with group.seen():
        assert set(Forecast.objects.values_list("today", flat=True)) == {date(2026, 11, 24)}


def test_has_large_trees_made_behind(group, monkeypatch):
    monkeypatch.setattr(forecasts, "ITEMS_AT_ONCE", 2)

    waiting = refresh(group)

    assert (waiting.is_being_made, waiting.as_of) == (True, None)
    assert told(group) == []
    with group.seen():
        tenant = Tenant.objects.get(pk=group.tenant_id)
        roots = list(Forecast.objects.filter(wanted_at=NOW).values_list("root_id", flat=True))
    assert len(roots) == 2
    for root in roots:
        assert make_wanted_forecast(group.actor, root, tenant=tenant, today=TODAY, now=NOW)
        assert not make_wanted_forecast(group.actor, root, tenant=tenant, today=TODAY, now=NOW)
    done = refresh(group)
    assert (done.is_being_made, done.as_of) == (False, NOW)
    assert len(told(group)) > 10


def making_of(vendor, key, *, today=TODAY, now=NOW):
    """Have the calendar of a tree made behind, and return whether it was."""
    with vendor.seen():
        tenant = Tenant.objects.get(pk=vendor.tenant_id)
    return make_wanted_forecast(
        vendor.actor, vendor.id_of(key), tenant=tenant, today=today, now=now
    )


def stored(vendor):
    with vendor.seen():
        rows = CalendarEntry.objects.values_list(
            "key", "date", "kind", "account_id", "bill_to_id", "is_part", "amount_minor", "details"
        )
        return sorted(rows)


class TestMadeInParts:
    """A large tree's calendar is written some days at a time; it is that of a small one."""

    @pytest.fixture
    def group(self, group):
        """It has something of each kind, also periods that two runs charge for."""
        group.has(
            "prices",
            price("late", "7.00", timing="arrears", tax_rate=19),
            price("early", "3.00", tax_rate=19),
        )
        group.has(
            "subscriptions",
            subscription("mixed", "A", "early", "2026-12-01"),
            subscription("bound", "B", "ten", "2026-12-01"),
        )
        with group.seen():
            mixed = Subscription.objects.get(external_id="mixed")
            bound = Subscription.objects.get(external_id="bound")
            late = ItemAddition(Price.objects.get(external_id="late").pk, Decimal(1))
        change_subscription(
            group.actor, mixed.pk, [late], day=date(2026, 12, 1), today=TODAY, now=NOW
        )
        contract = Contract(12, 12, notice_months=3)
        change_contract(group.actor, bound.pk, contract, today=TODAY, now=NOW)
        return group

    @pytest.fixture
    def in_parts(self, monkeypatch):
        monkeypatch.setattr(forecasts, "ITEMS_AT_ONCE", 2)
        monkeypatch.setattr(making, "PART", 1)
        monkeypatch.setattr(making, "_MANY_CONTRACTS", 0)
        monkeypatch.setattr(making, "_DAYS_OF_MANY", 20)

    def test_is_as_if_it_were_made_at_once(self, group, request):
        refresh(group)
        at_once = stored(group)
        with group.seen():
            CalendarEntry.objects.all().delete()
            Forecast.objects.all().delete()
        request.getfixturevalue("in_parts")
        refresh(group)

        assert making_of(group, "G")
        assert making_of(group, "firm")

        assert stored(group) == at_once
        # 3.00 in advance, and 7.00 in arrears for the same month.
        sums = {
            one.date: one.amount_minor
            for one in entries(group, "A", kinds=[Kind.RENEWAL])
            if name_of(group, one.subject_id) == "mixed"
        }
        assert sums[date(2027, 1, 1)] == 1000

    def test_takes_the_place_of_what_was_there(self, group, request, monkeypatch):
        refresh(group)
        request.getfixturevalue("in_parts")
        group.has("subscriptions", subscription("new", "A", "ten", "2027-01-10"))
        with group.seen():
            # Debits fall on other days, and one of them moves from one part into another.
            SettingInterval.objects.filter(name="payment_terms_days").update(value=3)
            Subscription.objects.filter(external_id="a").update(end_date=date(2027, 2, 1))
        refresh(group)
        assert making_of(group, "G")
        made = stored(group)

        monkeypatch.undo()
        with group.seen():
            firm = Forecast.objects.get(root_id=group.id_of("firm")).pk
            CalendarEntry.objects.exclude(forecast_id=firm).delete()
            Forecast.objects.exclude(pk=firm).delete()
        refresh(group)
        assert made == stored(group)

    def test_is_there_part_by_part(self, group, in_parts, monkeypatch):
        refresh(group)
        write, seen = making._write, []

        def watched(*args):
            write(*args)
            seen.append(refresh(group, "G"))

        monkeypatch.setattr(making, "_write", watched)
        assert making_of(group, "G")

        assert {one.as_of for one in seen} == {None}
        days = [one.ready_until for one in seen]
        assert days[0] is None
        assert days[1:] == sorted(days[1:])
        assert days[1] < days[-1] < making.last_day(TODAY)
        done = refresh(group, "G")
        assert (done.is_being_made, done.ready_until, done.as_of) == (False, None, NOW)

    def test_is_made_by_one_at_a_time_and_taken_up_where_it_was_broken_off(
        self, group, in_parts, monkeypatch
    ):
        refresh(group)
        write, answers = making._write, []

        def killed(*args):
            write(*args)
            answers.append(making_of(group, "G"))
            if len(answers) == 3:
                raise KeyboardInterrupt

        monkeypatch.setattr(making, "_write", killed)
        with pytest.raises(KeyboardInterrupt):
            making_of(group, "G")
        monkeypatch.setattr(making, "_write", write)

        assert answers == [False, False, False]
        assert not making_of(group, "G", now=NOW + timedelta(minutes=4))
        assert making_of(group, "G", now=NOW + timedelta(minutes=6))

    def test_stops_where_somebody_else_has_made_it(self, group, in_parts, monkeypatch):
        refresh(group)
        with group.seen():
            tenant = Tenant.objects.get(pk=group.tenant_id)
        write, is_first = making._write, [True]

        def overtaken(*args):
            write(*args)
            if is_first.pop() if is_first else False:
                monkeypatch.setattr(making, "_write", write)
                with group.seen():
                    making.write_forecast(
                        group.actor, group.id_of("G"), tenant=tenant, today=TODAY, now=NOW
                    )

        monkeypatch.setattr(making, "_write", overtaken)

        assert not making_of(group, "G")
        assert refresh(group, "G").is_being_made is False


def test_forgets_the_calendar_of_who_stands_below_another_now(group):
    refresh(group)
    with scope(group.tenant_id):
        place_account(group.actor, group.id_of("firm"), group.id_of("G"), day=TODAY)

    refresh(group)

    with group.seen():
        assert Forecast.objects.count() == 1
        keys = list(CalendarEntry.objects.values_list("key", flat=True))
    assert len(keys) == len(set(keys))


def test_tells_the_end_of_a_trial_and_no_renewal_on_it(group):
    with group.seen():
        Subscription.objects.filter(external_id="f").update(trial_end=date(2026, 12, 20))

    refresh(group)

    assert [one for one in told(group, "firm", last=date(2027, 1, 31)) if one[1] != "debit"] == [
        ("2026-12-20", "invoice", "firm", 1190),
        ("2026-12-20", "trial_end", "firm", None),
        ("2027-01-20", "invoice", "firm", 1190),
        ("2027-01-20", "renewal", "firm", 1000),
    ]


def test_tells_terms_that_renew_and_by_when_notice_is_given(group):
    with group.seen():
        key = Subscription.objects.get(external_id="f").pk
    contract = Contract(3, 1, notice_days=30)
    change_contract(group.actor, key, contract, today=TODAY, now=NOW)

    refresh(group)

    found = told(group, "firm", last=date(2027, 4, 5))
    assert [(day, kind) for day, kind, *_ in found if kind in ("notice", "term")] == [
        ("2027-02-02", "notice"),
        ("2027-03-05", "notice"),
        ("2027-03-05", "term"),
        ("2027-04-04", "notice"),
        ("2027-04-05", "term"),
    ]
    with group.seen():
        notice = CalendarEntry.objects.filter(kind="notice").order_by("date").first()
        assert title_of(notice) == "Last day of notice for Ten: firm"


def test_what_is_to_end_has_no_notice_deadline_any_more(group):
    with group.seen():
        key = Subscription.objects.get(external_id="f").pk
    change_contract(group.actor, key, Contract(3, 1), today=TODAY, now=NOW)
    cancel_subscription(group.actor, key, end_date=None, at_term_end=True, today=TODAY, now=NOW)

    refresh(group)

    kinds = {kind for _day, kind, *_ in told(group, "firm", last=date(2027, 12, 31))}
    assert "end" in kinds
    assert not kinds & {"notice", "term"}


def test_tells_a_pause_once_for_all_items_and_no_new_terms(group):
    with group.seen():
        key = Subscription.objects.get(external_id="a").pk
    pause_subscription(
        group.actor, key, day=date(2027, 1, 1), until=date(2027, 2, 1), today=TODAY, now=NOW
    )

    refresh(group)

    found = [one for one in told(group, "A") if one[1] in ("pause", "price_change")]
    assert [(day, kind) for day, kind, *_ in found] == [
        ("2027-01-01", "pause"), ("2027-02-01", "pause")
    ]  # fmt: skip
    with group.seen():
        entries = CalendarEntry.objects.filter(kind="pause").order_by("date")
        titles = [title_of(one) for one in entries]
    assert titles == ["Seat is paused: A", "Seat goes on: A"]


def test_sums_days_by_kind_and_currency(group):
    refresh(group)
    with group.seen():
        found = calendar_entries(group.actor, first=TODAY, last=UNTIL, kinds=[Kind.INVOICE])
        sums = day_sums(found)

    assert [(str(one.date), one.currency, one.count) for one in sums][:3] == [
        ("2026-12-01", "EUR", 1),
        ("2026-12-05", "EUR", 1),
        ("2027-01-01", "EUR", 1),
    ]


def test_finds_the_nearest_day(group):
    refresh(group)
    with group.seen():
        options = {"within": None, "only": False, "kinds": [Kind.END]}
        assert nearest_day(group.actor, **options, today=TODAY) == date(2027, 3, 20)
        assert nearest_day(group.actor, **options, today=date(2027, 6, 1)) == date(2027, 3, 20)


def test_leaves_out_small_amounts(group):
    refresh(group)

    assert {one[2] for one in told(group, least_minor=10_000)} == {"A", "G"}


@pytest.mark.parametrize("last", [TODAY - timedelta(days=1), TODAY + timedelta(days=430)])
def test_refuses_too_many_days(group, last):
    with pytest.raises(DatesTooFar):
        entries(group, last=last)
