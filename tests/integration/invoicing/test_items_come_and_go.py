"""Items come into a subscription and go from it, on any day, and get prices of other intervals."""

import random
from contextlib import suppress
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction

import pytest

from billing_rules.periods import Period as Days
from invoicing.models import Charge
from invoicing.operations.subscriptions.changing import NothingChanges, change_subscription
from invoicing.operations.subscriptions.ending import (
    cancel_subscription,
    reactivate_subscription,
)
from invoicing.operations.subscriptions.opening import ChangeAfterEnd, InvalidChange
from invoicing.operations.subscriptions.pausing import (
    AlreadyPaused,
    NotPaused,
    pause_subscription,
    resume_subscription,
)
from invoicing.operations.subscriptions.wanting import ItemAddition, ItemChange
from subscriptions.models import Item, Price, Subscription
from subscriptions.queries.items import items_of
from subscriptions.queries.mrr import mrr_of
from subscriptions.queries.subscriptions import get_subscription
from tests.scenes import scene
from tests.world import NOW, TODAY, account, price, subscription

D = date.fromisoformat


@scene
def shop(vendor):
    """G is invoiced on the 1st for A; billed up to 23 November."""
    vendor.has("accounts", account("G", billing_day=1), account("A", "G"))
    vendor.has(
        "prices",
        price("base", "300", tax_rate=19),
        price("seat", "10", model="per_unit", tax_rate=19),
        price("later", "30", timing="arrears", tax_rate=19),
        price("year", "3650", interval="year", tax_rate=19),
        price("franc", "10", currency="CHF", tax_rate=19),
    )
    vendor.has("subscriptions", subscription("S", "A", "base", "2026-11-01"))
    vendor.run("2026-11-23")
    return vendor


def price_of(shop, name):
    with shop.seen():
        return Price.objects.get(external_id=name).pk


def item_of(shop, name):
    """Return the item that has a price, the one that came in last."""
    with shop.seen():
        return Item.objects.filter(price__external_id=name).order_by("pk").last().pk


def changed(shop, day, *changes, **values):
    with shop.seen():
        key = Subscription.objects.get().pk
    return change_subscription(
        shop.actor, key, changes, day=D(day), **{"today": TODAY, "now": NOW, **values}
    )


def added(shop, name, day, quantity="1", **values):
    return changed(shop, day, ItemAddition(price_of(shop, name), Decimal(quantity)), **values)


def removed(shop, name, day, **values):
    return changed(shop, day, ItemChange(item_of(shop, name), is_removed=True), **values)


def made(result):
    return [
        (one.kind, str(one.period_start), str(one.period_end), one.net_minor, str(one.invoice_on))
        for one in result.charges
    ]


def charges_of(shop, name):
    with shop.seen():
        found = Charge.objects.filter(item__price__external_id=name)
        return [
            (str(one.period_start), str(one.period_end), one.net_minor)
            for one in found.order_by("period_start", "revision", "kind")
        ]


def test_what_comes_in_inside_a_period_is_charged_for_the_rest_of_it(shop):
    """Six seats from the 21st of a month of thirty days on: 60.00 × 10 ÷ 30."""
    result = added(shop, "seat", "2026-11-21", "6")

    assert made(result) == [("recurring", "2026-11-21", "2026-12-01", 2000, "2026-12-01")]
    shop.run("2026-12-01", today=D("2026-12-01"))
    assert charges_of(shop, "seat") == [
        ("2026-11-21", "2026-12-01", 2000),
        ("2026-12-01", "2027-01-01", 6000),
    ]
    assert shop.violations() == []


def test_what_comes_in_later_is_charged_from_its_day_on(shop):
    assert made(added(shop, "seat", "2026-12-11", "31")) == []

    shop.run("2026-12-01", today=D("2026-12-01"))
    assert charges_of(shop, "seat") == []
    shop.run("2027-01-01", today=D("2027-01-01"))
    assert charges_of(shop, "seat") == [
        ("2026-12-11", "2027-01-01", 21000),
        ("2027-01-01", "2027-02-01", 31000),
    ]
    assert shop.violations() == []


def test_billed_now_it_does_not_wait(shop):
    result = added(shop, "seat", "2026-11-21", "6", is_billed_now=True)

    assert made(result) == [("recurring", "2026-11-21", "2026-12-01", 2000, "2026-11-21")]


