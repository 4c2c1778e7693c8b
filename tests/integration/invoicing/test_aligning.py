"""Periods of many subscriptions come to begin on one date: previewed and billed to the cent."""

import random
from dataclasses import replace
from datetime import date, timedelta

import pytest

from accounts import tree
from accounts.models import SettingInterval
from accounts.queries.settings import setting_history
from invoicing.models import ChangePlan, Charge, InvoiceLine
from invoicing.operations.plans.applying import carry_out_due_plans
from invoicing.operations.plans.deciding import submit_plan
from invoicing.operations.plans.renewals import align_renewals
from invoicing.operations.plans.reversing import reverse_plan
from invoicing.operations.subscriptions.pausing import pause_subscription
from invoicing.queries.plans.aligned_settings import InvalidAlignment
from invoicing.queries.plans.aligning import row_shown
from invoicing.queries.plans.checking import NotChargedYet, NothingToChange
from invoicing.queries.plans.preview import preview_plan
from invoicing.queries.plans.wanted import Alignment, Wanted
from subscriptions.models import Item, Period, Subscription
from tenancy.errors import BillingError, Forbidden, NotFound
from tenancy.models import Tenant
from tests.scenes import scene
from tests.world import NOW, account, make_vendor, price, subscription

D = date.fromisoformat
PRICES = (
    price("pro", "249.95", tax_rate=19),
    price("seat", "10", model="per_unit", tax_rate=19),
    price("year", "2399.95", interval="year", tax_rate=19),
    price("late", "31", timing="arrears", tax_rate=19),
    price("quarter", "90", interval="quarter", tax_rate=19),
    price("week", "7", interval="week", tax_rate=19),
)
MAY = D("2017-05-01")


@scene
def shop(vendor):
    """G pays for the shops A and B, whose renewals are scattered; N stands beside them."""
    vendor.has("accounts", account("G"), account("A", "G"), account("B", "G"), account("N"))
    vendor.has("prices", *PRICES)
    return vendor


EARLY = D("2016-01-01")


def sells(shop, *rows):
    """Have subscriptions; files know no billing day of their own."""
    own = {row["external_id"]: row.pop("billing_day", None) for row in rows}
    shop.has("subscriptions", *rows, today=EARLY)
    with shop.seen():
        for key, day in own.items():
            Subscription.objects.filter(external_id=key).update(billing_day=day)


def wanted(shop, key="G", day="2017-05-01", **values):
    values = {"billing_day": 15, **values}
    values["excluded"] = tuple(shop.id_of(one) for one in values.pop("out", ()))
    return Wanted("alignment", shop.id_of(key), D(day), alignment=Alignment(**values))


def previewed(shop, what, today="2017-05-01"):
    with shop.seen():
        tenant = Tenant.objects.get(pk=shop.tenant_id)
        return preview_plan(shop.actor, what, today=D(today), tenant=tenant)


def aligned(shop, what, today="2017-05-01", actor=None, **values):
    plan, alignings = align_renewals(actor or shop.actor, what, today=D(today), now=NOW, **values)
    return plan, alignings.rows


def rows_of(rows):
    return {
        row["external_id"]: (row["old_date"], row["new_date"], row["days"], row["full_days"],
                             row["amount_minor"])
        for row in (row_shown(one, lambda key: None) for one in rows)
    }  # fmt: skip


def charged(shop, key):
    with shop.seen():
        found = Charge.objects.filter(subscription__external_id=key)
        return [
            (str(one.period_start), str(one.period_end), one.net_minor)
            for one in found.order_by("period_start", "revision", "kind")
        ]


@pytest.mark.parametrize(
    ("price_key", "start", "day", "values", "row"),
    [
        ("pro", "2017-05-01", "2017-05-01", {}, ("2017-05-15", 14, 30, 11664)),
        ("pro", "2017-06-01", "2017-06-01", {}, ("2017-06-15", 14, 31, 11288)),
        ("pro", "2017-07-15", "2017-07-15", {"billing_day": 10}, ("2017-08-10", 26, 31, 20964)),
        (
            "year",
            "2017-05-01",
            "2017-05-01",
            {"billing_day": 10, "billing_month": 5},
            ("2017-05-10", 9, 365, 5918),
        ),
    ],
    ids=["May", "June", "July", "a year"],
)
def test_the_days_up_to_the_date_cost_their_part(shop, price_key, start, day, values, row):
    sells(shop, subscription("S", "A", price_key, start))
    plan, rows = aligned(shop, wanted(shop, day=day, **values), today=day)
    shop.run(row[0], today=D(row[0]))

    assert plan.status == ChangePlan.Status.APPLIED
    assert rows_of(rows) == {"S": (start, *row)}
    assert charged(shop, "S")[0] == (start, row[0], row[3])
    assert shop.violations() == []


