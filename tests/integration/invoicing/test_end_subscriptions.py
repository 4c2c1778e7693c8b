"""A subscription ends on any day: what was charged beyond is credited, and charged again if not."""

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
    AlreadyCancelled,
    NotCancelled,
    cancel_subscription,
    reactivate_subscription,
)
from invoicing.operations.subscriptions.opening import ChangeAfterEnd
from invoicing.operations.subscriptions.wanting import ItemChange
from subscriptions.models import Item, Subscription
from tests.scenes import scene
from tests.world import NOW, TODAY, account, price, subscription

D = date.fromisoformat


@scene
def billed(vendor):
    """G is invoiced on the 1st for A: seats since August and a service in arrears, billed."""
    vendor.has("accounts", account("G", billing_day=1), account("A", "G"))
    vendor.has(
        "prices",
        price("seat", "10", model="per_unit", tax_rate=19),
        price("later", "31", timing="arrears", tax_rate=19),
    )
    vendor.has(
        "subscriptions",
        subscription("SEATS", "A", "seat", "2026-08-01", 10),
        subscription("LATER", "A", "later", "2026-10-01"),
    )
    vendor.run("2026-11-23")
    return vendor


def key_of(shop, key):
    with shop.seen():
        return Subscription.objects.get(external_id=key).pk


def ended(shop, key, day, **values):
    return cancel_subscription(
        shop.actor, key_of(shop, key), end_date=D(day), today=TODAY, now=NOW, **values
    )


def made(result):
    return [(str(one.period_start), str(one.period_end), one.net_minor) for one in result.charges]


def charges_of(shop, key):
    with shop.seen():
        found = Charge.objects.filter(subscription__external_id=key)
        return [
            (str(one.period_start), str(one.period_end), one.net_minor)
            for one in found.order_by("period_start", "revision", "kind")
        ]


def test_every_period_from_a_past_end_on_is_credited(billed):
    result = ended(billed, "SEATS", "2026-09-11")

    assert made(result) == [
        ("2026-09-11", "2026-10-01", -6667),
        ("2026-10-01", "2026-11-01", -10000),
        ("2026-11-01", "2026-12-01", -10000),
    ]
    assert billed.violations() == []


def test_in_arrears_the_running_period_falls_due_with_the_end(billed):
    result = ended(billed, "LATER", "2026-11-16")
    billed.run("2026-12-01", today=D("2026-12-01"))

    assert made(result) == []
    assert charges_of(billed, "LATER") == [
        ("2026-10-01", "2026-11-01", 3100), ("2026-11-01", "2026-11-16", 1550)
    ]  # fmt: skip
    with billed.seen():
        assert Item.objects.get(subscription__external_id="LATER").next_action_date is None
    assert billed.violations() == []


def test_in_arrears_a_period_after_a_past_end_is_never_charged(billed):
    result = ended(billed, "LATER", "2026-10-17")
    billed.run("2026-12-01", today=D("2026-12-01"))

    assert made(result) == [("2026-10-17", "2026-11-01", -1500)]
    assert charges_of(billed, "LATER")[-1] == ("2026-10-17", "2026-11-01", -1500)
    assert billed.violations() == []


def test_going_on_bills_in_arrears_as_if_nothing_had_been_said(billed):
    ended(billed, "LATER", "2026-11-26")
    reactivate_subscription(billed.actor, key_of(billed, "LATER"), today=TODAY, now=NOW)
    billed.run("2026-12-01", today=D("2026-12-01"))

    assert charges_of(billed, "LATER")[-1] == ("2026-11-01", "2026-12-01", 3100)
    assert billed.violations() == []


def test_goes_on_where_it_had_not_begun_to_be_billed(billed):
    """Billed elsewhere up to the day on which it was to end."""
    row = subscription("MOVED", "A", "seat", "2026-11-01", billed_until="2026-12-10")
    billed.has("subscriptions", row)
    ended(billed, "MOVED", "2026-12-10")
    reactivate_subscription(billed.actor, key_of(billed, "MOVED"), today=TODAY, now=NOW)

    with billed.seen():
        item = Item.objects.get(subscription__external_id="MOVED")
    assert item.next_action_date == D("2026-12-10")


def test_a_dry_run_stores_nothing(billed):
    result = ended(billed, "SEATS", "2026-11-11", is_dry_run=True)

    assert made(result) == [("2026-11-11", "2026-12-01", -6667)]
    assert str(result.end_date) == "2026-11-11"
    with billed.seen():
        assert Subscription.objects.filter(end_date=None).count() == 2
        assert not Charge.objects.filter(kind="credit").exists()


def test_a_credit_can_be_given_at_once(billed):
    result = ended(billed, "SEATS", "2026-11-11", is_billed_now=True)

    assert [str(one.invoice_on) for one in result.charges] == ["2026-11-23"]


@pytest.mark.parametrize("seed", range(6))
def test_ends_and_changes_come_to_what_each_day_costs(billed, seed):
    """A naive look at each day, after changes, ends and ends taken back in any order."""
    chance, first = random.Random(seed), D("2026-08-01")
    key = key_of(billed, "SEATS")
    with billed.seen():
        item_id = Item.objects.get(subscription_id=key).pk
    terms, end = {first: 10}, None
    for _step in range(7):
        match chance.choice(["change", "end", "back"]):
            case "change":
                day, quantity = first + timedelta(chance.randint(0, 121)), chance.randint(0, 30)
                change = [ItemChange(item_id, quantity=Decimal(quantity))]
                with suppress(NothingChanges, ChangeAfterEnd):
                    change_subscription(billed.actor, key, change, day=day, today=TODAY, now=NOW)
                    terms[day] = quantity
            case "end":
                day = first + timedelta(chance.randint(1, 121))
                with suppress(AlreadyCancelled):
                    ended(billed, "SEATS", str(day))
                    end = day
            case "back":
                with suppress(NotCancelled, AlreadyCancelled):
                    reactivate_subscription(billed.actor, key, today=TODAY, now=NOW)
                    end = None

    exact = Fraction(0)
    for month in (8, 9, 10, 11):
        full = Days(date(2026, month, 1), date(2026, month + 1, 1))
        for n in range(full.days):
            day = full.start + timedelta(days=n)
            if end is None or day < end:
                quantity = terms[max(since for since in terms if since <= day)]
                exact += Fraction(10 * quantity * 100, full.days)
    total = sum(net for _start, _end, net in charges_of(billed, "SEATS"))
    assert abs(total - exact) <= 4 + 7
    assert billed.violations() == []