def test_what_goes_is_credited_and_charged_no_more(shop):
    added(shop, "seat", "2026-11-01", "30")
    result = removed(shop, "seat", "2026-11-16")

    # What it takes back is on no document yet, and was to be invoiced on 1 November.
    assert made(result) == [("credit", "2026-11-16", "2026-12-01", -15000, "2026-11-01")]
    for day in ("2026-12-01", "2027-01-01"):
        shop.run(day, today=D(day))
    assert charges_of(shop, "seat") == [
        ("2026-11-01", "2026-12-01", 30000),
        ("2026-11-16", "2026-12-01", -15000),
    ]
    assert charges_of(shop, "base")[-1] == ("2027-01-01", "2027-02-01", 30000)
    assert shop.violations() == []


def test_what_goes_later_is_charged_up_to_its_day(shop):
    added(shop, "seat", "2026-12-01", "31")
    removed(shop, "seat", "2026-12-11")
    for day in ("2026-12-01", "2027-01-01"):
        shop.run(day, today=D(day))

    assert charges_of(shop, "seat") == [("2026-12-01", "2026-12-11", 10000)]
    assert shop.violations() == []


def test_in_arrears_what_goes_falls_due_with_its_last_day(shop):
    added(shop, "later", "2026-11-01")
    removed(shop, "later", "2026-12-11")
    for day in ("2026-12-01", "2027-01-01", "2027-02-01"):
        shop.run(day, today=D(day))

    # 10 of 31 days at 30.00.
    assert charges_of(shop, "later") == [
        ("2026-11-01", "2026-12-01", 3000),
        ("2026-12-01", "2026-12-11", 968),
    ]
    assert shop.violations() == []


def test_a_price_of_another_interval_ends_one_item_and_begins_another(shop):
    """The month is credited from the 16th on; the year begins on its own grid, 1 November."""
    result = changed(shop, "2026-11-16", ItemChange(item_of(shop, "base"), price_of(shop, "year")))

    # 15 of 30 days of 300.00 back; 350 of the 365 days of the year from 1 November on.
    assert made(result) == [
        ("credit", "2026-11-16", "2026-12-01", -15000, "2026-12-01"),
        ("recurring", "2026-11-16", "2027-11-01", 350000, "2026-12-01"),
    ]
    shop.run("2026-12-01", today=D("2026-12-01"))
    assert charges_of(shop, "year") == [("2026-11-16", "2027-11-01", 350000)]
    assert shop.violations() == []


def test_every_day_has_the_items_of_that_day(shop):
    added(shop, "seat", "2026-12-01", "4")
    removed(shop, "base", "2026-12-11")
    days = ("2026-11-30", "2026-12-01", "2026-12-11")
    key = shop.id_of("A")

    with shop.seen():
        shown = [
            sorted(
                item.price.external_id
                for item in get_subscription(shop.actor, "ext:S", today=D(day)).items.all()
            )
            for day in days
        ]
        brings = [mrr_of(shop.actor, [key], D(day))[key].own["EUR"] for day in days]
        listed = [len(items_of(shop.actor, key, D(day), limit=9)) for day in days]

    assert shown == [["base"], ["base", "seat"], ["seat"]]
    assert brings == [30000, 34000, 4000]
    assert listed == [1, 2, 1]


def test_what_comes_in_while_it_is_paused_is_paused_too(shop):
    with shop.seen():
        key = Subscription.objects.get().pk
    pause_subscription(
        shop.actor, key, day=D("2026-11-21"), until=D("2026-12-11"), today=TODAY, now=NOW
    )

    assert made(added(shop, "seat", "2026-11-11", "30")) == [
        ("recurring", "2026-11-11", "2026-11-21", 10000, "2026-12-01")
    ]
    shop.run("2026-12-01", today=D("2026-12-01"))
    # 21 of 31 days at 300.00.
    assert charges_of(shop, "seat")[-1] == ("2026-12-11", "2027-01-01", 20323)
    assert shop.violations() == []


def test_a_dry_run_says_what_would_be_and_stores_nothing(shop):
    result = added(shop, "seat", "2026-11-21", "6", is_dry_run=True)

    assert [one.net_minor for one in result.charges] == [2000]
    with shop.seen():
        assert Item.objects.count() == 1
        assert Charge.objects.count() == 1


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (lambda shop: ItemAddition(price_of(shop, "franc"), Decimal(1)), "mixed_currencies"),
        (lambda shop: ItemAddition(shop.id_of("A"), Decimal(1)), "unknown_price"),
        (lambda shop: ItemAddition(price_of(shop, "seat"), Decimal(-1)), "out_of_range"),
        (lambda shop: ItemAddition(price_of(shop, "seat"), Decimal("NaN")), "out_of_range"),
        (lambda shop: ItemChange(item_of(shop, "base"), is_removed=True), "no_item_left"),
        (lambda shop: ItemChange(shop.id_of("A"), is_removed=True), "unknown_item"),
    ],
)
def test_refuses_what_cannot_be_and_changes_nothing(shop, change, code):
    with pytest.raises(InvalidChange) as refusal:
        changed(shop, "2026-11-21", change(shop))

    assert [one.code for one in refusal.value.errors] == [code]
    with shop.seen():
        assert Item.objects.count() == 1
        assert Charge.objects.count() == 1


