"""A subscription is paused, and goes on: nothing is charged in between, to the cent."""

from datetime import date

import pytest

from billing_rules.subscription_states import State
from invoicing.engine.what_if import ItemChange as Changing
from invoicing.engine.what_if import WhatIf
from invoicing.models import Charge, Invoice
from invoicing.operations.subscriptions.changing import change_subscription
from invoicing.operations.subscriptions.ending import cancel_subscription
from invoicing.operations.subscriptions.opening import ChangeAfterEnd, ChangeBeforeStart
from invoicing.operations.subscriptions.pausing import (
    AlreadyPaused,
    NotPaused,
    PauseTooLong,
    PauseTooShort,
    pause_subscription,
    resume_subscription,
)
from invoicing.operations.subscriptions.wanting import ItemChange
from invoicing.queries.foreseeing import foresee_invoices
from subscriptions.models import EarlierTerms, Item, Price, Subscription
from subscriptions.queries.mrr import mrr_of
from subscriptions.queries.renewals import renewals
from subscriptions.queries.subscriptions import (
    get_subscription,
    mrr_sums,
    state_counts,
    state_of,
    subscriptions,
)
from tenancy.errors import Forbidden, NotFound
from tenancy.models import Tenant
from tests.scenes import scene
from tests.world import NOW, TODAY, account, price, subscription

D = date.fromisoformat


@scene
def shop(vendor):
    """G is invoiced on the 1st for A; billed up to 23 November."""
    vendor.has("accounts", account("G", billing_day=1), account("A", "G"))
    vendor.has(
        "prices",
        price("old", "300", tax_rate=19),
        price("new", "600", tax_rate=19),
        price("later", "30", timing="arrears", tax_rate=19),
    )
    vendor.has(
        "subscriptions",
        subscription("S", "A", "old", "2026-11-01"),
        subscription("LATER", "A", "later", "2026-11-01"),
        subscription("ENDS", "A", "old", "2026-11-01", end_date="2026-12-20"),
    )
    vendor.run("2026-11-23")
    return vendor


def key_of(shop, name):
    with shop.seen():
        return Subscription.objects.get(external_id=name).pk


def paused(shop, name, day, until=None, *, actor=None, **values):
    return pause_subscription(
        actor or shop.actor,
        key_of(shop, name),
        day=D(day) if day else None,
        until=D(until) if until else None,
        **{"today": TODAY, "now": NOW, **values},
    )


def resumed(shop, name, day, **values):
    key = key_of(shop, name)
    return resume_subscription(
        shop.actor, key, day=D(day), **{"today": TODAY, "now": NOW, **values}
    )


def made(result):
    return [
        (one.kind, str(one.period_start), str(one.period_end), one.net_minor)
        for one in result.charges
    ]


def charges_of(shop, name):
    with shop.seen():
        return [
            (str(one.period_start), str(one.period_end), one.net_minor)
            for one in Charge.objects.filter(subscription__external_id=name).order_by(
                "period_start", "revision", "kind"
            )
        ]


def test_a_pause_inside_a_period_credits_its_days(shop):
    """300.00 a month, paused from the 11th of a month of thirty days on."""
    result = paused(shop, "S", "2026-11-11")

    assert made(result) == [("credit", "2026-11-11", "2026-12-01", -20000)]
    assert shop.violations() == []


def test_what_goes_on_inside_a_period_is_charged_for_the_rest(shop):
    paused(shop, "S", "2026-11-11")
    result = resumed(shop, "S", "2026-11-21")

    assert made(result) == [("recurring", "2026-11-21", "2026-12-01", 10000)]
    assert shop.violations() == []


def test_nothing_is_charged_while_it_is_paused_and_the_billing_day_stays(shop):
    paused(shop, "S", None, "2027-02-11")
    for day in ("2026-12-01", "2027-01-01", "2027-02-01", "2027-03-01"):
        shop.run(day, today=D(day))

    # 18 of the 28 days of February.
    assert charges_of(shop, "S") == [
        ("2026-11-01", "2026-12-01", 30000),
        ("2027-02-11", "2027-03-01", 19286),
        ("2027-03-01", "2027-04-01", 30000),
    ]
    assert shop.violations() == []


def test_in_arrears_the_days_before_and_after_are_charged(shop):
    paused(shop, "LATER", "2026-11-11", "2026-11-21")
    shop.run("2026-12-01", today=D("2026-12-01"))

    assert charges_of(shop, "LATER") == [
        ("2026-11-01", "2026-11-11", 1000),
        ("2026-11-21", "2026-12-01", 1000),
    ]
    assert shop.violations() == []


def test_a_pause_that_has_not_begun_can_be_taken_back(shop):
    paused(shop, "S", None)
    assert resumed(shop, "S", "2026-11-23").charges == []

    with shop.seen():
        item = Item.objects.get(subscription__external_id="S")
        assert (item.uncharged, item.terms_since, item.monthly_minor) == ("", None, 30000)
        assert EarlierTerms.objects.count() == 0
    shop.run("2026-12-01", today=D("2026-12-01"))
    assert charges_of(shop, "S")[-1] == ("2026-12-01", "2027-01-01", 30000)


