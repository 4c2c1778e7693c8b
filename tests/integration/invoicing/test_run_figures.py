"""What a run is compared with."""

import pytest

from invoicing.queries.run_comparison import comparison_of
from tests.world import account, price, subscription


@pytest.fixture
def billed(vendor):
    """Two companies that are billed every month, the first time in November."""
    vendor.has("accounts", account("A", billing_day=1), account("B", billing_day=1))
    vendor.has("prices", price("ten", "10"), price("five", "5"))
    vendor.has(
        "subscriptions",
        subscription("S1", "A", "ten", "2026-11-01"),
        subscription("S2", "B", "five", "2026-11-01"),
        subscription("S3", "A", "five", "2026-12-01"),
    )
    vendor.run("2026-11-01")
    return vendor


def compared(vendor, run):
    with vendor.seen():
        found = comparison_of(vendor.actor, run)
    return found and {
        change.name: (change.before_minor, change.after_minor) for change in found.top
    }


def test_compares_a_whole_run_with_all_of_the_one_before(billed):
    run = billed.run("2026-12-01").run

    assert compared(billed, run) == {"A": (1000, 1500)}


def test_compares_a_run_of_a_subtree_with_the_same_subtree(billed):
    run = billed.run("2026-12-01", within="A").run

    assert compared(billed, run) == {"A": (1000, 1500)}


def test_says_who_is_gone(billed):
    with billed.seen():
        from subscriptions.models import Subscription

        Subscription.objects.filter(external_id="S2").update(end_date="2026-12-01")
    run = billed.run("2026-12-01").run

    assert compared(billed, run)["B"] == (500, None)