def test_what_runs_ends_as_it_was_and_then_the_days_up_to_the_date_are_charged(shop):
    """Paid up to 20 May: 20 May to 15 June are 26 of 31 days."""
    sells(shop, subscription("S", "A", "pro", "2017-04-20"))
    shop.run("2017-05-01", today=MAY)
    _plan, rows = aligned(shop, wanted(shop))
    shop.run("2017-06-15", today=D("2017-06-15"))

    assert rows_of(rows) == {"S": ("2017-05-20", "2017-06-15", 26, 31, 20964)}
    assert charged(shop, "S") == [
        ("2017-04-20", "2017-05-20", 24995),
        ("2017-05-20", "2017-06-15", 20964),
        ("2017-06-15", "2017-07-15", 24995),
    ]
    assert shop.violations() == []


def test_long_charges_the_days_with_the_first_full_period(shop):
    sells(
        shop,
        subscription("S", "A", "pro", "2017-04-20"),
        subscription("L", "B", "late", "2017-04-20"),
    )
    shop.run("2017-05-01", today=MAY)
    _plan, rows = aligned(shop, wanted(shop, method="long"))
    shop.run("2017-06-01", today=D("2017-06-01"))
    with shop.seen():
        days = InvoiceLine.objects.filter(period_start=D("2017-05-20"))
        assert not days.exists()
    shop.run("2017-06-15", today=D("2017-06-15"))
    shop.run("2017-07-15", today=D("2017-07-15"))

    assert rows_of(rows)["S"] == ("2017-05-20", "2017-06-15", 26, 31, 20964)
    with shop.seen():
        found = {
            (one.charge.subscription.external_id, str(one.period_start)): str(
                one.invoice.issue_date
            )
            for one in InvoiceLine.objects.select_related("invoice", "charge__subscription")
        }
    assert found["S", "2017-05-20"] == found["S", "2017-06-15"] == "2017-06-15"
    assert found["L", "2017-05-20"] == found["L", "2017-06-15"] == "2017-07-15"
    assert shop.violations() == []


def test_free_charges_nothing_for_the_days(shop):
    sells(shop, subscription("S", "A", "pro", "2017-04-20"))
    shop.run("2017-05-01", today=MAY)
    _plan, rows = aligned(shop, wanted(shop, method="free"))
    shop.run("2017-06-15", today=D("2017-06-15"))

    assert rows_of(rows) == {"S": ("2017-05-20", "2017-06-15", 26, 31, 0)}
    assert charged(shop, "S") == [
        ("2017-04-20", "2017-05-20", 24995),
        ("2017-06-15", "2017-07-15", 24995),
    ]
    assert shop.violations() == []


def test_those_that_are_left_out_stay_as_they_are(shop):
    sells(
        shop,
        subscription("S", "A", "pro", "2017-04-20"),
        subscription("T", "B", "pro", "2017-04-20"),
    )
    shop.run("2017-05-01", today=MAY)
    _plan, rows = aligned(shop, wanted(shop, out=["B"]))
    sells(shop, subscription("U", "B", "pro", "2017-05-03"))
    shop.run("2017-06-15", today=D("2017-06-15"))

    assert [*rows_of(rows)] == ["S"]
    assert charged(shop, "T")[1] == ("2017-05-20", "2017-06-20", 24995)
    assert charged(shop, "U")[0] == ("2017-05-03", "2017-06-03", 24995)
    assert shop.violations() == []


def test_the_account_alone_is_aligned(shop):
    sells(
        shop,
        subscription("S", "G", "pro", "2017-04-20"),
        subscription("T", "B", "pro", "2017-04-20"),
    )
    _plan, rows = aligned(shop, wanted(shop, include_subtree=False))
    shop.run("2017-06-15", today=D("2017-06-15"))

    assert [*rows_of(rows)] == ["S"]
    assert charged(shop, "T")[1] == ("2017-05-20", "2017-06-20", 24995)


