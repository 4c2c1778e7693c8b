"""Coupons and discounts of subscriptions: what is charged, credited and shown, to the cent."""

import random
from contextlib import suppress
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction

import pytest

from billing_rules.periods import Period as Days
from invoicing.models import Charge
from invoicing.operations.subscriptions.changing import NothingChanges, change_subscription
from invoicing.operations.subscriptions.discounting import (
    AlreadyGiven,
    DiscountOver,
    discount_subscription,
    end_discount,
)
from invoicing.operations.subscriptions.ending import cancel_subscription
from invoicing.operations.subscriptions.opening import ChangeAfterEnd, InvalidChange
from invoicing.operations.subscriptions.pausing import (
    AlreadyPaused,
    NotPaused,
    pause_subscription,
    resume_subscription,
)
from invoicing.operations.subscriptions.wanting import ItemAddition, ItemChange
from subscriptions.models import Coupon, Discount, Item, Price, Product, Subscription
from subscriptions.operations.discounts.checking import (
    InvalidCoupon,
    InvalidDiscount,
    NewCoupon,
    WantedDiscount,
)
from subscriptions.operations.discounts.coupons import (
    CouponCodeTaken,
    archive_coupon,
    create_coupon,
    edit_coupon,
)
from subscriptions.operations.discounts.redeeming import (
    CouponArchived,
    CouponExpired,
    CouponTooEarly,
    CouponUsedUp,
    CouponUsedUpHere,
    DiscountForNothing,
    DiscountHeld,
    UnknownCoupon,
)
from subscriptions.operations.subscriptions.creating import (
    NewItem,
    NewSubscription,
    create_subscription,
)
from subscriptions.queries.mrr import mrr_of
from tests.scenes import scene
from tests.world import NOW, TODAY, account, price, subscription

D = date.fromisoformat


@scene
def shop(vendor):
    """G is invoiced on the 1st for A; 300.00 a month billed up to 23 November."""
    vendor.has("accounts", account("G", billing_day=1), account("A", "G"), account("B", "G"))
    vendor.has(
        "prices",
        price("base", "300", tax_rate=19),
        price("seat", "10", model="per_unit", tax_rate=19),
        price("year", "3650", interval="year", tax_rate=19),
        price("yen", "999", currency="JPY", tax_rate=19),
        price("dinar", "10.125", currency="KWD", tax_rate=19),
    )
    vendor.has("subscriptions", subscription("S", "A", "base", "2026-11-01"))
    vendor.run("2026-11-23")
    return vendor


def coupon(shop, code="SPRING", **values):
    terms = {"percent": Decimal(10)} if "amount" not in values else {}
    wanted = NewCoupon(code=code, name="Spring offer", **{**terms, **values})
    return create_coupon(shop.actor, wanted, today=TODAY, now=NOW)


def key_of(shop, name="S"):
    with shop.seen():
        return Subscription.objects.get(external_id=name).pk


def given(shop, day, wanted=None, name="S", **values):
    return discount_subscription(
        shop.actor,
        key_of(shop, name),
        wanted or WantedDiscount(coupon="spring"),
        day=None if day is None else D(day),
        **{"today": TODAY, "now": NOW, **values},
    )


def staff_gives(percent="10", until=None, **values):
    return WantedDiscount(
        name="Goodwill",
        percent=Decimal(percent),
        until=until and D(until),
        reason="A long outage",
        **values,
    )


def ended(shop, discount, day, **values):
    when = None if day is None else D(day)
    return end_discount(shop.actor, discount.pk, day=when, **{"today": TODAY, "now": NOW, **values})


def made(result):
    return [
        (one.kind, str(one.period_start), str(one.period_end), one.net_minor)
        for one in result.charges
    ]


def charges_of(shop, name="base"):
    with shop.seen():
        found = Charge.objects.filter(item__price__external_id=name)
        return [
            (str(one.period_start), str(one.period_end), one.net_minor)
            for one in found.order_by("period_start", "revision", "kind")
        ]


def begun(shop, name, start="2026-12-01", code="spring", quantity="1", owner="A", **values):
    with shop.seen():
        item = NewItem(Price.objects.get(external_id=name).pk, Decimal(quantity))
    wanted = NewSubscription(
        items=[item], start_date=D(start), coupon=code, external_id=f"new-{name}"
    )
    return create_subscription(shop.actor, shop.id_of(owner), wanted, now=NOW, **values)


def runs(shop, *days):
    for day in days:
        shop.run(day, today=D(day))


def test_inside_a_period_the_rest_is_credited_and_charged_anew(shop):
    """300.00 for November, 10 % from the 11th on: 20 of 30 days."""
    coupon(shop)
    result = given(shop, "2026-11-11")

    assert made(result) == [
        ("credit", "2026-11-11", "2026-12-01", -20000),
        ("recurring", "2026-11-11", "2026-12-01", 18000),
    ]
    runs(shop, "2026-12-01", "2027-01-01")
    assert charges_of(shop)[-2:] == [
        ("2026-12-01", "2027-01-01", 27000),
        ("2027-01-01", "2027-02-01", 27000),
    ]
    assert shop.violations() == []


