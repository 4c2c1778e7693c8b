"""Two windows at once: settings, moves against each other, answers, imports, a form sent twice."""

from datetime import date
from decimal import Decimal

import pytest

from accounts.models import Account, AccountNode, SettingInterval
from accounts.operations.account_settings import WantedSettings, change_settings
from invoicing.models import ChangePlan
from invoicing.operations.plans.applying import carry_out_due_plans
from invoicing.operations.plans.deciding import answer_plan, submit_plan
from invoicing.operations.plans.planning import create_plan
from invoicing.queries.plans.wanted import Wanted
from subscriptions.models import Discount, Item, Price, Subscription
from subscriptions.operations.discounts.checking import NewCoupon
from subscriptions.operations.discounts.coupons import create_coupon
from subscriptions.operations.discounts.redeeming import CouponUsedUp
from subscriptions.operations.subscriptions.creating import (
    AlreadySubscribed,
    NewItem,
    NewSubscription,
    create_subscription,
)
from tenancy.ids import uuid7
from tests.integration.accounts.test_tree_concurrency import at_once
from tests.world import NOW, TODAY, account, price, subscription

DAY = date(2026, 12, 15)


@pytest.fixture
def shop(committed_vendor):
    vendor = committed_vendor
    vendor.has(
        "accounts",
        account("G", billing_day=1),
        account("A", "G"),
        account("B", "G"),
        account("X", billing_day=1),
    )
    vendor.has("prices", price("ten", "10", tax_rate=19))
    vendor.has("subscriptions", subscription("S1", "A", "ten", "2026-12-01"))
    return vendor


def submitted(shop, kind, key, target):
    wanted = Wanted(kind, shop.id_of(key), DAY, target_id=shop.id_of(target))
    plan = create_plan(shop.actor, wanted, today=TODAY, now=NOW)
    return submit_plan(shop.actor, plan.pk, today=TODAY, now=NOW)


def test_windows_that_change_one_setting_leave_one_history_without_gaps(shop):
    def change(value):
        wanted = WantedSettings({"payment_terms_days": value}, TODAY)
        return change_settings(shop.actor, shop.id_of("A"), wanted, today=TODAY, now=NOW)

    answers = at_once(change, [7, 14, 21, 30])

    assert not [one for one in answers if isinstance(one, Exception)], answers
    with shop.seen():
        (stored,) = SettingInterval.objects.filter(
            account_id=shop.id_of("A"), name="payment_terms_days", valid_to=None
        )
        assert stored.value in (7, 14, 21, 30)
        rows = SettingInterval.objects.filter(account_id=shop.id_of("A"), name=stored.name)
        assert rows.count() == 1


def test_of_an_acceptance_and_a_refusal_at_once_one_holds(shop):
    plan = submitted(shop, "payer", "G", "X")
    rita = shop.customer("Rita", "admin", "X")

    answers = at_once(
        lambda accepts: answer_plan(rita, plan.pk, accepts=accepts, today=TODAY, now=NOW),
        [True, False, True, False],
    )

    (answered,) = [one for one in answers if not isinstance(one, Exception)]
    with shop.seen():
        stored = ChangePlan.objects.get(pk=plan.pk)
    expected = "scheduled" if stored.acceptance["accepts"] else "withdrawn"
    assert (stored.status, answered.status) == (expected, expected)


def test_moves_below_each_other_make_no_circle(shop):
    plans = [submitted(shop, "move", "A", "B")]
    wanted = Wanted("move", shop.id_of("B"), DAY, target_id=shop.id_of("A"))
    other = create_plan(shop.actor, wanted, today=TODAY, now=NOW)
    at_once(
        lambda work: work(),
        [
            lambda: submit_plan(shop.actor, other.pk, today=TODAY, now=NOW),
            lambda: carry_out_due_plans(shop.actor, day=DAY, now=NOW),
        ],
    )
    carry_out_due_plans(shop.actor, day=DAY, now=NOW)

    with shop.seen():
        parents = dict(AccountNode.objects.values_list("account_id", "parent_id"))
        first = ChangePlan.objects.get(pk=plans[0].pk)
        second = ChangePlan.objects.get(pk=other.pk)
    a, b = shop.id_of("A"), shop.id_of("B")
    assert not (parents[a] == b and parents[b] == a)
    assert [first.status, second.status].count("applied") <= 1
    assert shop.faults() == []


def test_an_import_while_a_plan_moves_what_it_stands_below(shop):
    submitted(shop, "move", "A", "B")
    rows = [account(f"N{n}", "A") for n in range(50)]

    answers = at_once(
        lambda work: work(),
        [
            lambda: carry_out_due_plans(shop.actor, day=DAY, now=NOW),
            lambda: shop.load("accounts", rows),
        ],
    )

    assert not [one for one in answers if isinstance(one, Exception)], answers
    with shop.seen():
        new = Account.objects.filter(external_id__startswith="N")
        assert set(new.values_list("node__parent_id", flat=True)) == {shop.id_of("A")}
        assert new.count() == 50
        moved = AccountNode.objects.get(account_id=shop.id_of("A")).parent_id
        status = ChangePlan.objects.get().status
    assert (moved, status) in {(shop.id_of("B"), "applied"), (shop.id_of("G"), "failed")}
    assert shop.faults() == []
    assert shop.violations() == []


def test_a_form_sent_four_times_at_once_subscribes_once(shop):
    with shop.seen():
        price_id = Price.objects.get().pk
    wanted = NewSubscription(items=[NewItem(price_id, Decimal(1))], start_date=TODAY, key=uuid7())

    answers = at_once(
        lambda _n: create_subscription(shop.actor, shop.id_of("B"), wanted, now=NOW), [1, 2, 3, 4]
    )

    assert len([one for one in answers if isinstance(one, AlreadySubscribed)]) == 3, answers
    with shop.seen():
        assert Subscription.objects.filter(account_id=shop.id_of("B")).count() == 1
        assert Item.objects.filter(account_id=shop.id_of("B")).count() == 1


def test_two_at_once_on_the_last_coupon_redeem_it_once(shop):
    wanted = NewCoupon("LAST", "Last one", percent=Decimal(10), max_redemptions=1)
    create_coupon(shop.actor, wanted, today=TODAY, now=NOW)
    with shop.seen():
        price_id = Price.objects.get().pk

    def begin(key):
        item = NewItem(price_id, Decimal(1))
        new = NewSubscription(items=[item], start_date=TODAY, coupon="last")
        return create_subscription(shop.actor, shop.id_of(key), new, now=NOW)

    answers = at_once(begin, ["X", "B", "X", "A"])

    assert len([one for one in answers if isinstance(one, CouponUsedUp)]) == 3, answers
    with shop.seen():
        assert Discount.objects.count() == 1
        assert Item.objects.filter(discount__isnull=False).count() == 1