def test_own_days_end_and_new_ones_start_aligned(shop):
    """A sets the 3rd itself, the subscription the 7th: both inherit the 15th from May on."""
    shop.has("accounts", account("A", "G", billing_day=3), today=EARLY)
    sells(
        shop,
        subscription("S", "A", "pro", "2017-04-20"),
        subscription("T", "A", "pro", "2017-04-20", billing_day=7),
    )
    _plan, rows = aligned(shop, wanted(shop))
    sells(shop, subscription("N", "A", "pro", "2017-05-10"))
    shop.run("2017-05-15", today=D("2017-05-15"))

    assert rows_of(rows) == {
        "S": ("2017-05-03", "2017-05-15", 12, 30, 9998),
        "T": ("2017-05-07", "2017-05-15", 8, 30, 6665),
    }
    assert charged(shop, "S")[:2] == [
        ("2017-04-20", "2017-05-03", 10831),
        ("2017-05-03", "2017-05-15", 9998),
    ]
    assert charged(shop, "T")[1] == ("2017-05-07", "2017-05-15", 6665)
    assert charged(shop, "N")[0] == ("2017-05-10", "2017-05-15", 4166)
    assert shop.violations() == []


def test_says_what_cannot_be_aligned(shop):
    sells(
        shop,
        subscription("W", "A", "week", "2017-04-20"),
        subscription("E", "A", "pro", "2017-04-20", end_date="2017-05-10"),
        subscription("F", "A", "pro", "2017-04-20", end_date="2017-06-01"),
        subscription("OK", "A", "pro", "2017-04-15"),
        subscription("S", "A", "pro", "2017-04-20"),
    )
    shown = previewed(shop, wanted(shop)).shown["alignment"]

    assert {row["external_id"]: row["code"] for row in shown["left"]} == {
        "W": "own_interval", "E": "ends", "F": "ends",
    }  # fmt: skip
    assert (shown["aligned_already"], shown["subscriptions"]) == (1, 1)
    assert shown["totals"] == [
        {
            "payer": {"id": shown["totals"][0]["payer"]["id"], "external_id": "G", "name": "G"},
            "currency": "EUR",
            "subscriptions": 1,
            "amount_minor": 20964,
        }
    ]
    assert (shown["before"], shown["after"]) == ({"2017-05": 1}, {"2017-06": 1})


def test_an_empty_tree_gets_a_day_for_what_begins_there(shop):
    plan, rows = aligned(shop, wanted(shop))
    sells(shop, subscription("S", "B", "pro", "2017-05-10"))
    shop.run("2017-05-15", today=D("2017-05-15"))

    assert (plan.status, rows) == (ChangePlan.Status.APPLIED, [])
    assert charged(shop, "S")[0] == ("2017-05-10", "2017-05-15", 4166)


def test_refuses_what_is_so_already(shop):
    sells(shop, subscription("S", "A", "pro", "2017-04-20"))
    aligned(shop, wanted(shop))
    shop.run("2017-06-15", today=D("2017-06-15"))

    with pytest.raises(NothingToChange):
        aligned(shop, wanted(shop, day="2017-06-16"), today="2017-06-16")
    with pytest.raises(NothingToChange):
        aligned(shop, wanted(shop, key="A", day="2017-06-16"), today="2017-06-16")


@pytest.mark.parametrize(
    ("values", "place"),
    [
        ({"billing_day": 0}, "/billing_day"),
        ({"billing_day": 32}, "/billing_day"),
        ({"billing_month": 13}, "/billing_month"),
        ({"method": "cheap"}, "/method"),
        ({"out": ["N"]}, "/except/0"),
        ({"out": ["G"]}, "/except/0"),
    ],
)
def test_refuses_what_makes_no_sense(shop, values, place):
    with pytest.raises(InvalidAlignment) as refusal:
        aligned(shop, wanted(shop, **values))
    assert [one.pointer for one in refusal.value.errors] == [place]
    with shop.seen():
        assert not ChangePlan.objects.exists()