def test_what_has_gone_cannot_change_any_more(shop):
    added(shop, "seat", "2026-11-01", "30")
    removed(shop, "seat", "2026-11-16")

    with pytest.raises(InvalidChange):
        changed(shop, "2026-11-20", ItemChange(item_of(shop, "seat"), quantity=Decimal(2)))


@pytest.mark.parametrize("seed", range(8))
def test_any_changes_pauses_ends_and_runs_come_to_what_each_day_costs(shop, seed):
    """A naive look at each day of a year: what stands charged is right whatever was known when."""
    chance = random.Random(seed)
    first, last = D("2026-11-01"), D("2027-11-01")
    with shop.seen():
        key = Subscription.objects.get().pk
    quantities = {day: {"base": 1} for day in _days(first, last)}
    paused: set[date] = set()
    end, today = last, TODAY

    for step in range(10):
        if today < D("2027-09-15"):
            today += timedelta(days=chance.randint(0, 40))
        if chance.random() < 0.6:
            shop.run(str(today), today=today)
        day = first + timedelta(days=chance.randint(0, (today - first).days + 40))
        common = {"today": today, "now": NOW}
        kind = chance.choice(["quantity", "add", "remove", "pause", "resume", "end", "back"])
        with suppress(
            NothingChanges, InvalidChange, ChangeAfterEnd, AlreadyPaused, NotPaused, _Skipped
        ):
            if kind == "add":
                name = f"seat-{step}"
                shop.has("prices", price(name, "10", model="per_unit", tax_rate=19))
                added(shop, name, str(day), "3", **common)
                for one in _days(day, last):
                    quantities[one][name] = 3
            elif kind in ("quantity", "remove"):
                held = sorted(name for name in quantities[day] if name != "base")
                if not held:
                    raise _Skipped
                name = chance.choice(held)
                stop = _next_change(quantities, name, day, last)
                if kind == "remove":
                    removed(shop, name, str(day), **common)
                    for one in _days(day, last):
                        quantities[one].pop(name, None)
                else:
                    wanted = ItemChange(item_of(shop, name), quantity=Decimal(step + 4))
                    changed(shop, str(day), wanted, **common)
                    for one in _days(day, stop):
                        quantities[one][name] = step + 4
            elif kind == "pause":
                until = day + timedelta(days=chance.randint(1, 60))
                pause_subscription(shop.actor, key, day=day, until=until, **common)
                paused |= set(_days(day, min(until, last)))
            elif kind == "resume":
                resume_subscription(shop.actor, key, day=day, **common)
                paused -= set(_days(day, last))
            elif kind == "end" and end == last:
                day = max(day, today + timedelta(days=1))
                cancel_subscription(shop.actor, key, end_date=day, **common)
                end = day
            elif kind == "back" and today < end < last:
                reactivate_subscription(shop.actor, key, **common)
                end = last
        assert shop.violations() == []
    shop.run(str(D("2027-10-31")), today=D("2027-10-31"))

    exact = Fraction(0)
    for day in _days(first, last):
        month = Days(day.replace(day=1), (day.replace(day=1) + timedelta(days=32)).replace(day=1))
        if day >= end or day in paused:
            continue
        for name, quantity in quantities[day].items():
            full = 30000 if name == "base" else 1000 * quantity
            exact += Fraction(full, month.days)
    with shop.seen():
        amounts = list(Charge.objects.values_list("net_minor", flat=True))
    # Each is rounded once.
    assert abs(sum(amounts) - exact) <= Fraction(len(amounts), 2)
    assert shop.violations() == []


class _Skipped(Exception):
    pass


def _days(start: date, end: date) -> list[date]:
    return [start + timedelta(days=n) for n in range(max(0, (end - start).days))]


def _next_change(quantities, name, day, last):
    """Return the first later day on which the quantity is another, or it is not there."""
    held = quantities[day][name]
    return next((one for one in _days(day, last) if quantities[one].get(name) != held), last)
