"""Discounts of an account for all below it: carried out by a job, taken by what begins later."""

from datetime import date
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import Account
from accounts.operations.moving import place_account
from invoicing.models import Charge
from invoicing.operations.account_discounts import giving
from invoicing.operations.account_discounts.giving import (
    AccountArchived,
    discount_account,
    end_account_discount,
)
from invoicing.operations.account_discounts.outcomes import foreseen
from invoicing.operations.account_discounts.working import work_on_discount
from invoicing.operations.subscriptions.discounting import (
    AlreadyGiven,
    DiscountOfAccount,
    DiscountOver,
    discount_subscription,
    end_discount,
)
from invoicing.queries.plans.preview import preview_plan
from invoicing.queries.plans.wanted import Wanted
from invoicing.words import describe_warning
from subscriptions.models import Discount, DiscountedItem, Item, Price, Subscription
from subscriptions.operations.discounts.checking import NewCoupon, WantedDiscount
from subscriptions.operations.discounts.coupons import create_coupon
from subscriptions.operations.discounts.redeeming import CouponUsedUp, DiscountHeld
from subscriptions.operations.subscriptions.creating import (
    NewItem,
    NewSubscription,
    create_subscription,
)
from subscriptions.queries.mrr import mrr_of
from subscriptions.queries.terms import timelines_of
from tenancy.errors import Forbidden
from tenancy.models import Job, Tenant
from tests.scenes import scene
from tests.world import NOW, TODAY, account, price, subscription

D = date.fromisoformat


@scene
def shop(vendor):
    """Below G are A and B with 300.00 a month each, below A is A1 with 100.00; billed."""
    vendor.has(
        "accounts",
        account("G", billing_day=1),
        account("A", "G"),
        account("A1", "A"),
        account("B", "G"),
    )
    vendor.has("prices", price("base", "300", tax_rate=19), price("small", "100", tax_rate=19))
    vendor.has(
        "subscriptions",
        subscription("SA", "A", "base", "2026-11-01"),
        subscription("S1", "A1", "small", "2026-11-01"),
        subscription("SB", "B", "base", "2026-11-01"),
    )
    vendor.run("2026-11-23")
    return vendor


def goodwill(percent="10", **values):
    return WantedDiscount(
        name=f"Goodwill {percent}", percent=Decimal(percent), reason="An outage", **values
    )


def given(shop, key, day, wanted=None, **values):
    return discount_account(
        shop.actor,
        shop.id_of(key),
        wanted or goodwill(),
        day=D(day),
        **{"today": TODAY, "now": NOW, **values},
    )


def worked(shop, result):
    while work_on_discount(shop.actor, result.job.pk, now=NOW):
        pass
    with shop.seen():
        return Job.objects.get(pk=result.job.pk)


def runs(shop, *days):
    for day in days:
        shop.run(day, today=D(day))


def charges_of(shop, name):
    with shop.seen():
        found = Charge.objects.filter(subscription__external_id=name)
        return list(found.order_by("id").values_list("net_minor", flat=True))


def test_all_below_have_it_and_what_was_charged_is_made_good(shop):
    dry = given(shop, "A", "2026-11-16", is_dry_run=True)
    with shop.seen():
        assert not Discount.objects.exists()
        assert not Job.objects.exists()
    result = given(shop, "A", "2026-11-16")
    job = worked(shop, result)

    assert (dry.items, dry.before, dry.after) == (2, {"EUR": 40000}, {"EUR": 36000})
    assert (job.status, job.done, job.total, job.result) == ("done", 2, 2, {"changed": 2})
    assert charges_of(shop, "SA") == [30000, -15000, 13500]
    assert charges_of(shop, "S1") == [10000, -5000, 4500]
    assert charges_of(shop, "SB") == [30000]
    with shop.seen():
        key = shop.id_of("G")
        assert mrr_of(shop.actor, [key], D("2026-12-01"))[key].tree["EUR"] == 66000
    runs(shop, "2026-12-01")
    assert charges_of(shop, "SA")[-1] == 27000
    assert shop.violations() == []


def test_a_job_goes_on_where_it_stopped_and_gives_nothing_twice(shop, monkeypatch):
    monkeypatch.setattr(giving, "PIECE", 1)
    result = given(shop, "G", "2026-12-01")

    assert work_on_discount(shop.actor, result.job.pk, now=NOW)
    with shop.seen():
        assert DiscountedItem.objects.count() == 1
        Job.objects.update(done=0)
    job = worked(shop, result)

    assert (job.done, job.result) == (3, {"changed": 3, "same": 1})
    with shop.seen():
        assert DiscountedItem.objects.count() == 3


