"""A subscription costs something else from a day on: made good to the cent, or refused."""

import random
from contextlib import suppress
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction

import pytest

from billing_rules.periods import Period as Days
from invoicing.models import Charge, Invoice, InvoiceLine
from invoicing.operations.subscriptions.changing import NothingChanges, change_subscription
from invoicing.operations.subscriptions.opening import (
    ChangeAfterEnd,
    ChangeBeforeStart,
    InvalidChange,
)
from invoicing.operations.subscriptions.wanting import ItemChange
from subscriptions.models import EarlierTerms, Item, Price, Subscription
from subscriptions.queries.mrr import mrr_of
from subscriptions.queries.subscriptions import get_subscription
from subscriptions.queries.terms import items_on
from tenancy.errors import Forbidden, NotFound
from tenancy.models import AuditEntry
from tests.scenes import scene
from tests.world import NOW, TODAY, account, price, subscription

D = date.fromisoformat
PRICES = (
    price("old", "249.95", tax_rate=19),
    price("new", "599.95", tax_rate=19),
    price("seat", "10", model="per_unit", tax_rate=19),
    price("later", "31", timing="arrears", tax_rate=19),
    price("later-two", "62", timing="arrears", tax_rate=19),
    price("year", "2400", interval="year", tax_rate=19),
    price("franc", "10", currency="CHF", tax_rate=19),
)


@scene
def shop(vendor):
    """G is invoiced on the 1st for A; four subscriptions, none of them billed."""
    vendor.has("accounts", account("G", billing_day=1), account("A", "G"), account("X"))
    vendor.has("prices", *PRICES)
    vendor.has(
        "subscriptions",
        subscription("S", "A", "old", "2026-11-01"),
        subscription("SEATS", "A", "seat", "2026-08-01", 10),
        subscription("LATER", "A", "later", "2026-10-01"),
        subscription("ENDS", "A", "old", "2026-11-01", end_date="2026-12-20"),
    )
    return vendor


@scene
def billed(shop):
    """The same, billed up to 23 November."""
    shop.run("2026-11-23")
    return shop


def found(shop, key):
    with shop.seen():
        return Subscription.objects.get(external_id=key)


def changed(shop, key, *, day, actor=None, price_key=None, quantity=None, **values):
    with shop.seen():
        item = Item.objects.get(subscription__external_id=key)
        price_id = Price.objects.get(external_id=price_key).pk if price_key else None
    return change_subscription(
        actor or shop.actor,
        found(shop, key).pk,
        [ItemChange(item.pk, price_id, None if quantity is None else Decimal(quantity))],
        day=D(day) if day else None,
        **{"today": TODAY, "now": NOW, **values},
    )


def made(result):
    return [
        (one.kind, str(one.period_start), str(one.period_end), one.net_minor, one.revision,
         str(one.invoice_on))
        for one in result.charges
    ]  # fmt: skip


def charges_of(shop, key):
    with shop.seen():
        return [
            (str(one.period_start), str(one.period_end), one.net_minor)
            for one in Charge.objects.filter(subscription__external_id=key).order_by(
                "period_start", "revision", "kind"
            )
        ]


def test_a_change_inside_a_period_credits_the_unused_part_and_charges_the_rest(billed):
    """249.95 becomes 599.95 on the fifth day of a month of thirty."""
    result = changed(billed, "S", day="2026-11-05", price_key="new")

    assert made(result) == [
        ("credit", "2026-11-05", "2026-12-01", -21662, 1, "2026-12-01"),
        ("recurring", "2026-11-05", "2026-12-01", 51996, 1, "2026-12-01"),
    ]
    assert charges_of(billed, "S")[0] == ("2026-11-01", "2026-12-01", 24995)
    assert billed.violations() == []


def test_both_are_on_the_next_invoice_and_the_next_period_costs_the_new_price(billed):
    changed(billed, "S", day="2026-11-05", price_key="new")
    billed.run("2026-12-01", today=D("2026-12-01"))

    with billed.seen():
        invoice = Invoice.objects.get(issue_date="2026-12-01")
        lines = InvoiceLine.objects.filter(invoice=invoice, description__in=["Old", "New"])
        texts = {(line.quantity, str(line.period_start), line.net_minor) for line in lines}
    assert texts == {
        (Decimal(-1), "2026-11-05", -21662),
        (Decimal(1), "2026-11-05", 51996),
        (Decimal(1), "2026-12-01", 59995),
        (Decimal(1), "2026-12-01", 15320),
    }
    assert billed.violations() == []