def test_knows_no_other_tenants_accounts(shop):
    other = make_vendor("other")
    other.has("accounts", account("X"))
    foreign = replace(wanted(shop), account_id=other.id_of("X"))
    with pytest.raises(NotFound):
        aligned(shop, foreign)
    excluded = wanted(shop)
    alignment = replace(excluded.alignment, excluded=(other.id_of("X"),))
    with pytest.raises(BillingError):
        aligned(shop, replace(excluded, alignment=alignment))


@pytest.mark.parametrize("role", ["support", "auditor"])
def test_is_for_who_may_change_subscriptions(shop, role):
    with pytest.raises((Forbidden, NotFound)):
        aligned(shop, wanted(shop), actor=shop.staff("Bob", role))


def test_waits_for_its_day_and_is_carried_out_then(shop):
    sells(shop, subscription("S", "A", "pro", "2017-04-20"))
    plan, _rows = aligned(shop, wanted(shop, day="2017-05-18"))
    assert plan.status == ChangePlan.Status.SCHEDULED
    shop.run("2017-05-10", today=D("2017-05-10"))
    carry_out_due_plans(shop.actor, day=D("2017-05-18"), now=NOW)
    shop.run("2017-06-15", today=D("2017-06-15"))

    assert charged(shop, "S")[1:] == [
        ("2017-05-20", "2017-06-15", 20964),
        ("2017-06-15", "2017-07-15", 24995),
    ]


def test_of_two_at_once_the_second_says_what_has_changed(shop):
    sells(shop, subscription("S", "A", "pro", "2017-04-20"))
    aligned(shop, wanted(shop, day="2017-05-18"))
    aligned(shop, wanted(shop, "A", day="2017-05-17", billing_day=3))
    found = carry_out_due_plans(shop.actor, day=D("2017-05-18"), now=NOW)

    assert [plan.status for plan in found] == ["applied", "failed"]
    assert found[1].failure["parts"] == ["settings"]


@pytest.mark.parametrize("method", ["short", "long", "free"])
def test_is_taken_back_by_its_reverse(shop, method):
    shop.has("accounts", account("A", "G", billing_day=3), today=EARLY)
    sells(
        shop,
        subscription("S", "A", "pro", "2017-04-03"),
        subscription("T", "B", "year", "2017-04-20", billing_day=7),
    )
    shop.run("2017-05-03", today=D("2017-05-03"))
    plan, _rows = aligned(shop, wanted(shop, day="2017-05-04", method=method), today="2017-05-04")
    back = reverse_plan(
        shop.actor, plan.pk, effective_date=D("2017-05-05"), today=D("2017-05-05"), now=NOW
    )
    submit_plan(shop.actor, back.pk, today=D("2017-05-05"), now=NOW)
    shop.run("2017-07-03", today=D("2017-07-03"))

    assert charged(shop, "S") == [
        ("2017-04-03", "2017-05-03", 24995),
        ("2017-05-03", "2017-06-03", 24995),
        ("2017-06-03", "2017-07-03", 24995),
        ("2017-07-03", "2017-08-03", 24995),
    ]
    with shop.seen():
        own = Subscription.objects.get(external_id="T")
        assert (own.billing_day, own.billing_day_until) == (7, None)
        assert not Item.objects.exclude(waits_from=None).exists()
        assert not Item.objects.exclude(uncharged="").exists()
        on = SettingInterval.objects.filter(name="billing_day", valid_to=None)
        assert [(one.account.external_id, one.value) for one in on] == [("A", 3)]
    assert shop.violations() == []


def test_fails_as_a_whole_or_not_at_all(shop, monkeypatch):
    sells(shop, subscription("S", "A", "pro", "2017-04-20", billing_day=20))
    plan, _rows = aligned(shop, wanted(shop, day="2017-05-18"))

    def crash(*_args, **_values):
        raise RuntimeError

    with monkeypatch.context() as patch:
        patch.setattr("subscriptions.operations.subscriptions.aligning._record", crash)
        with pytest.raises(RuntimeError):
            carry_out_due_plans(shop.actor, day=D("2017-05-18"), now=NOW)
    with shop.seen():
        assert ChangePlan.objects.get().status == ChangePlan.Status.SCHEDULED
        assert Subscription.objects.get().billing_day_until is None
        assert not SettingInterval.objects.filter(name="billing_day").exists()
    assert [
        one.status for one in carry_out_due_plans(shop.actor, day=D("2017-05-18"), now=NOW)
    ] == [ChangePlan.Status.APPLIED]
    assert plan.pk