def test_once_is_the_next_period_where_this_one_is_charged(shop):
    coupon(shop, duration="once")
    result = given(shop, None)

    assert (str(result.day), str(result.until), made(result)) == ("2026-12-01", "2027-01-01", [])
    runs(shop, "2026-12-01", "2027-01-01")
    assert [net for *_days, net in charges_of(shop)] == [30000, 27000, 30000]
    assert shop.violations() == []


def test_periods_are_those_of_each_item_and_a_part_of_one_counts(shop):
    """Two periods from 11 November on: the rest of November, and December; the year has two."""
    with shop.seen():
        year = Price.objects.get(external_id="year").pk
    change_subscription(
        shop.actor,
        key_of(shop),
        [ItemAddition(year, Decimal(1))],
        day=D("2026-11-01"),
        today=TODAY,
        now=NOW,
    )
    coupon(shop, duration="periods", periods=2)
    result = given(shop, "2026-11-11")

    ends = {str(one.end) for line in result.after.values() for one in line if one.value.discount}
    assert ends == {"2027-01-01", "2028-11-01"}
    runs(shop, "2026-12-01", "2027-01-01")
    assert [net for *_days, net in charges_of(shop)] == [30000, -20000, 18000, 27000, 30000]
    assert shop.violations() == []


@pytest.mark.parametrize(
    ("name", "values", "net"),
    [
        ("base", {"percent": Decimal(100)}, 0),
        ("base", {"amount": Decimal(400), "currency": "EUR"}, 0),
        ("base", {"amount": Decimal("12.50"), "currency": "EUR"}, 28750),
        ("yen", {"percent": Decimal("12.5")}, 874),
        ("dinar", {"percent": Decimal(15)}, 8606),
        ("seat", {"percent": Decimal("33.3333")}, 667),
    ],
)
def test_a_new_subscription_begins_with_its_coupon(shop, name, values, net):
    coupon(shop, **values)
    tried = begun(shop, name, is_dry_run=True)
    with shop.seen():
        assert Discount.objects.count() == 0
    brings = tried.items.all()[0].monthly_minor
    begun(shop, name)
    runs(shop, "2026-12-01")

    assert brings == net
    with shop.seen():
        own = Charge.objects.get(subscription__external_id=f"new-{name}")
        assert (own.net_minor, own.calculation["discount"]["name"]) == (net, "Spring offer")
        item = Item.objects.get(subscription__external_id=f"new-{name}")
        assert item.monthly_minor == net
    assert shop.violations() == []


def test_mrr_of_each_day_is_that_after_discounts(shop):
    coupon(shop, duration="once")
    given(shop, None)

    with shop.seen():
        key = shop.id_of("G")
        brings = [
            mrr_of(shop.actor, [key], D(day))[key].tree["EUR"]
            for day in ("2026-11-30", "2026-12-01", "2027-01-01")
        ]
    assert brings == [30000, 27000, 30000]


def test_ended_early_it_is_charged_in_full_again(shop):
    coupon(shop)
    discount = given(shop, "2026-11-01").discount
    result = ended(shop, discount, "2026-11-16")

    assert made(result) == [
        ("credit", "2026-11-16", "2026-12-01", -13500),
        ("recurring", "2026-11-16", "2026-12-01", 15000),
    ]
    with pytest.raises(DiscountOver):
        ended(shop, discount, "2026-11-20")
    runs(shop, "2026-12-01")
    assert charges_of(shop)[-1] == ("2026-12-01", "2027-01-01", 30000)
    assert shop.violations() == []


def test_what_has_not_begun_never_does(shop):
    coupon(shop)
    discount = given(shop, "2027-02-01").discount
    ended(shop, discount, "2026-12-01")
    runs(shop, "2026-12-01", "2027-01-01", "2027-02-01")

    assert {net for *_days, net in charges_of(shop)} == {30000}
    given(shop, "2027-02-01")
    assert shop.violations() == []


def test_another_price_and_quantity_keep_it_and_what_comes_in_takes_it(shop):
    coupon(shop)
    given(shop, None)
    with shop.seen():
        seat = Price.objects.get(external_id="seat").pk
    change_subscription(
        shop.actor,
        key_of(shop),
        [ItemAddition(seat, Decimal(5))],
        day=D("2026-12-01"),
        today=TODAY,
        now=NOW,
    )
    runs(shop, "2026-12-01")

    assert charges_of(shop)[-1] == ("2026-12-01", "2027-01-01", 27000)
    assert charges_of(shop, "seat") == [("2026-12-01", "2027-01-01", 4500)]
    with shop.seen():
        item = Item.objects.get(price__external_id="seat").pk
    result = change_subscription(
        shop.actor,
        key_of(shop),
        [ItemChange(item, quantity=Decimal(10))],
        day=D("2026-12-01"),
        today=D("2026-12-01"),
        now=NOW,
    )
    assert [net for *_rest, net in made(result)] == [-4500, 9000]
    assert shop.violations() == []