def test_months_that_were_billed_are_made_good_one_by_one(billed):
    result = changed(billed, "SEATS", day="2026-09-11", quantity=4)

    assert made(result) == [
        ("credit", "2026-09-11", "2026-10-01", -6667, 1, "2026-12-01"),
        ("credit", "2026-10-01", "2026-11-01", -10000, 1, "2026-12-01"),
        ("credit", "2026-11-01", "2026-12-01", -10000, 1, "2026-12-01"),
        ("recurring", "2026-09-11", "2026-10-01", 2667, 1, "2026-12-01"),
        ("recurring", "2026-10-01", "2026-11-01", 4000, 1, "2026-12-01"),
        ("recurring", "2026-11-01", "2026-12-01", 4000, 1, "2026-12-01"),
    ]
    assert billed.violations() == []


def test_several_changes_in_one_period_follow_one_another(billed):
    changed(billed, "SEATS", day="2026-11-11", quantity=20)
    second = changed(billed, "SEATS", day="2026-11-21", quantity=1)
    back = changed(billed, "SEATS", day="2026-11-11", quantity=10)

    assert made(second) == [
        ("credit", "2026-11-21", "2026-12-01", -6666, 2, "2026-12-01"),
        ("recurring", "2026-11-21", "2026-12-01", 333, 2, "2026-12-01"),
    ]
    # It holds up to the change that was agreed for a later day.
    assert made(back) == [
        ("credit", "2026-11-11", "2026-11-21", -6667, 3, "2026-12-01"),
        ("recurring", "2026-11-11", "2026-11-21", 3333, 3, "2026-12-01"),
    ]
    assert billed.violations() == []


def test_what_is_known_when_a_period_begins_is_charged_in_two_parts(shop):
    result = changed(shop, "S", day="2026-11-05", price_key="new")
    shop.run("2026-11-23")

    assert made(result) == []
    assert charges_of(shop, "S") == [
        ("2026-11-01", "2026-11-05", 3333), ("2026-11-05", "2026-12-01", 51996)
    ]  # fmt: skip
    assert shop.violations() == []


def test_in_arrears_the_running_period_is_charged_right_when_it_ends(billed):
    result = changed(billed, "LATER", day="2026-10-17", price_key="later-two")
    billed.run("2026-12-01", today=D("2026-12-01"))

    assert made(result) == [
        ("credit", "2026-10-17", "2026-11-01", -1500, 1, "2026-12-01"),
        ("recurring", "2026-10-17", "2026-11-01", 3000, 1, "2026-12-01"),
    ]
    assert charges_of(billed, "LATER")[-1] == ("2026-11-01", "2026-12-01", 6200)
    assert billed.violations() == []


def test_without_a_day_it_holds_from_the_end_of_what_was_charged(billed):
    result = changed(billed, "SEATS", day=None, quantity=12)

    assert (result.day, result.charges) == (D("2026-12-01"), [])
    with billed.seen():
        item = Item.objects.get(subscription__external_id="SEATS")
        earlier = EarlierTerms.objects.get()
        assert (item.quantity, item.terms_since) == (12, D("2026-12-01"))
        assert (earlier.quantity, earlier.until) == (10, D("2026-12-01"))
        today, later = (
            items_on(billed.actor, [item], day)[0].quantity for day in (TODAY, D("2026-12-01"))
        )
    assert (today, later) == (10, 12)


def test_every_day_says_what_it_brings_in_a_month(billed):
    changed(billed, "SEATS", day="2026-09-11", quantity=4)
    changed(billed, "SEATS", day="2027-01-01", quantity=7)
    others = 24995 * 2 + 3100

    key = billed.id_of("A")
    days = ("2026-08-01", "2026-09-11", "2026-11-23", "2027-01-01")
    with billed.seen():
        found = {day: mrr_of(billed.actor, [key], D(day))[key].own.get("EUR") for day in days}

    assert found == {
        "2026-08-01": 10000,
        "2026-09-11": 4000,
        "2026-11-23": 4000 + others,
        "2027-01-01": 7000 + others - 24995,
    }


def test_bill_now_does_not_wait_for_the_common_date(billed):
    result = changed(billed, "SEATS", day="2026-11-11", quantity=20, is_billed_now=True)
    billed.run("2026-11-23")

    assert {one.invoice_on for one in result.charges} == {TODAY}
    with billed.seen():
        waiting = Charge.objects.filter(status="pending", subscription=result.subscription)
        assert waiting.count() == 0


