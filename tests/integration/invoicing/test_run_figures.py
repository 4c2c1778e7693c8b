"""What a run is compared with."""

from invoicing.queries.run_comparison import comparison_of
from tests.scenes import scene
from tests.world import account, price, subscription


@scene
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


def test_compares_each_recipient_with_its_own_previous_document(vendor):
    """A quarterly customer between monthly ones is neither gone in between nor new afterwards."""
    vendor.has("accounts", account("M", billing_day=1), account("Q", billing_day=1))
    vendor.has("prices", price("ten", "10"), price("thirty", "30", interval="quarter"))
    vendor.has(
        "subscriptions",
        subscription("S1", "M", "ten", "2026-09-01"),
        subscription("S2", "Q", "thirty", "2026-09-01"),
    )
    for day in ("2026-09-01", "2026-10-01", "2026-11-01"):
        run = vendor.run(day).run
        if day != "2026-09-01":
            assert compared(vendor, run) == {}
    vendor.has("subscriptions", subscription("S3", "Q", "ten", "2026-12-01"))

    run = vendor.run("2026-12-01").run

    with vendor.seen():
        found = comparison_of(vendor.actor, run)
    (change,) = found.top
    assert (change.name, change.before_minor, change.after_minor) == ("Q", 3000, 4000)
    assert change.before_on.isoformat() == "2026-09-01"
    assert (found.new, found.gone, found.changed) == (0, 0, 1)
    assert found.sums == {"EUR": (4000, 5000)}


def test_says_once_that_somebody_is_gone_and_of_arrears_a_period_later(vendor):
    vendor.has("accounts", account("M", billing_day=1), account("R", billing_day=1))
    vendor.has("prices", price("ten", "10"), price("late", "7", timing="arrears"))
    vendor.has(
        "subscriptions",
        subscription("S1", "M", "ten", "2026-09-01"),
        subscription("S2", "R", "late", "2026-09-01", end_date="2026-10-01"),
    )
    vendor.run("2026-09-01")
    said = {day: compared(vendor, vendor.run(day).run) for day in ("2026-10-01", "2026-11-01")}
    later = compared(vendor, vendor.run("2026-12-01").run)

    assert said == {"2026-10-01": {"R": (None, 700)}, "2026-11-01": {"R": (700, None)}}
    assert later == {}


def test_keeps_currencies_apart(vendor):
    vendor.has("accounts", account("M", billing_day=1))
    vendor.has("prices", price("ten", "10"), price("franc", "9", currency="CHF"))
    vendor.has("subscriptions", subscription("S1", "M", "ten", "2026-09-01"))
    vendor.run("2026-09-01")
    vendor.has("subscriptions", subscription("S2", "M", "franc", "2026-10-01"))
    run = vendor.run("2026-10-01").run

    with vendor.seen():
        found = comparison_of(vendor.actor, run)
    assert [(c.currency, c.before_minor, c.after_minor) for c in found.top] == [("CHF", None, 900)]
    assert found.sums == {"EUR": (1000, 1000), "CHF": (0, 900)}
