"""A subscription that is tried first: nothing before the end of the trial is charged."""

from datetime import date
from decimal import Decimal

import pytest

from billing_rules.subscription_states import State
from invoicing.models import Charge
from invoicing.operations.subscriptions.ending import cancel_subscription
from subscriptions.models import Price, Subscription
from subscriptions.operations.subscriptions.creating import (
    InvalidSubscription,
    NewItem,
    NewSubscription,
    create_subscription,
)
from subscriptions.queries.mrr import mrr_of
from subscriptions.queries.renewals import renewals
from subscriptions.queries.subscriptions import get_subscription, state_counts, state_of
from tests.scenes import scene
from tests.world import NOW, TODAY, account, price

D = date.fromisoformat


@scene
def shop(vendor):
    """G is invoiced on the 1st, F on the anniversaries of what it has."""
    vendor.has("accounts", account("G", billing_day=1), account("F"))
    vendor.has("prices", price("month", "300", tax_rate=19))
    return vendor


def tried(shop, key, *, days=14, start="2026-11-01"):
    with shop.seen():
        price_id = Price.objects.get().pk
    wanted = NewSubscription(
        [NewItem(price_id, Decimal(1))], D(start), trial_days=days, external_id="S"
    )
    return create_subscription(shop.actor, shop.id_of(key), wanted, now=NOW)


def charges_of(shop):
    with shop.seen():
        return [
            (str(one.period_start), str(one.period_end), one.net_minor)
            for one in Charge.objects.order_by("period_start")
        ]


def test_a_whole_period_begins_after_the_trial(shop):
    tried(shop, "F")
    shop.run("2026-11-23")

    assert charges_of(shop) == [("2026-11-15", "2026-12-15", 30000)]
    assert shop.violations() == []


def test_with_a_billing_day_the_part_up_to_it_is_charged(shop):
    """16 of 30 days of 300.00."""
    tried(shop, "G")
    shop.run("2026-12-01", today=D("2026-12-01"))

    assert charges_of(shop) == [
        ("2026-11-15", "2026-12-01", 16000),
        ("2026-12-01", "2027-01-01", 30000),
    ]
    assert shop.violations() == []


def test_it_brings_nothing_and_is_shown_as_tried_until_then(shop):
    tried(shop, "F")
    account_id = shop.id_of("F")

    found = []
    with shop.seen():
        for day in (D("2026-10-31"), D("2026-11-14"), D("2026-11-15")):
            one = get_subscription(shop.actor, "ext:S", today=day)
            coming = renewals(shop.actor, [one], day)[one.pk]
            found.append(
                (
                    state_of(one, day),
                    state_counts(shop.actor, today=day)["trialing"],
                    mrr_of(shop.actor, [account_id], day)[account_id].own.get("EUR", 0),
                    coming.mrr_minor,
                    coming.period and str(coming.period.end),
                )
            )

    assert found == [
        (State.FUTURE, 0, 0, 0, None),
        (State.TRIALING, 1, 0, 0, "2026-11-15"),
        (State.ACTIVE, 0, 30000, 30000, "2026-12-15"),
    ]


def test_ended_within_its_trial_it_costs_nothing(shop):
    made = tried(shop, "F", start="2026-11-20")
    ended = cancel_subscription(shop.actor, made.pk, end_date=D("2026-11-30"), today=TODAY, now=NOW)
    shop.run("2026-12-15", today=D("2026-12-15"))

    assert (ended.charges, charges_of(shop)) == ([], [])
    assert shop.violations() == []


def test_ends_with_its_trial_where_no_day_is_named(shop):
    made = tried(shop, "F", start="2026-11-20")
    ended = cancel_subscription(shop.actor, made.pk, end_date=None, today=TODAY, now=NOW)

    assert ended.end_date == D("2026-12-04")


@pytest.mark.parametrize("days", [0, -1, 3651])
def test_refuses_a_trial_that_cannot_be(shop, days):
    with pytest.raises(InvalidSubscription) as refusal:
        tried(shop, "F", days=days)

    assert [one.pointer for one in refusal.value.errors] == ["/trial_days"]
    with shop.seen():
        assert not Subscription.objects.exists()