def test_what_begins_while_it_holds_takes_it(shop):
    worked(shop, given(shop, "A", "2026-12-01", goodwill(until=D("2027-02-01"))))
    with shop.seen():
        price_id = Price.objects.get(external_id="base").pk
    for name, start in (("in", "2027-01-01"), ("late", "2027-02-01")):
        wanted = NewSubscription(
            items=[NewItem(price_id, Decimal(1))], start_date=D(start), external_id=name
        )
        create_subscription(shop.actor, shop.id_of("A1"), wanted, now=NOW)
    runs(shop, "2026-12-01", "2027-01-01", "2027-02-01")

    assert charges_of(shop, "in") == [27000, 30000]
    assert charges_of(shop, "late") == [30000]
    assert shop.violations() == []


def test_the_nearest_goes_before_and_the_other_holds_again(shop):
    worked(shop, given(shop, "G", "2026-12-01", goodwill("10")))
    worked(shop, given(shop, "A", "2026-12-01", goodwill("20", until=D("2027-01-01"))))
    with shop.seen():
        key = Subscription.objects.get(external_id="SA").pk
    own = discount_subscription(
        shop.actor,
        key,
        goodwill("50", until=D("2027-02-01")),
        day=D("2027-01-01"),
        today=TODAY,
        now=NOW,
    ).discount
    runs(shop, "2026-12-01", "2027-01-01", "2027-02-01")

    assert charges_of(shop, "SA") == [30000, 24000, 15000, 27000]
    assert charges_of(shop, "SB") == [30000, 27000, 27000, 27000]
    end_discount(shop.actor, own.pk, day=D("2027-01-01"), today=D("2027-02-01"), now=NOW)
    assert charges_of(shop, "SA")[-2:] == [-15000, 27000]
    assert shop.violations() == []


def test_ended_it_is_made_good_and_nothing_takes_it_any_more(shop):
    first = given(shop, "A", "2026-11-01")
    worked(shop, first)
    dry = end_account_discount(
        shop.actor, first.discount.pk, day=D("2026-11-16"), is_dry_run=True, today=TODAY, now=NOW
    )
    result = end_account_discount(
        shop.actor, first.discount.pk, day=D("2026-11-16"), today=TODAY, now=NOW
    )
    worked(shop, result)

    assert (dry.items, dry.before, dry.after) == (2, {"EUR": 36000}, {"EUR": 40000})
    assert charges_of(shop, "SA") == [30000, -30000, 27000, -13500, 15000]
    with pytest.raises(DiscountOver):
        end_account_discount(
            shop.actor, first.discount.pk, day=D("2026-11-20"), today=TODAY, now=NOW
        )
    with shop.seen():
        price_id = Price.objects.get(external_id="base").pk
    wanted = NewSubscription(items=[NewItem(price_id, Decimal(1))], start_date=D("2026-12-01"))
    new = create_subscription(shop.actor, shop.id_of("A1"), wanted, now=NOW)
    with shop.seen():
        assert Item.objects.get(subscription=new).discount is None
    assert shop.violations() == []


def test_a_coupon_counts_once_for_the_whole_tree_and_is_each_ones_once(shop):
    wanted = NewCoupon("ONCE", "Once", percent=Decimal(10), duration="once", max_redemptions=1)
    create_coupon(shop.actor, wanted, today=TODAY, now=NOW)
    worked(shop, given(shop, "G", "2026-12-01", WantedDiscount(coupon="once")))
    runs(shop, "2026-12-01", "2027-01-01")

    assert charges_of(shop, "SA") == [30000, 27000, 30000]
    assert charges_of(shop, "S1") == [10000, 9000, 10000]
    with pytest.raises(CouponUsedUp):
        given(shop, "B", "2027-03-01", WantedDiscount(coupon="once"))


def test_one_discount_of_an_account_at_a_time(shop):
    wanted = goodwill(until=D("2027-01-01"), key=shop.id_of("A"))
    given(shop, "A", "2026-12-01", wanted)

    with pytest.raises(AlreadyGiven):
        given(shop, "A", "2026-12-01", wanted)
    with pytest.raises(DiscountHeld):
        given(shop, "A", "2026-12-15")
    given(shop, "A", "2027-01-01")
    given(shop, "A1", "2026-12-01")