def test_a_coupon_is_for_its_products_alone(shop):
    shop.has("prices", price("other", "100", product="Other", tax_rate=19))
    with shop.seen():
        other = Product.objects.get(name="Other").pk
    coupon(shop, products=[other])

    with pytest.raises(DiscountForNothing):
        given(shop, None)
    begun(shop, "other")
    runs(shop, "2026-12-01")
    assert charges_of(shop, "other") == [("2026-12-01", "2027-01-01", 9000)]


def test_an_amount_is_for_its_currency_alone(shop):
    coupon(shop, amount=Decimal(5), currency="CHF")

    with pytest.raises(DiscountForNothing):
        given(shop, None)
    with pytest.raises(DiscountForNothing):
        begun(shop, "base")
    with shop.seen():
        assert Discount.objects.count() == 0


def test_one_discount_at_a_time(shop):
    coupon(shop)
    given(shop, "2026-12-01", staff_gives(until="2027-02-01"))

    with pytest.raises(DiscountHeld):
        given(shop, "2027-01-01")
    given(shop, "2027-02-01")
    runs(shop, "2026-12-01", "2027-01-01", "2027-02-01")
    assert [net for *_days, net in charges_of(shop)] == [30000, 27000, 27000, 27000]


def test_a_dry_run_says_what_would_be_and_stores_nothing(shop):
    coupon(shop, max_redemptions=1)
    result = given(shop, "2026-11-11", is_dry_run=True)

    assert [net for *_rest, net in made(result)] == [-20000, 18000]
    with shop.seen():
        assert (Discount.objects.count(), Charge.objects.count()) == (0, 1)


def test_sent_twice_it_is_given_once(shop):
    key = shop.id_of("A")
    wanted = staff_gives(key=key)
    given(shop, "2026-12-01", wanted)

    with pytest.raises(AlreadyGiven):
        given(shop, "2026-12-01", wanted)


def test_the_last_one_is_redeemed_once_and_codes_mind_no_capitals(shop):
    coupon(shop, max_redemptions=1)
    given(shop, None, WantedDiscount(coupon=" sPring "))

    with pytest.raises(CouponUsedUp):
        begun(shop, "base")
    with pytest.raises(CouponCodeTaken):
        coupon(shop, "spring")


def test_one_customer_redeems_it_as_often_as_one_may(shop):
    shop.has("accounts", account("X"))
    coupon(shop, max_per_root=1)
    given(shop, None)

    with pytest.raises(CouponUsedUpHere):
        begun(shop, "seat", owner="B")
    begun(shop, "seat", owner="X")


@pytest.mark.parametrize(
    ("values", "refusal"),
    [
        ({"redeem_from": D("2026-11-24")}, CouponTooEarly),
        ({"redeem_until": D("2026-11-22")}, CouponExpired),
    ],
)
def test_it_is_redeemed_on_its_days_alone(shop, values, refusal):
    coupon(shop, **values)

    with pytest.raises(refusal):
        given(shop, None)
    with pytest.raises(refusal):
        begun(shop, "base")


def test_archived_it_is_not_redeemed_and_what_was_goes_on(shop):
    made_one = coupon(shop)
    given(shop, None)
    archive_coupon(shop.actor, made_one.pk, now=NOW)

    with pytest.raises(CouponArchived):
        begun(shop, "base")
    with pytest.raises(UnknownCoupon):
        begun(shop, "base", code="nothing")
    runs(shop, "2026-12-01")
    assert charges_of(shop)[-1] == ("2026-12-01", "2027-01-01", 27000)


def test_what_it_takes_off_never_changes(shop):
    made_one = coupon(shop)
    changed = edit_coupon(
        shop.actor, made_one.pk, {"name": "Summer", "percent": Decimal(50)}, now=NOW
    )

    assert (changed.name, changed.percent) == ("Summer", Decimal(10))