def method_of(seed):
    return ("short", "long", "free", "rebill")[seed % 4]


@pytest.mark.parametrize("seed", range(16))
def test_what_is_previewed_is_what_the_runs_bill(shop, seed):
    """Any prices, days and methods, billed or not: each row is billed to the cent."""
    chance = random.Random(seed)
    keys = ["pro", "seat", "year", "late", "quarter", "week"]
    for one in ("A", "B"):
        if chance.random() < 0.5:
            shop.has("accounts", account(one, "G", billing_day=chance.randint(1, 31)), today=EARLY)
    sells(
        shop,
        *(
            subscription(
                f"S{place}",
                chance.choice(["G", "A", "B"]),
                chance.choice(keys),
                str(MAY - timedelta(days=chance.randint(-20, 300))),
                chance.randint(1, 9),
                **({"billing_day": chance.randint(1, 31)} if chance.random() < 0.2 else {}),
                **(
                    {"end_date": str(MAY + timedelta(days=chance.randint(30, 400)))}
                    if chance.random() < 0.2
                    else {}
                ),
            )
            for place in range(14)
        ),
    )
    if chance.random() < 0.7:
        shop.run(MAY - timedelta(days=chance.randint(0, 90)), today=MAY)
    with shop.seen():
        paused = Subscription.objects.order_by("external_id").first()
    if chance.random() < 0.5:
        pause_subscription(
            shop.actor, paused.pk, day=D("2017-06-10"), until=D("2017-06-20"), today=MAY, now=NOW
        )
    day, method = MAY + timedelta(days=chance.randint(0, 30)), method_of(seed)
    if method == "rebill":
        shop.run(MAY, today=MAY)
    plan, rows = aligned(
        shop,
        wanted(
            shop,
            day=str(day),
            billing_day=chance.randint(1, 31),
            billing_month=chance.choice([None, chance.randint(1, 12)]),
            method=method,
            out=chance.choice([[], ["A"]]),
        ),
    )
    if method == "rebill" and day > MAY:
        shop.run(day - timedelta(days=1), today=day)
    carry_out_due_plans(shop.actor, day=D("2017-06-15"), now=NOW)
    for days in sorted(chance.sample(range(50, 500), chance.randint(0, 3))):
        shop.run(MAY + timedelta(days=days), today=D("2019-01-01"))
    shop.run("2019-12-31", today=D("2020-01-01"))

    with shop.seen():
        plan.refresh_from_db()
        assert plan.status == ChangePlan.Status.APPLIED, plan.failure
        for row in rows:
            for one in row.items:
                if one.credited is not None:
                    period = Period.objects.get(item_id=one.item.id, ends=one.credited.start)
                    found = Charge.objects.filter(period_id=period.pk, kind="credit")
                    assert sum(charge.net_minor for charge in found) == one.amount_minor
                    following = Period.objects.get(item_id=one.item.id, starts=period.ends)
                    end = one.item.subscription.end_date
                    assert following.full_start == period.ends
                    assert following.ends == min(following.full_end, end or following.full_end)
                if one.stub is None:
                    continue
                period = Period.objects.get(item_id=one.item.id, starts=one.stub.start)
                assert (period.ends, period.full_start) == (one.stub.end, one.full.start)
                found = Charge.objects.filter(period_id=period.pk)
                assert sum(charge.net_minor for charge in found) == one.amount_minor
                assert {charge.invoice_on for charge in found} == {
                    charge.invoice_on for charge in one.charges
                }
                following = Period.objects.filter(item_id=one.item.id, starts=one.stub.end)
                assert [p.full_start for p in following] == [one.stub.end]
    assert shop.violations() == []