def test_what_an_account_gives_is_ended_there(shop):
    result = given(shop, "A", "2026-12-01")

    with pytest.raises(DiscountOfAccount):
        end_discount(shop.actor, result.discount.pk, day=None, today=TODAY, now=NOW)


def test_customers_give_themselves_nothing(shop):
    admin = shop.customer("Carl", "admin", "G")
    with shop.seen():
        key = Subscription.objects.get(external_id="SA").pk

    with pytest.raises(Forbidden):
        discount_account(admin, shop.id_of("A"), goodwill(), day=TODAY, today=TODAY, now=NOW)
    with pytest.raises(Forbidden):
        discount_subscription(admin, key, goodwill(), day=TODAY, today=TODAY, now=NOW)
    with shop.seen():
        assert not Discount.objects.exists()


def test_an_archived_account_gets_none(shop):
    with shop.seen():
        Account.objects.filter(external_id="A1").update(status="archived")

    with pytest.raises(AccountArchived):
        given(shop, "A1", "2026-12-01")


def made_good(shop):
    with shop.seen():
        rows = Charge.objects.filter(reason__code="pending", item__isnull=False)
        return sorted(rows.values_list("subscription__external_id", "kind", "net_minor"))


def shown(shop, result):
    with shop.seen():
        return foreseen(shop.actor, result.giving, result.subscriptions, today=TODAY)


def charges_shown(found):
    return sorted(
        (one.subscription.external_id, charge.kind, charge.net_minor)
        for one in found.changed
        for charge in one.charges
    )


@pytest.mark.parametrize("day", ["2026-11-16", "2026-11-08", "2026-12-01", "2027-01-01"])
def test_what_is_shown_before_is_what_the_job_does(shop, day):
    worked(shop, given(shop, "A1", "2026-11-10", goodwill("25", until=D("2026-12-11"))))
    runs(shop, "2026-12-01")
    before = made_good(shop)
    dry = given(shop, "G", day, goodwill("12.5"), is_dry_run=True)
    found = shown(shop, dry)
    assert made_good(shop) == before

    result = given(shop, "G", day, goodwill("12.5"))
    job = worked(shop, result)
    done = list(made_good(shop))
    for one in before:
        done.remove(one)
    assert charges_shown(found) == done
    assert found.counts == job.result
    assert (found.credited["EUR"], found.charged["EUR"]) == (
        -sum(net for _key, kind, net in done if kind == "credit"),
        sum(net for _key, kind, net in done if kind != "credit"),
    )

    ended = end_account_discount(
        shop.actor, result.discount.pk, day=D(day), is_dry_run=True, today=TODAY, now=NOW
    )
    found, before = shown(shop, ended), made_good(shop)
    ended = end_account_discount(shop.actor, result.discount.pk, day=D(day), today=TODAY, now=NOW)
    worked(shop, ended)
    done = list(made_good(shop))
    for one in before:
        done.remove(one)
    assert charges_shown(found) == done
    assert shop.violations() == []


def test_showing_it_takes_as_many_statements_for_many_as_for_one(shop):
    def asked():
        dry = given(shop, "G", "2026-11-16", is_dry_run=True)
        with shop.seen(), CaptureQueriesContext(connection) as taken:
            foreseen(shop.actor, dry.giving, dry.subscriptions, today=TODAY)
        return len(taken)

    few = asked()
    shop.has(
        "subscriptions",
        *(subscription(f"M{n}", "B", "small", "2026-11-02") for n in range(12)),
    )
    shop.run("2026-11-23")
    assert asked() <= few + 1


def test_a_job_of_before_pieces_were_said_goes_on(shop):
    result = given(shop, "G", "2026-12-01")
    with shop.seen():
        job = Job.objects.get(pk=result.job.pk)
        job.params.pop("piece")
        job.save()

    assert worked(shop, result).result == {"changed": 3}


def fields_of(shop, name):
    with shop.seen():
        item = Item.objects.get(subscription__external_id=name)
        given = DiscountedItem.objects.filter(item=item)
        rows = sorted(given.values_list("discount__name", "starts", "ends"), key=str)
        earliest = timelines_of(shop.actor, [item], None)[item.pk][0].value
        name = earliest.discount.name if earliest.discount else None
        return name, earliest.monthly_minor, rows