@pytest.mark.parametrize(
    ("values", "pointer"),
    [
        ({"percent": Decimal(0)}, "/percent"),
        ({"percent": Decimal("100.0001")}, "/percent"),
        ({"percent": Decimal("NaN")}, "/percent"),
        ({"percent": Decimal("1e400")}, "/percent"),
        ({"percent": Decimal("0.00001")}, "/percent"),
        ({"percent": None}, "/percent"),
        ({"amount": Decimal(-1), "currency": "EUR"}, "/amount"),
        ({"amount": Decimal("Infinity"), "currency": "EUR"}, "/amount"),
        ({"amount": Decimal(1), "currency": ""}, "/currency"),
        ({"amount": Decimal(1), "currency": "XXY"}, "/currency"),
        ({"duration": "periods"}, "/periods"),
        ({"duration": "periods", "periods": 121}, "/periods"),
        ({"periods": 2}, "/periods"),
        ({"duration": "always"}, "/duration"),
        ({"max_redemptions": 0}, "/max_redemptions"),
        ({"redeem_from": D("2026-12-01"), "redeem_until": D("2026-11-01")}, "/redeem_until"),
    ],
)
def test_refuses_coupons_that_cannot_be(shop, values, pointer):
    with pytest.raises(InvalidCoupon) as refusal:
        coupon(shop, **values)

    assert [one.pointer for one in refusal.value.errors] == [pointer]
    with shop.seen():
        assert not Coupon.objects.exists()


@pytest.mark.parametrize("code", ["", "  ", "a b", "x" * 51, "a\x00b"])
def test_refuses_codes_that_nobody_can_type(shop, code):
    with pytest.raises(InvalidCoupon):
        coupon(shop, code)


def test_refuses_discounts_that_cannot_be(shop):
    wanted = WantedDiscount(name=" ", percent=Decimal(200), until=D("2026-11-01"))
    with pytest.raises(InvalidDiscount) as refusal:
        given(shop, "2026-12-01", wanted)

    assert [one.pointer for one in refusal.value.errors] == [
        "/name",
        "/percent",
        "/until",
        "/reason",
    ]


@pytest.mark.parametrize("seed", range(6))
def test_any_discounts_changes_pauses_and_runs_come_to_what_each_day_costs(shop, seed):
    """A naive look at each day of a year: what stands charged is right whatever was known when."""
    chance = random.Random(seed)
    first, last = D("2026-11-01"), D("2027-11-01")
    key = key_of(shop)
    with shop.seen():
        item = Item.objects.get().pk
        seat = Price.objects.get(external_id="seat").pk
    change_subscription(
        shop.actor,
        key,
        [ItemChange(item, price_id=seat, quantity=Decimal(30))],
        day=first,
        today=TODAY,
        now=NOW,
    )
    had = dict.fromkeys(_days(first, last), 30)
    off: dict[date, tuple[Discount, Fraction]] = {}
    paused: set[date] = set()
    end, today = last, TODAY

    for step in range(10):
        if today < D("2027-09-15"):
            today += timedelta(days=chance.randint(0, 40))
        if chance.random() < 0.6:
            shop.run(str(today), today=today)
        day = first + timedelta(days=chance.randint(0, (today - first).days + 40))
        common = {"today": today, "now": NOW}
        kind = chance.choice(["give", "give", "over", "quantity", "pause", "resume", "end"])
        with suppress(
            NothingChanges, InvalidChange, InvalidDiscount, ChangeAfterEnd, AlreadyPaused,
            NotPaused, DiscountHeld, DiscountForNothing, DiscountOver,
        ):  # fmt: skip
            if kind == "give":
                percent = chance.choice(["12.5", "33.3333", "100"])
                until = day + timedelta(days=chance.randint(1, 90))
                wanted = staff_gives(percent, str(until))
                result = given(shop, str(day), wanted, **common)
                for one in _days(day, min(until, last)):
                    off[one] = result.discount, Fraction(percent)
            elif kind == "over" and off:
                discount = off[chance.choice(sorted(off))][0]
                since = max(day, discount.starts)
                ended(shop, discount, str(day), **common)
                off = {k: v for k, v in off.items() if v[0] != discount or k < since}
            elif kind == "quantity":
                stop = next((one for one in _days(day, last) if had[one] != had[day]), last)
                change = ItemChange(item, quantity=Decimal(step + 31))
                change_subscription(shop.actor, key, [change], day=day, **common)
                had |= dict.fromkeys(_days(day, stop), step + 31)
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
        assert shop.violations() == []
    shop.run(str(D("2027-10-31")), today=D("2027-10-31"))

    exact = Fraction(0)
    for day in _days(first, last):
        month = Days(day.replace(day=1), (day.replace(day=1) + timedelta(days=32)).replace(day=1))
        if day < end and day not in paused:
            percent = off[day][1] if day in off else Fraction(0)
            exact += Fraction(1000 * had[day], month.days) * (100 - percent) / 100
    with shop.seen():
        amounts = list(Charge.objects.values_list("net_minor", flat=True))
    # Each is rounded once.
    assert abs(sum(amounts) - exact) <= Fraction(len(amounts), 2)
    assert shop.violations() == []


def _days(start: date, end: date) -> list[date]:
    return [start + timedelta(days=n) for n in range(max(0, (end - start).days))]