def test_rebill_credits_the_rest_of_what_runs_and_charges_anew(shop):
    """Charged up to 20 May, renewed on the 15th: 25 of 30 days cost 208.29, 41.66 come back."""
    sells(shop, subscription("S", "A", "pro", "2017-04-20"))
    shop.run("2017-05-01", today=MAY)
    _plan, rows = aligned(shop, wanted(shop, method="rebill"))
    shop.run("2017-05-15", today=D("2017-05-15"))
    shop.run("2017-06-15", today=D("2017-06-15"))

    assert rows_of(rows) == {"S": ("2017-05-20", "2017-05-15", -5, 30, -4166)}
    assert sorted(charged(shop, "S")) == [
        ("2017-04-20", "2017-05-20", 24995),
        ("2017-05-15", "2017-05-20", -4166),
        ("2017-05-15", "2017-06-15", 24995),
        ("2017-06-15", "2017-07-15", 24995),
    ]
    with shop.seen():
        lines = InvoiceLine.objects.filter(period_start=D("2017-05-15"))
        both = {(str(one.invoice.issue_date), one.invoice.net_minor) for one in lines}
        assert both == {("2017-05-15", 24995 - 4166)}
    assert shop.violations() == []


def test_rebill_of_a_year_credits_the_days_beyond_the_date(shop):
    """480.00 a year, renewed on 1 January and not on 14 March: 72 of 365 days are 94.68."""
    shop.has("prices", price("shop", "480", interval="year", tax_rate=19))
    sells(shop, subscription("S", "A", "shop", "2016-03-14"))
    shop.run("2017-03-14", today=D("2017-03-14"))
    what = wanted(shop, day="2017-11-29", billing_day=1, billing_month=1, method="rebill")
    shown = previewed(shop, what, today="2017-11-29").shown
    _plan, rows = aligned(shop, what, today="2017-11-29")
    shop.run("2018-01-01", today=D("2018-01-01"))

    assert rows_of(rows) == {"S": ("2018-03-14", "2018-01-01", -72, 365, -9468)}
    assert shown["alignment"]["totals"][0]["amount_minor"] == -9468
    (billing,) = shown["billing"]
    assert billing["before"] is None
    assert (billing["after"]["date"], billing["after"]["net_minor"]) == ("2018-01-01", 38532)
    with shop.seen():
        issued = InvoiceLine.objects.get(period_start=D("2018-01-01"), net_minor__gt=0).invoice
        assert issued.net_minor == 38532
    assert shop.violations() == []


def test_rebill_charges_the_days_up_to_the_date_of_what_ends_before(shop):
    sells(
        shop,
        subscription("S", "A", "pro", "2017-04-10"),
        subscription("L", "B", "late", "2017-04-20"),
    )
    shop.run("2017-05-01", today=MAY)
    _plan, rows = aligned(shop, wanted(shop, method="rebill"))
    shop.run("2017-06-15", today=D("2017-06-15"))

    assert rows_of(rows) == {
        "S": ("2017-05-10", "2017-05-15", 5, 30, 4166),
        "L": ("2017-05-20", "2017-05-15", -5, 30, 0),
    }
    assert charged(shop, "L") == [
        ("2017-04-20", "2017-05-15", 2583),
        ("2017-05-15", "2017-06-15", 3100),
    ]
    assert shop.violations() == []


def test_rebill_makes_good_a_draft_on_the_draft(shop):
    sells(shop, subscription("S", "A", "pro", "2017-04-20"))
    shop.run("2017-05-01", today=MAY, issue=False)
    aligned(shop, wanted(shop, method="rebill"))
    shop.run("2017-05-15", today=D("2017-05-15"))

    with shop.seen():
        lines = [
            (str(one.invoice.issue_date), one.net_minor)
            for one in InvoiceLine.objects.select_related("invoice").order_by("net_minor")
        ]
    assert lines == [("2017-05-15", -4166), ("2017-05-15", 24995), ("2017-05-15", 24995)]
    assert shop.violations() == []


def test_rebill_waits_for_runs_that_are_overdue(shop):
    """Nobody knows to the cent what to credit of what is not charged yet."""
    sells(shop, subscription("S", "A", "pro", "2017-04-20"))
    with pytest.raises(NotChargedYet):
        aligned(shop, wanted(shop, method="rebill"))
    with shop.seen():
        assert not ChangePlan.objects.exists()


