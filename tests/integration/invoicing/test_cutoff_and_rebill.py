"""Parts too short for an invoice of their own, and periods that end early for a common date."""

from datetime import date

import pytest

from invoicing.models import ChangePlan, Charge, InvoiceLine
from invoicing.operations.plans.aligning_jobs import work_on_alignment
from invoicing.operations.plans.applying import carry_out_due_plans
from invoicing.operations.plans.renewals import align_renewals
from invoicing.operations.subscriptions.pausing import pause_subscription
from invoicing.queries.plans.preview import preview_plan
from invoicing.queries.plans.wanted import Alignment, Wanted
from subscriptions.models import Subscription
from tenancy.models import Tenant
from tests.scenes import scene
from tests.world import NOW, account, price, subscription

D = date.fromisoformat


@scene
def shop(vendor):
    """Parts of up to 14 days are no period of their own; A is billed on the 15th, N on its days."""
    vendor.has(
        "accounts",
        account("A", billing_day=15, proration_cutoff_days=14),
        account("N", proration_cutoff_days=14),
    )
    vendor.has(
        "prices",
        price("pro", "310", tax_rate=19),
        price("later", "310", timing="arrears", tax_rate=19),
    )
    return vendor


def sells(shop, *rows, today="2026-10-01"):
    shop.has("subscriptions", *rows, today=D(today))


def aligned(shop, key, day, billing_day, today=None):
    what = Wanted(
        "alignment", shop.id_of(key), D(day), alignment=Alignment(billing_day, method="rebill")
    )
    with shop.seen():
        shown = preview_plan(
            shop.actor, what, today=D(today or day), tenant=Tenant.objects.get(pk=shop.tenant_id)
        ).shown
    plan, _rows = align_renewals(shop.actor, what, today=D(today or day), now=NOW)
    if plan.status == ChangePlan.Status.APPLYING:
        while work_on_alignment(shop.actor, plan.job_id, now=NOW):
            pass
    return [(one["after"]["date"], one["after"]["net_minor"]) for one in shown["billing"]]


def run(shop, *days):
    for day in days:
        shop.run(day, today=D(day))


def documents(shop):
    """Return the documents by their day, each with its lines: first and last day, net."""
    found = {}
    with shop.seen():
        rows = InvoiceLine.objects.exclude(invoice__number=None).select_related("invoice")
        for line in rows.order_by("period_start", "net_minor"):
            said = (f"{line.period_start:%m-%d}", f"{line.period_end:%m-%d}", line.net_minor)
            found.setdefault(str(line.invoice.issue_date), []).append(said)
    return found


@pytest.mark.parametrize("at_once", [500, 0], ids=["at once", "by a job"])
def test_a_part_that_waits_comes_with_the_full_period_that_begins_earlier(
    shop, at_once, monkeypatch
):
    """1-15 November, 140.00, waits for the 15th. Renewed on the 10th: 5 days are 50.00 back."""
    monkeypatch.setattr("invoicing.operations.plans.aligning.AT_ONCE", at_once)
    sells(shop, subscription("S", "A", "pro", "2026-11-01"))
    run(shop, "2026-11-01", "2026-11-05")
    shown = aligned(shop, "A", "2026-11-05", 10)
    with shop.seen():
        days = {
            (str(one.due_date), str(one.invoice_on), one.reason["invoice_on"])
            for one in Charge.objects.all()
        }
    run(shop, "2026-11-05", "2026-11-10", "2026-11-15", "2026-12-10")

    assert shown == [("2026-11-10", 40000)]
    assert days == {("2026-11-10", "2026-11-10", "2026-11-10")}
    assert documents(shop) == {
        "2026-11-10": [("11-01", "11-15", 14000), ("11-10", "11-15", -5000),
                       ("11-10", "12-10", 31000)],
        "2026-12-10": [("12-10", "01-10", 31000)],
    }  # fmt: skip
    assert shop.violations() == []