def test_it_brings_nothing_and_is_shown_as_paused_while_it_is(shop):
    paused(shop, "S", "2026-12-01", "2027-01-15")
    days = [D(day) for day in ("2026-11-30", "2026-12-01", "2027-01-14", "2027-01-15")]
    account_id = shop.id_of("A")

    found = []
    with shop.seen():
        for day in days:
            one = get_subscription(shop.actor, "ext:S", today=day)
            counts = state_counts(shop.actor, today=day)
            listed = subscriptions(shop.actor, status="paused", today=day)
            found.append(
                (
                    state_of(one, day),
                    counts["paused"],
                    [each.external_id for each in listed],
                    mrr_of(shop.actor, [account_id], day)[account_id].own["EUR"]
                    - mrr_sums(shop.actor, today=day)["EUR"],
                    renewals(shop.actor, [one], day)[one.pk].mrr_minor,
                )
            )

    assert found == [
        (State.ACTIVE, 0, [], 0, 30000),
        (State.PAUSED, 1, ["S"], 0, 0),
        (State.PAUSED, 1, ["S"], 0, 0),
        (State.ACTIVE, 0, [], 0, 30000),
    ]


@pytest.mark.parametrize(
    ("until", "expected"),
    [(None, None), ("2027-02-11", "2027-02-01"), ("2026-12-01", "2027-01-01")],
)
def test_the_next_invoice_is_the_first_after_the_pause(shop, until, expected):
    """From December on; what goes on inside a period is billed with that period."""
    if until == "2026-12-01":
        paused(shop, "S", "2026-11-11", until)
        shop.run("2026-12-01", today=D("2026-12-01"))
    else:
        paused(shop, "S", "2026-12-01", until)
    day = D("2026-12-05")
    with shop.seen():
        one = get_subscription(shop.actor, "ext:S", today=day)
        found = renewals(shop.actor, [one], day)[one.pk].next_invoice_date

    assert found == (D(expected) if expected else None)


def test_a_price_changed_before_a_pause_holds_after_it(shop):
    paused(shop, "S", "2026-12-11", "2026-12-21")
    with shop.seen():
        item = Item.objects.get(subscription__external_id="S")
        new = Price.objects.get(external_id="new")
    change_subscription(
        shop.actor,
        item.subscription_id,
        [ItemChange(item.pk, new.pk)],
        day=D("2026-12-01"),
        today=TODAY,
        now=NOW,
    )
    for day in ("2026-12-01", "2027-01-01"):
        shop.run(day, today=D(day))

    # 10 and 11 of 31 days at 600.00, then the whole month.
    assert charges_of(shop, "S") == [
        ("2026-11-01", "2026-12-01", 30000),
        ("2026-12-01", "2026-12-11", 19355),
        ("2026-12-21", "2027-01-01", 21290),
        ("2027-01-01", "2027-02-01", 60000),
    ]
    assert shop.violations() == []


def test_what_if_a_price_were_another_knows_the_pause(shop):
    """What is foreseen with another price is what the runs bill once it is."""
    paused(shop, "S", "2026-12-11", "2026-12-21")
    with shop.seen():
        item = Item.objects.get(subscription__external_id="S")
        new = Price.objects.get(external_id="new")
        tenant = Tenant.objects.get(pk=shop.tenant_id)
        foreseen = foresee_invoices(
            shop.actor,
            [item.account_id],
            first=TODAY,
            last=D("2027-02-01"),
            what_if=WhatIf(item_changes=(Changing(item.pk, D("2026-12-01"), price=new),)),
            tenant=tenant,
        )
    change = [ItemChange(item.pk, new.pk)]
    change_subscription(
        shop.actor, item.subscription_id, change, day=D("2026-12-01"), today=TODAY, now=NOW
    )
    expected = [(str(one.day), one.net_minor) for one in foreseen.changed]
    for day in ("2026-12-01", "2027-01-01", "2027-02-01"):
        shop.run(day, today=D(day))

    with shop.seen():
        made = Invoice.objects.filter(issue_date__gt=TODAY).order_by("issue_date")
        assert [(str(one.issue_date), one.net_minor) for one in made] == expected


def test_an_end_within_a_pause_credits_nothing_twice(shop):
    paused(shop, "S", "2026-11-11")
    ended = cancel_subscription(
        shop.actor, key_of(shop, "S"), end_date=D("2026-11-16"), today=TODAY, now=NOW
    )

    assert ended.charges == []
    assert shop.violations() == []


def test_a_dry_run_says_what_would_be_and_stores_nothing(shop):
    result = paused(shop, "S", "2026-11-11", is_dry_run=True)

    assert made(result) == [("credit", "2026-11-11", "2026-12-01", -20000)]
    with shop.seen():
        assert not Charge.objects.filter(kind="credit").exists()
        assert not Item.objects.filter(uncharged="paused").exists()


@pytest.mark.parametrize(
    ("name", "day", "until", "refusal"),
    [
        ("S", "2026-10-31", None, ChangeBeforeStart),
        ("ENDS", "2026-12-20", None, ChangeAfterEnd),
        ("S", "2026-12-01", "2026-12-01", PauseTooShort),
        ("S", "2026-12-01", "2200-02-01", PauseTooLong),
    ],
)
def test_refuses_what_cannot_be(shop, name, day, until, refusal):
    with pytest.raises(refusal):
        paused(shop, name, day, until)

    with shop.seen():
        assert not Item.objects.filter(uncharged="paused").exists()


def test_one_pause_at_a_time(shop):
    paused(shop, "S", "2026-12-01", "2027-01-01")
    with pytest.raises(AlreadyPaused):
        paused(shop, "S", "2026-11-25", "2026-11-28")
    with pytest.raises(NotPaused):
        resumed(shop, "S", "2027-01-01")
    paused(shop, "S", "2027-02-01")


def test_only_who_may_change_subscriptions_pauses_them(shop, bob, charlie):
    with pytest.raises(Forbidden):
        paused(shop, "S", "2026-12-01", actor=bob("A"))
    with pytest.raises(NotFound):
        paused(shop, "S", "2026-12-01", actor=charlie)