def test_rebill_is_foreseen_for_a_day_to_come(shop):
    """On 25 May a period runs that has not begun yet today."""
    sells(shop, subscription("S", "A", "pro", "2017-04-20"))
    shop.run("2017-05-01", today=MAY)
    what = wanted(shop, day="2017-05-25", method="rebill")
    shown = previewed(shop, what).shown
    plan, rows = aligned(shop, what)
    shop.run("2017-05-20", today=D("2017-05-20"))
    (done,) = carry_out_due_plans(shop.actor, day=D("2017-05-25"), now=NOW)
    shop.run("2017-06-15", today=D("2017-06-15"))

    assert (done.pk, done.status) == (plan.pk, ChangePlan.Status.APPLIED), done.failure
    assert rows_of(rows) == {"S": ("2017-06-20", "2017-06-15", -5, 31, -4031)}
    assert sorted(charged(shop, "S"))[2:] == [
        ("2017-06-15", "2017-06-20", -4031),
        ("2017-06-15", "2017-07-15", 24995),
    ]
    (billing,) = shown["billing"]
    with shop.seen():
        issued = InvoiceLine.objects.filter(period_start=D("2017-06-15")).first().invoice
        assert billing["after"]["net_minor"] == issued.net_minor == 20964
    assert shop.violations() == []


def test_rebill_is_taken_back_by_its_reverse(shop):
    """What ended early stays ended; from then on periods begin on the old day again."""
    sells(shop, subscription("S", "A", "pro", "2017-04-20"))
    shop.run("2017-05-01", today=MAY)
    plan, _rows = aligned(shop, wanted(shop, method="rebill"))
    back = reverse_plan(
        shop.actor, plan.pk, effective_date=D("2017-05-02"), today=D("2017-05-02"), now=NOW
    )
    submit_plan(shop.actor, back.pk, today=D("2017-05-02"), now=NOW)
    shop.run("2017-06-20", today=D("2017-06-20"))

    assert sorted(charged(shop, "S")) == [
        ("2017-04-20", "2017-05-20", 24995),
        ("2017-05-15", "2017-05-20", -4166),
        ("2017-05-15", "2017-05-20", 4166),
        ("2017-05-20", "2017-06-20", 24995),
        ("2017-06-20", "2017-07-20", 24995),
    ]
    assert shop.violations() == []


@pytest.mark.parametrize(
    ("billing_day", "new", "then", "net"),
    [
        (31, "2017-01-31", "2017-02-28", -11665),
        (29, "2017-01-29", "2017-02-28", -13329),
        (28, "2017-01-28", "2017-02-28", -14995),
    ],
)
def test_rebill_and_short_months(shop, billing_day, new, then, net):
    """Charged from 15 January to 15 February, 31 days; the last of a month is the last of each."""
    sells(shop, subscription("S", "A", "pro", "2017-01-15"))
    shop.run("2017-01-15", today=D("2017-01-15"))
    what = wanted(shop, day="2017-01-20", billing_day=billing_day, method="rebill")
    _plan, rows = aligned(shop, what, today="2017-01-20")
    shop.run("2017-03-31", today=D("2017-03-31"))

    ((old, renewed, _days, _full, amount),) = rows_of(rows).values()
    assert (old, renewed) == ("2017-02-15", new)
    found = sorted(charged(shop, "S"))
    assert (new, old, amount) in found
    assert (new, then, 24995) in found
    assert shop.violations() == []


@pytest.fixture
def payer(shop):
    """P pays for its own tree but B, which pays itself, and for Q of another tree."""
    shop.has(
        "accounts",
        account("P"),
        account("PA", "P"),
        account("PB", "P", bill_to="PB", payer="PB"),
        account("PBC", "PB"),
        account("Q", billing_day=20),
        account("QA", "Q", bill_to="QA"),
        account("QAB", "QA", billing_day=5),
        account("QB", "Q"),
        today=EARLY,
    )
    with shop.seen():  # as if P had agreed to it
        SettingInterval.objects.create(
            tenant_id=shop.tenant_id,
            account_id=shop.id_of("QA"),
            name="payer",
            target_id=shop.id_of("P"),
            valid_from=EARLY,
        )
    sells(
        shop,
        *(
            subscription(f"S{key}", key, "pro", "2017-04-10")
            for key in ("P", "PA", "PB", "PBC", "Q", "QA", "QAB", "QB")
        ),
    )
    shop.run("2017-05-01", today=MAY)
    return shop


def days_of(shop, *keys, day="2018-01-01"):
    with shop.seen():
        history = setting_history(
            shop.actor,
            [pair for some in tree.families(
                shop.tenant_id, [shop.id_of(key) for key in keys]).values() for pair in some],
        )  # fmt: skip
        settings = history.on(D(day))
        return {key: settings.value(shop.id_of(key), "billing_day") for key in keys}