def test_a_part_that_is_still_to_begin_does_so_too(shop):
    """The same, asked for on 30 October and carried out on 5 November."""
    sells(shop, subscription("S", "A", "pro", "2026-11-01"))
    shown = aligned(shop, "A", "2026-11-05", 10, today="2026-10-30")
    run(shop, "2026-11-01")
    (done,) = carry_out_due_plans(shop.actor, day=D("2026-11-05"), now=NOW)
    run(shop, "2026-11-10", "2026-11-15", "2026-12-10")

    assert (done.status, shown) == (ChangePlan.Status.APPLIED, [("2026-11-10", 40000)])
    assert {day: len(lines) for day, lines in documents(shop).items()} == {
        "2026-11-10": 3, "2026-12-10": 1,
    }  # fmt: skip
    assert shop.violations() == []


def test_what_is_paused_of_a_part_that_waits_keeps_it_from_no_document(shop):
    """1-8 November, 70.00, is charged of it: nothing is credited, and it comes earlier too."""
    sells(shop, subscription("S", "A", "pro", "2026-11-01"))
    with shop.seen():
        key = Subscription.objects.get().pk
    pause_subscription(
        shop.actor, key, day=D("2026-11-08"), until=D("2026-12-10"), today=D("2026-10-30"), now=NOW
    )
    run(shop, "2026-11-01", "2026-11-05")
    aligned(shop, "A", "2026-11-05", 10)
    run(shop, "2026-11-05", "2026-11-10", "2026-11-15", "2026-12-10")

    assert documents(shop) == {
        "2026-11-10": [("11-01", "11-08", 7000)],
        "2026-12-10": [("12-10", "01-10", 31000)],
    }
    assert shop.violations() == []


def test_in_arrears_it_comes_with_the_period_that_ends_earlier(shop):
    """1-15 November waits for 15 December; the period after it ends on the 10th already."""
    sells(shop, subscription("L", "A", "later", "2026-11-01"))
    run(shop, "2026-11-15", "2026-11-20")
    shown = aligned(shop, "A", "2026-11-20", 10)
    run(shop, "2026-11-20", "2026-12-10", "2026-12-15", "2027-01-10")

    # 25 of 30 days are 258.33.
    assert shown == [("2026-12-10", 14000 + 25833)]
    assert documents(shop) == {
        "2026-12-10": [("11-01", "11-15", 14000), ("11-15", "12-10", 25833)],
        "2027-01-10": [("12-10", "01-10", 31000)],
    }
    assert shop.violations() == []


def test_days_up_to_a_date_beyond_the_period_wait_for_it(shop):
    """8-20 November, 12 of 31 days: 120.00, one line pair with the full period after it."""
    sells(
        shop,
        subscription("S", "N", "pro", "2026-10-08"),
        subscription("L", "N", "later", "2026-10-08"),
    )
    run(shop, "2026-10-08", "2026-11-05")
    shown = aligned(shop, "N", "2026-11-05", 20)
    run(shop, "2026-11-05", "2026-11-08", "2026-11-20", "2026-12-20")

    assert shown == [("2026-11-20", 74000)]
    assert documents(shop) == {
        "2026-10-08": [("10-08", "11-08", 31000)],
        "2026-11-20": [("10-08", "11-08", 31000), ("11-08", "11-20", 12000),
                       ("11-20", "12-20", 31000)],
        "2026-12-20": [("11-08", "11-20", 12000), ("11-20", "12-20", 31000),
                       ("12-20", "01-20", 31000)],
    }  # fmt: skip
    assert shop.violations() == []


def test_a_period_that_ended_early_was_no_short_part(shop):
    """1-10 November is what is left of a full period: it is not charged a second time, nor late."""
    sells(
        shop,
        subscription("S", "N", "pro", "2026-11-01"),
        subscription("L", "N", "later", "2026-11-01"),
    )
    run(shop, "2026-11-01", "2026-11-05")
    shown = aligned(shop, "N", "2026-11-05", 10)
    run(shop, "2026-11-10", "2026-12-01", "2026-12-10")

    assert shown == [("2026-11-10", 9300 - 21700 + 31000)]
    assert documents(shop) == {
        "2026-11-01": [("11-01", "12-01", 31000)],
        "2026-11-10": [("11-01", "11-10", 9300), ("11-10", "12-01", -21700),
                       ("11-10", "12-10", 31000)],
        "2026-12-10": [("11-10", "12-10", 31000), ("12-10", "01-10", 31000)],
    }  # fmt: skip
    assert shop.violations() == []