def test_what_comes_by_a_file_takes_what_it_takes_on_screen(shop):
    worked(shop, given(shop, "A", "2026-12-01", goodwill(until=D("2027-02-01"))))
    worked(shop, given(shop, "G", "2026-12-01", goodwill("5")))
    starts = {"early": "2026-11-10", "in": "2027-01-01", "late": "2027-02-01"}
    with shop.seen():
        price_id = Price.objects.get(external_id="base").pk
    for name, start in starts.items():
        wanted = NewSubscription(
            items=[NewItem(price_id, Decimal(1))], start_date=D(start), external_id=f"{name}-1"
        )
        create_subscription(shop.actor, shop.id_of("A1"), wanted, now=NOW)
    shop.has(
        "subscriptions",
        *(subscription(f"{name}-2", "A1", "base", start) for name, start in starts.items()),
        subscription("elsewhere", "B", "base", "2027-01-01"),
    )

    for name in starts:
        assert fields_of(shop, f"{name}-1") == fields_of(shop, f"{name}-2")
    assert fields_of(shop, "in-2")[1] == 27000
    assert [row[0] for row in fields_of(shop, "in-2")[2]] == ["Goodwill 10", "Goodwill 5"]
    assert fields_of(shop, "elsewhere")[:2] == ("Goodwill 5", 28500)
    runs(shop, "2027-01-01")
    assert charges_of(shop, "in-2") == charges_of(shop, "in-1") == [27000]
    assert shop.violations() == []


def test_a_coupon_is_taken_by_a_file_up_to_its_last_day(shop):
    coupon = NewCoupon(
        code="YULE",
        name="Yule",
        percent=Decimal(10),
        duration="periods",
        periods=2,
        redeem_until=D("2026-12-24"),
    )
    create_coupon(shop.actor, coupon, today=TODAY, now=NOW)
    worked(shop, given(shop, "A", "2026-11-23", WantedDiscount(coupon="YULE")))
    shop.has(
        "subscriptions",
        subscription("by", "A", "base", "2026-12-24"),
        subscription("after", "A", "base", "2026-12-25"),
    )

    assert [row[1:] for row in fields_of(shop, "by")[2]] == [(D("2026-12-24"), D("2027-02-01"))]
    assert fields_of(shop, "after")[2] == []


def moved(shop, key, to):
    with shop.seen():
        tenant = Tenant.objects.get(pk=shop.tenant_id)
        wanted = Wanted("move", shop.id_of(key), D("2026-12-15"), target_id=shop.id_of(to))
        shown = preview_plan(shop.actor, wanted, today=TODAY, tenant=tenant).shown
    return {
        one["code"]: (one["count"], one["account"]["name"], describe_warning(one))
        for one in shown["warnings"]
        if one["code"].startswith("discounts_")
    }


def test_the_preview_of_a_move_says_who_keeps_a_discount_and_who_takes_none(shop):
    assert moved(shop, "A1", "B") == {}
    worked(shop, given(shop, "A", "2026-12-01"))
    worked(shop, given(shop, "B", "2026-12-01", goodwill("20")))
    worked(shop, given(shop, "G", "2026-12-01", goodwill("5")))

    said = moved(shop, "A1", "B")
    out = moved(shop, "A1", "G")

    assert said["discounts_stay"][:2] == (1, "A1")
    assert "keeps the discount of an account that is not above it" in said["discounts_stay"][2]
    assert said["discounts_not_taken"][:2] == (1, "A1")
    assert "does not take the discount of its new place" in said["discounts_not_taken"][2]
    assert [*out] == ["discounts_stay"]


def test_what_moves_keeps_its_discount_and_what_begins_there_takes_that_of_the_place(shop):
    worked(shop, given(shop, "A", "2026-12-01"))
    worked(shop, given(shop, "B", "2026-12-01", goodwill("20")))
    with shop.seen():
        place_account(shop.actor, shop.id_of("A1"), shop.id_of("B"), day=D("2026-11-23"))
    shop.has("subscriptions", subscription("new", "A1", "small", "2027-01-01"))

    with shop.seen():
        item = Item.objects.get(subscription__external_id="S1")
        assert (item.discount.name, item.monthly_minor) == ("Goodwill 10", 9000)
    assert fields_of(shop, "new")[:2] == ("Goodwill 20", 8000)
