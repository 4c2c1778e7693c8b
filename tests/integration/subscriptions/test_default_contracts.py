"""Contract terms that accounts and the company set for what begins without its own."""

from datetime import date
from decimal import Decimal

import pytest

from accounts.operations.account_settings import (
    WantedSettings,
    change_defaults,
    change_settings,
)
from billing_rules.periods import Interval, Unit
from subscriptions.models import Price, Subscription
from subscriptions.operations.plans.checking import NewPlan, NewPlanItem
from subscriptions.operations.plans.keeping import create_plan
from subscriptions.operations.plans.starting import PlanChoice
from subscriptions.operations.subscriptions.contracting import Contract
from subscriptions.operations.subscriptions.creating import (
    InvalidSubscription,
    NewItem,
    NewSubscription,
    create_subscription,
)
from subscriptions.queries.contracts import default_contracts, standing_of
from tenancy.models import AuditEntry
from tests.scenes import scene
from tests.world import NOW, TODAY, account, price, subscription

D = date.fromisoformat


@scene
def shop(vendor):
    """G binds what is below it for a year, A below it needs two months' notice instead of three."""
    vendor.has(
        "accounts",
        account("G", minimum_term_months=12, renewal_months=12, notice_months=3),
        account("A", "G", notice_months=2),
        account("B", "G", minimum_term_months=0),
        account("X"),
    )
    vendor.has("prices", price("seat", "10", model="per_unit", tax_rate=19))
    return vendor


def begun(shop, key, *, is_dry_run=False, **values):
    with shop.seen():
        price_id = Price.objects.get(external_id="seat").pk
    values = {"items": [NewItem(price_id, Decimal(1))], "start_date": D("2026-12-01"), **values}
    return create_subscription(
        shop.actor, shop.id_of(key), NewSubscription(**values), is_dry_run=is_dry_run, now=NOW
    )


def sets(shop, key, day=TODAY, **values):
    wanted = WantedSettings(values, day)
    change_settings(shop.actor, shop.id_of(key), wanted, today=TODAY, now=NOW)


def bound(found):
    return (
        found.minimum_term_months,
        found.renewal_months,
        found.notice_months,
        found.notice_days,
        found.contract_source,
    )


def stored(shop, key):
    with shop.seen():
        return Subscription.objects.get(external_id=key)


def with_plan(shop, **terms):
    with shop.seen():
        price_id = Price.objects.get(external_id="seat").pk
    wanted = NewPlan(name="Small", items=[NewPlanItem(price_id)], **terms)
    plan = create_plan(shop.actor, wanted, now=NOW)
    return PlanChoice(plan.pk, "EUR", Interval(Unit.MONTH))


def test_each_setting_is_inherited_by_itself(shop):
    assert bound(begun(shop, "G")) == (12, 12, 3, 0, "default")
    assert bound(begun(shop, "A")) == (12, 12, 2, 0, "default")


def test_the_example_of_the_rule(shop):
    wanted = WantedSettings({"minimum_term_months": 12, "renewal_months": 12}, TODAY)
    change_defaults(shop.actor, wanted, today=TODAY, now=NOW)
    first = D("2026-12-01")
    ends = {}
    for key in ("A", "G", "B"):
        standing = standing_of(begun(shop, key, start_date=first), D("2026-12-01"))
        ends[key] = (standing.earliest_end, standing.notice_deadline)

    assert ends["A"] == (D("2027-12-01"), D("2027-09-30"))
    assert ends["G"] == (D("2027-12-01"), D("2027-08-31"))
    assert ends["B"] == (D("2027-03-02"), D("2026-12-01"))
    assert begun(shop, "A", end_date=D("2027-03-01")).end_date == D("2027-03-01")


def test_zero_is_none_whatever_is_set_above_and_nothing_renews_without_a_term(shop):
    assert bound(begun(shop, "B")) == (None, None, 3, 0, "default")


def test_the_company_sets_them_for_all_and_nothing_of_it_binds_nobody(shop):
    assert bound(begun(shop, "X")) == (None, None, 0, 0, "")

    wanted = WantedSettings({"minimum_term_months": 6, "notice_days": 30}, TODAY)
    change_defaults(shop.actor, wanted, today=TODAY, now=NOW)

    made = begun(shop, "X")
    assert bound(made) == (6, None, 0, 30, "default")
    assert made.end_date == D("2027-06-01")
    # What began before stays as it is.
    assert bound(begun(shop, "A")) == (12, 12, 2, 30, "default")


def test_those_of_its_first_day_count(shop):
    sets(shop, "A", D("2027-01-01"), minimum_term_months=24)

    assert begun(shop, "A", start_date=D("2026-12-31")).minimum_term_months == 12
    assert begun(shop, "A", start_date=D("2027-01-01")).minimum_term_months == 24


def test_what_is_said_goes_before_the_plan_and_the_plan_before_the_defaults(shop):
    plan = with_plan(shop, contract=Contract(1, 1, notice_days=7))

    assert bound(begun(shop, "A", items=(), plan=plan)) == (1, 1, 0, 7, "plan")
    own = Contract(3, 3)
    assert bound(begun(shop, "A", items=(), plan=plan, contract=own)) == (3, 3, 0, 0, "own")
    assert bound(begun(shop, "A", contract=Contract())) == (None, None, 0, 0, "")


def test_a_plan_that_says_nothing_leaves_it_to_the_defaults(shop):
    assert bound(begun(shop, "A", items=(), plan=with_plan(shop))) == (12, 12, 2, 0, "default")