def test_a_dry_run_says_what_would_be_and_stores_nothing(billed):
    result = changed(billed, "S", day="2026-11-05", price_key="new", is_dry_run=True)

    assert [one.net_minor for one in result.charges] == [-21662, 51996]
    assert {one.price.external_id for one in result.after.values()} == {"new"}
    with billed.seen():
        assert Charge.objects.filter(kind="credit").count() == 0
        assert EarlierTerms.objects.count() == 0
        assert not AuditEntry.objects.filter(action="subscription.changed").exists()


def test_who_changed_what_is_written_down(billed, alice):
    changed(billed, "SEATS", day="2026-11-11", quantity=20, actor=alice)

    with billed.seen():
        entry = AuditEntry.objects.get(action="subscription.changed")
        price_id = Price.objects.get(external_id="seat").public_id
    assert entry.before == {"items": [{"price": price_id, "quantity": "10.000000"}]}
    assert entry.after == {
        "items": [{"price": price_id, "quantity": "20"}], "since": "2026-11-11"
    }  # fmt: skip


@pytest.mark.parametrize(
    ("key", "day", "values", "refusal", "code"),
    [
        ("S", "2026-10-31", {"quantity": 2}, ChangeBeforeStart, "change_before_start"),
        ("ENDS", "2026-12-20", {"quantity": 2}, ChangeAfterEnd, "change_after_end"),
        ("S", "2026-11-05", {"quantity": 1}, NothingChanges, "nothing_to_change"),
        ("S", "2026-11-05", {"price_key": "franc"}, InvalidChange, "mixed_currencies"),
        ("S", "2026-11-05", {"quantity": -1}, InvalidChange, "out_of_range"),
        ("S", "2026-11-05", {"quantity": "1e13"}, InvalidChange, "out_of_range"),
        ("S", "2026-11-05", {"quantity": "NaN"}, InvalidChange, "out_of_range"),
        ("S", "2200-01-01", {"quantity": 2}, InvalidChange, "out_of_range"),
    ],
)
def test_refuses_what_cannot_be_and_changes_nothing(billed, key, day, values, refusal, code):
    with billed.seen():
        before = list(Item.objects.order_by("pk").values())

    with pytest.raises(refusal) as error:
        changed(billed, key, day=day, **values)

    codes = [error.value.code, *(one.code for one in error.value.errors)]
    assert code in codes
    with billed.seen():
        assert list(Item.objects.order_by("pk").values()) == before
        assert Charge.objects.filter(kind="credit").count() == 0


def test_only_who_may_change_subscriptions_changes_them(billed, bob, charlie):
    with pytest.raises(Forbidden):
        changed(billed, "S", day="2026-11-05", quantity=2, actor=bob("A"))
    with pytest.raises(NotFound):
        changed(billed, "S", day="2026-11-05", quantity=2, actor=charlie)


def test_the_subscription_shows_what_it_costs_on_a_day(billed):
    changed(billed, "S", day="2026-12-01", price_key="new")

    with billed.seen():
        shown = [
            get_subscription(billed.actor, "ext:S", today=day) for day in (TODAY, D("2026-12-01"))
        ]
        names = [[item.price.external_id for item in one.items.all()] for one in shown]

    assert names == [["old"], ["new"]]


@pytest.mark.parametrize("seed", range(6))
def test_any_changes_and_runs_come_to_what_each_day_costs(shop, seed):
    """A naive look at each day: what stands charged is right whatever was known when."""
    chance = random.Random(seed)
    first = D("2026-08-01")
    said = [
        (first + timedelta(days=chance.randint(0, 110)), chance.randint(0, 30)) for _ in range(5)
    ]
    runs = sorted(first + timedelta(days=chance.randint(0, 114)) for _ in range(3))
    for day, quantity in said:
        if runs:
            shop.run(runs.pop(0))
        with suppress(NothingChanges):
            changed(shop, "SEATS", day=str(day), quantity=quantity)
    shop.run("2026-11-23")

    terms = {D("2026-08-01"): 10}
    for day, quantity in said:
        terms[day] = quantity
    exact, stretches = Fraction(0), 0
    for month in (8, 9, 10, 11):
        full = Days(date(2026, month, 1), date(2026, month + 1, 1))
        for n in range(full.days):
            day = full.start + timedelta(days=n)
            quantity = terms[max(since for since in terms if since <= day)]
            exact += Fraction(10 * quantity * 100, full.days)
        stretches += 1
    with shop.seen():
        total = sum(
            Charge.objects.filter(subscription__external_id="SEATS").values_list(
                "net_minor", flat=True
            )
        )
    assert abs(total - exact) <= stretches + len(said)
    assert shop.violations() == []