KEYS = ("P", "PA", "PB", "PBC", "Q", "QA", "QAB", "QB")


def test_aligns_all_that_an_account_pays_for_wherever_it_stands(payer):
    shop, what = payer, wanted(payer, "P", is_for_payer=True)
    shown = previewed(shop, what).shown["alignment"]
    plan, rows = aligned(shop, what)
    sells(shop, subscription("NQ", "QAB", "pro", "2017-05-10"))
    sells(shop, subscription("NB", "PBC", "pro", "2017-05-10"))
    shop.run("2017-06-15", today=D("2017-06-15"))

    assert {*rows_of(rows)} == {"SP", "SPA", "SQA", "SQAB"}
    assert shown["scope"] == "payer"
    assert [one["payer"]["external_id"] for one in shown["totals"]] == ["P"]
    assert days_of(shop, *KEYS) == {
        "P": 15, "PA": 15, "PB": None, "PBC": None, "Q": 20, "QA": 15, "QAB": 15, "QB": 20,
    }  # fmt: skip
    with shop.seen():
        own = {
            (one.account.external_id, one.value)
            for one in SettingInterval.objects.filter(
                name="billing_day", valid_to=None
            ).select_related("account")
        }
    assert own == {("P", 15), ("PB", 0), ("Q", 20), ("QA", 15)}
    assert charged(shop, "NQ")[0][:2] == ("2017-05-10", "2017-05-15")
    assert charged(shop, "NB")[0][:2] == ("2017-05-10", "2017-06-10")
    assert charged(shop, "SPB")[1][:2] == ("2017-05-10", "2017-06-10")
    assert shop.violations() == []

    back = reverse_plan(
        shop.actor, plan.pk, effective_date=D("2017-06-16"), today=D("2017-06-16"), now=NOW
    )
    submit_plan(shop.actor, back.pk, today=D("2017-06-16"), now=NOW)
    assert days_of(shop, *KEYS) == {
        "P": None, "PA": None, "PB": None, "PBC": None, "Q": 20, "QA": 20, "QAB": 5, "QB": 20,
    }  # fmt: skip
    shop.run("2017-08-15", today=D("2017-08-15"))
    assert shop.violations() == []


def test_leaves_out_accounts_that_are_paid_for(payer):
    shop = payer
    _plan, rows = aligned(shop, wanted(shop, "P", is_for_payer=True, out=["PA", "QAB"]))

    assert {*rows_of(rows)} == {"SP", "SQA"}
    assert days_of(shop, "PA", "QAB", "QA") == {"PA": None, "QAB": 5, "QA": 15}


def test_refuses_to_align_what_nobody_pays_or_another_pays_for(payer):
    shop = payer
    for key, out, place in (("PA", [], "/scope"), ("P", ["PB"], "/except/0")):
        with pytest.raises(InvalidAlignment) as refusal:
            aligned(shop, wanted(shop, key, is_for_payer=True, out=out))
        assert [one.pointer for one in refusal.value.errors] == [place]


def test_what_a_payer_pays_for_of_another_account_is_named(payer):
    """QB's own recipient is QA, whose invoices P pays; those of QB it does not."""
    shop = payer
    shop.has("accounts", account("QAC", "QA", bill_to="QAC", payer="QAC"), today=EARLY)
    sells(shop, subscription("X", "QAC", "pro", "2017-04-10"))
    with shop.seen():
        Subscription.objects.filter(external_id="X").update(override_bill_to=shop.id_of("QA"))
    shown = previewed(shop, wanted(shop, "P", is_for_payer=True)).shown["alignment"]

    assert {row["external_id"]: row["code"] for row in shown["left"]} == {"X": "own_recipient"}


def test_an_account_that_is_added_below_inherits_the_day(shop):
    """Also below one that was aligned alone: a day is a setting, and settings are inherited."""
    sells(shop, subscription("S", "G", "pro", "2017-04-20"))
    aligned(shop, wanted(shop, include_subtree=False))
    shop.has("accounts", account("C", "G"), account("AC", "A"), today=MAY)

    assert days_of(shop, "G", "C", "A", "AC") == {"G": 15, "C": 15, "A": None, "AC": None}