def test_an_end_that_is_said_leaves_no_room_for_them(shop):
    made = begun(shop, "A", end_date=D("2027-02-01"))

    assert (bound(made), made.end_date) == ((None, None, 0, 0, ""), D("2027-02-01"))


def test_a_preview_says_them_and_stores_nothing(shop):
    assert bound(begun(shop, "A", is_dry_run=True)) == bound(begun(shop, "A"))
    with shop.seen():
        assert Subscription.objects.count() == 1


def test_they_are_told_with_whose_they_are(shop):
    with shop.seen():
        found = default_contracts(shop.actor, [shop.id_of("A")]).on(shop.id_of("A"), TODAY)

    g, a = shop.id_of("G"), shop.id_of("A")
    assert found.origins == {"minimum_term_months": g, "renewal_months": g, "notice_months": a}


def test_the_audit_trail_keeps_terms_and_where_they_come_from(shop):
    made = begun(shop, "A")

    with shop.seen():
        entry = AuditEntry.objects.get(action="subscription.created", object_id=made.pk)
    assert entry.after["contract_source"] == "default"
    assert entry.after["notice_months"] == 2


def test_a_term_that_ends_beyond_the_calendar_is_refused(shop):
    sets(shop, "A", minimum_term_months=240, renewal_months=0)
    with pytest.raises(InvalidSubscription):
        begun(shop, "A", start_date=D("2190-01-01"))
    with shop.seen():
        assert not Subscription.objects.exists()


class TestFiles:
    def test_rows_without_terms_have_the_defaults(self, shop):
        shop.has(
            "subscriptions",
            subscription("S1", "A", "seat", "2026-12-01"),
            subscription("S2", "X", "seat", "2026-12-01"),
            subscription("S3", "A", "seat", "2026-12-01", end_date="2027-02-01"),
        )

        assert bound(stored(shop, "S1")) == (12, 12, 2, 0, "default")
        assert bound(stored(shop, "S2")) == (None, None, 0, 0, "")
        assert bound(stored(shop, "S3")) == (None, None, 0, 0, "")

    def test_rows_say_their_own(self, shop):
        shop.has(
            "subscriptions",
            subscription("S1", "A", "seat", "2026-12-01", minimum_term_months=6, notice_days=14),
            subscription("S2", "A", "seat", "2026-12-01", minimum_term_months=0),
            subscription(
                "S3", "X", "seat", "2026-12-01", minimum_term_months=12, renewal_months=1,
                notice_months=1, term_start="2027-01-01",
            ),
        )  # fmt: skip

        first = stored(shop, "S1")
        assert bound(first) == (6, None, 0, 14, "own")
        assert (first.end_date, first.ends_with_term) == (D("2027-06-01"), True)
        assert first.non_renewing_since is not None
        assert bound(stored(shop, "S2")) == (None, None, 0, 0, "")
        assert stored(shop, "S3").term_start == D("2027-01-01")

    def test_what_a_file_makes_is_what_is_made_one_by_one(self, shop):
        shop.has("subscriptions", subscription("S1", "A", "seat", "2026-12-01"))
        made = begun(shop, "A", external_id="S2")

        with shop.seen():
            one, two = (
                Subscription.objects.filter(external_id=key).values(
                    "end_date", "non_renewing_since", "minimum_term_months", "renewal_months",
                    "notice_months", "notice_days", "contract_source", "term_start",
                ).get()
                for key in ("S1", "S2")
            )  # fmt: skip
        assert one == two
        assert made.contract_source == "default"

    def test_the_same_file_again_changes_nothing_whatever_the_defaults_are_by_then(self, shop):
        rows = [
            subscription("S1", "A", "seat", "2026-12-01"),
            subscription("S2", "A", "seat", "2026-12-01", minimum_term_months=6),
        ]
        shop.has("subscriptions", *rows)
        sets(shop, "A", minimum_term_months=1)

        again = shop.load("subscriptions", rows)
        assert (again.errors, again.unchanged) == ((), 2)

    def test_other_terms_than_it_has_are_refused(self, shop):
        shop.has("subscriptions", subscription("S1", "A", "seat", "2026-12-01", notice_days=7))
        rows = [subscription("S1", "A", "seat", "2026-12-01", notice_days=8)]

        [error] = shop.load("subscriptions", rows).errors
        assert error.code == "already_exists_different"

    @pytest.mark.parametrize(
        ("cells", "column", "code"),
        [
            ({"minimum_term_months": 241}, "minimum_term_months", "out_of_range"),
            ({"minimum_term_months": "NaN"}, "minimum_term_months", "not_an_integer"),
            ({"notice_months": -1}, "notice_months", "out_of_range"),
            ({"renewal_months": 12}, "renewal_months", "renewal_without_term"),
            ({"term_start": "2027-01-01"}, "term_start", "start_without_term"),
            (
                {"minimum_term_months": 12, "term_start": "2026-11-30"},
                "term_start",
                "out_of_range",
            ),
            (
                {"minimum_term_months": 12, "end_date": "2027-03-01"},
                "end_date",
                "within_minimum_term",
            ),
            (
                {"minimum_term_months": 240, "start_date": "2190-01-01"},
                "minimum_term_months",
                "out_of_range",
            ),
        ],
    )
    def test_what_says_nothing_sensible_is_refused_at_its_cell(self, shop, cells, column, code):
        rows = [{**subscription("S1", "A", "seat", "2026-12-01"), **cells}]

        report = shop.load("subscriptions", rows)
        assert [(one.column, one.code) for one in report.errors] == [(column, code)]
        with shop.seen():
            assert not Subscription.objects.exists()
