"""What is taken back as a whole before it was invoiced stands on no document."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from billing_rules.periods import Interval, Unit
from invoicing.models import BillingRun, Charge, Invoice, InvoiceLine
from invoicing.operations.pools.beginning import NewPool, begin_pool
from invoicing.operations.prices.beginning import begin_version
from invoicing.operations.prices.working import work_on_repricing
from invoicing.operations.runs.approving import DraftsChanged, approve_drafts
from invoicing.operations.runs.changed import compare_drafts, refresh_drafts
from invoicing.operations.runs.discarding import discard_drafts, release_charges
from invoicing.operations.subscriptions.changing import change_subscription
from invoicing.operations.subscriptions.pausing import pause_subscription, resume_subscription
from invoicing.operations.subscriptions.replanning import change_plan
from invoicing.operations.subscriptions.wanting import ItemAddition, ItemChange
from invoicing.queries.charges import charges, explanation_of
from invoicing.queries.first_invoices import first_invoice_days
from invoicing.queries.foreseeing import foresee_invoices
from invoicing.queries.previewed_run import preview_run
from invoicing.queries.upcoming import upcoming_invoices
from subscriptions.models import Item, Price, Subscription
from subscriptions.operations.catalogue import NewVersion
from subscriptions.operations.catalogue.meters import NewMeter, create_meter
from subscriptions.operations.plans.checking import NewPlan, NewPlanItem
from subscriptions.operations.plans.keeping import create_plan
from subscriptions.operations.plans.starting import PlanChoice
from subscriptions.operations.usage import NewUsage, report_usage
from tenancy.models import Tenant
from tests.scenes import scene
from tests.world import NOW, account, lines_of, make_vendor, price, subscription

D = date.fromisoformat
DAY, TODAY = D("2026-12-01"), D("2026-12-05")


@scene
def shop(vendor):
    """A pays 249.95 from 1 December, on a draft of that day; B beside it 100.00."""
    vendor.has("accounts", account("G", billing_day=1), account("A", "G"), account("B", "G"))
    vendor.has(
        "prices",
        price("wrong", "249.95", tax_rate=19),
        price("right", "599.95", tax_rate=19),
        price("other", "100", tax_rate=19),
        price("seat", "10", model="per_unit", tax_rate=19),
    )
    vendor.has(
        "subscriptions",
        subscription("S", "A", "wrong", DAY.isoformat()),
        subscription("T", "B", "other", DAY.isoformat()),
    )
    vendor.run(DAY, issue=False, today=DAY)
    return vendor


def key_of(shop, key="S"):
    with shop.seen():
        return Subscription.objects.get(external_id=key).pk


def price_of(shop, key):
    with shop.seen():
        return Price.objects.get(external_id=key).pk


def changed(shop, to, key="S", day=DAY, today=TODAY):
    with shop.seen():
        item = Item.objects.filter(subscription__external_id=key).earliest("id")
    wanted = [ItemChange(item.pk, price_of(shop, to), Decimal(1))]
    return change_subscription(
        shop.actor, item.subscription_id, wanted, day=day, today=today, now=NOW
    )


def on_drafts(shop):
    with shop.seen():
        rows = InvoiceLine.objects.filter(invoice__status="to_approve")
        return sorted(rows.values_list("net_minor", flat=True))


def offset(shop):
    with shop.seen():
        rows = Charge.objects.filter(status="offset")
        return sorted(rows.values_list("net_minor", flat=True))


def tenant_of(shop):
    return Tenant.objects.get(pk=shop.tenant_id)


def foreseen(shop, first=TODAY, last=date(2027, 3, 15)):
    with shop.seen():
        found = foresee_invoices(
            shop.actor, [shop.id_of("G")], first=first, last=last, tenant=tenant_of(shop)
        )
    return [(one.day, one.net_minor, one.line_count) for one in found.stored]


def billed(shop, *days):
    """Issue what runs of some days make; return days, sums and numbers of lines."""
    found = []
    for day in days or (TODAY, D("2027-01-01"), D("2027-02-01"), D("2027-03-01")):
        for one in shop.bills(day, today=day):
            found.append((day, one["net_minor"], len(lines_of(one))))
    return found


def plan_of(shop, name, *keys):
    items = [NewPlanItem(price_of(shop, key)) for key in keys]
    return create_plan(shop.actor, NewPlan(name=name, items=items), now=NOW)


def another_plan(shop):
    plan = plan_of(shop, "Right", "right")
    choice = PlanChoice(plan.pk, "EUR", Interval(Unit.MONTH))
    change_plan(shop.actor, key_of(shop), choice, day=DAY, today=TODAY, now=NOW)


def paused(shop):
    pause_subscription(shop.actor, key_of(shop), day=DAY, until=None, today=TODAY, now=NOW)


def repriced(shop):
    wanted = NewVersion(DAY, {"unit_amount": Decimal("599.95")})
    _version, job = begin_version(shop.actor, price_of(shop, "wrong"), wanted, today=TODAY, now=NOW)
    work_on_repricing(shop.actor, job.pk, now=NOW)


def swapped(shop):
    with shop.seen():
        item = Item.objects.get(subscription__external_id="S")
    wanted = [
        ItemChange(item.pk, is_removed=True),
        ItemAddition(price_of(shop, "right"), Decimal(1)),
    ]
    change_subscription(shop.actor, item.subscription_id, wanted, day=DAY, today=TODAY, now=NOW)


@pytest.mark.parametrize(
    ("act", "left"),
    [
        (lambda shop: changed(shop, "right"), [10000, 59995]),
        (another_plan, [10000, 59995]),
        (paused, [10000]),
        (repriced, [10000, 59995]),
        # What comes in waits for the common date, as ever.
        (swapped, [10000]),
    ],
    ids=["another price", "another plan", "a pause", "a price version", "another item"],
)
def test_neither_stands_on_the_draft_that_is_made_anew(shop, act, left):
    act(shop)
    refresh_drafts(shop.actor, now=NOW)

    assert on_drafts(shop) == left
    assert offset(shop) == [-24995, 24995]
    assert shop.violations() == []
    expected = foreseen(shop)
    assert billed(shop) == expected
    assert shop.violations() == []


def test_a_draft_of_which_nothing_is_left_is_gone_and_its_run_done(shop):
    for key in ("S", "T"):
        pause_subscription(shop.actor, key_of(shop, key), day=DAY, until=None, today=TODAY, now=NOW)
    with shop.seen():
        draft, run = Invoice.objects.get(), BillingRun.objects.get()
        compared = compare_drafts(shop.actor, run, tenant=tenant_of(shop))
        assert compared.changed == (draft.pk,)

    with pytest.raises(DraftsChanged):
        approve_drafts(shop.actor, run.pk, {draft.pk: draft.content_hash}, today=TODAY, now=NOW)

    with shop.seen():
        assert not Invoice.objects.exists()
        assert BillingRun.objects.get().status == BillingRun.Status.DONE
    assert offset(shop) == [-24995, -10000, 10000, 24995]
    assert billed(shop) == foreseen(shop) == []
    assert shop.violations() == []


def test_what_is_owed_again_is_charged_again_on_the_same_draft(shop):
    paused(shop)
    refresh_drafts(shop.actor, now=NOW)
    assert on_drafts(shop) == [10000]

    resume_subscription(shop.actor, key_of(shop), day=DAY, today=TODAY, now=NOW)
    refresh_drafts(shop.actor, now=NOW)

    assert on_drafts(shop) == [10000, 24995]
    assert offset(shop) == [-24995, 24995]
    expected = foreseen(shop)
    assert billed(shop) == expected
    assert shop.violations() == []


def test_what_is_owed_again_once_the_draft_was_issued_comes_with_the_next_run(shop):
    paused(shop)
    assert billed(shop, TODAY) == [(TODAY, 10000, 1)]

    resume_subscription(shop.actor, key_of(shop), day=DAY, today=D("2026-12-10"), now=NOW)

    expected = foreseen(shop, first=D("2026-12-11"), last=D("2026-12-31"))
    assert billed(shop, D("2026-12-11")) == expected == [(D("2026-12-11"), 24995, 1)]
    assert offset(shop) == [-24995, 24995]
    assert shop.violations() == []


def test_what_was_taken_back_in_parts_is_gone_once_nothing_of_it_is_left(shop):
    changed(shop, "right", day=D("2026-12-10"))
    refresh_drafts(shop.actor, now=NOW)
    assert on_drafts(shop) == [-17738, 10000, 24995, 42577]

    changed(shop, "right")
    refresh_drafts(shop.actor, now=NOW)

    # The days from the 10th on are charged as they should be already: they stay.
    assert on_drafts(shop) == [10000, 17418, 42577]
    assert offset(shop) == [-17738, -7257, 24995]
    assert shop.violations() == []


def test_what_was_issued_keeps_its_credit(shop):
    billed(shop, TODAY)
    changed(shop, "right", today=D("2026-12-10"))

    [january] = shop.bills("2027-01-01", today=D("2027-01-01"))

    assert sorted(one[3] for one in lines_of(january)) == [-24995, 10000, 59995, 59995]
    assert offset(shop) == []


def test_what_never_came_on_a_draft_is_on_none(shop):
    """Seats come in for the rest of the month and go again; both wait for January."""
    billed(shop, TODAY)
    seat = [ItemAddition(price_of(shop, "seat"), Decimal(4))]
    come = D("2026-12-11")
    change_subscription(shop.actor, key_of(shop), seat, day=come, today=come, now=NOW)
    with shop.seen():
        item = Item.objects.get(price__external_id="seat")
    gone = [ItemChange(item.pk, is_removed=True)]
    change_subscription(shop.actor, key_of(shop), gone, day=come, today=come, now=NOW)
    pause_subscription(
        shop.actor, key_of(shop), day=D("2027-01-01"), until=None, today=come, now=NOW
    )

    january = D("2027-01-01")
    with shop.seen():
        assert first_invoice_days(shop.actor, [key_of(shop)]) == {}
        preview = preview_run(
            shop.actor, run_date=january, within=None, tenant=tenant_of(shop), now=NOW
        )
        upcoming = upcoming_invoices(
            shop.actor, shop.id_of("G"), tenant=tenant_of(shop), today=january, now=NOW
        )
    assert (preview.lines, preview.held, dict(preview.net_minor)) == (1, 0, {"EUR": 10000})
    assert [(one.net_minor, one.line_count) for one in upcoming.documents] == [(10000, 1)]
    assert billed(shop, january) == [(january, 10000, 1)]
    assert offset(shop) == [-2710, 2710]
    assert shop.violations() == []


def test_says_where_it_stands_and_why(shop):
    paused(shop)
    refresh_drafts(shop.actor, now=NOW)

    with shop.seen():
        credit, charge = charges(shop.actor, status="offset")
        sentences = [explanation_of(shop.actor, one).sentence for one in (charge, credit)]
    assert sentences == [
        "It was taken back as a whole before it was invoiced: neither it nor what takes it back"
        " stands on a document.",
        "It takes back the whole of what had not been invoiced yet: neither stands on a document.",
    ]
    assert (charge.reason["code"], charge.reason["bill_to"]["name"]) == ("offset", "G")


def test_a_free_day_taken_back_in_part_keeps_its_line(shop):
    """A charge of 0.00 comes to nothing with any credit: its days say what is left."""
    shop.has("prices", price("free", "0", tax_rate=19))
    shop.has("subscriptions", subscription("F", "B", "free", DAY.isoformat()))
    shop.run(TODAY, issue=False, today=TODAY)
    changed(shop, "right", key="F", day=D("2026-12-17"))
    refresh_drafts(shop.actor, now=NOW)

    assert on_drafts(shop) == [0, 0, 10000, 24995, 29030]
    assert offset(shop) == []


# -- held back -------------------------------------------------------------------------------


def held_back(shop, until=None):
    """Take S and T off their draft, and hold S back."""
    with shop.seen():
        draft = Invoice.objects.get(status="to_approve")
    discard_drafts(
        shop.actor, [draft.pk], reason="Wrong", hold=True, until=until, today=TODAY, now=NOW
    )
    with shop.seen():
        of_t = Charge.objects.filter(subscription__external_id="T")
        of_t.update(is_held=False, held_until=None)


@pytest.mark.parametrize("until", [None, date(2027, 1, 20)], ids=["for good", "until a day"])
def test_what_is_held_back_and_taken_back_as_a_whole_is_held_no_longer(shop, until):
    held_back(shop, until)
    changed(shop, "right")

    expected = foreseen(shop)
    assert billed(shop) == expected
    assert expected[0] == (TODAY, 59995 + 10000, 2)
    assert offset(shop) == [-24995, 24995]
    with shop.seen():
        assert not Charge.objects.filter(is_held=True).exists()
    assert shop.violations() == []


@pytest.mark.parametrize("until", [None, date(2027, 1, 20)], ids=["for good", "until a day"])
def test_what_takes_back_a_part_of_what_is_held_back_waits_with_it(shop, until):
    held_back(shop, until)
    changed(shop, "right", day=D("2026-12-10"))

    expected = foreseen(shop)
    days = ("2026-12-05", "2027-01-01", "2027-01-20", "2027-02-01", "2027-03-01")
    assert billed(shop, *map(D, days)) == expected
    # The days from the 10th on are charged, and nothing is credited that was not invoiced.
    assert expected[0] == (TODAY, 42577 + 10000, 2)
    assert sum(net for _day, net, _lines in expected) == (
        42577 + 10000 + 3 * (59995 + 10000) + (24995 - 17738 if until else 0)
    )
    if until is None:
        release_charges(shop.actor, shop.id_of("G"), now=NOW)
        assert billed(shop, D("2027-03-02")) == [(D("2027-03-02"), 24995 - 17738, 2)]
    assert offset(shop) == []
    assert shop.violations() == []


# -- usage -----------------------------------------------------------------------------------


@pytest.fixture
def metered(db):
    """SA and SB of a pool of 0.50 a call, SC by itself with 31.00 at least: all on a draft."""
    vendor = make_vendor(clock=D("2026-03-01"))
    vendor.has("accounts", account("G", billing_day=1), account("A", "G"), account("B", "G"),
               account("C", billing_day=1))  # fmt: skip
    create_meter(vendor.actor, NewMeter("calls", "Calls", "sum"), now=NOW)
    calls = {"model": "per_unit", "timing": "arrears", "meter": "calls"}
    vendor.has("prices", price("calls", "0.50", **calls),
               price("least", "0.50", minimum_amount="31", **calls))  # fmt: skip
    vendor.has("subscriptions", subscription("SA", "A", "calls", "2026-01-01"),
               subscription("SB", "B", "calls", "2026-01-01"),
               subscription("SC", "C", "least", "2026-01-01"))  # fmt: skip
    wanted = NewPool(price_of(vendor, "calls"), D("2026-01-01"))
    begin_pool(vendor.actor, vendor.id_of("G"), wanted, today=D("2026-01-01"), now=NOW)
    used(vendor, "SA", 60)
    used(vendor, "SB", 60)
    used(vendor, "SC", 20)
    vendor.run("2026-02-01", issue=False, today=D("2026-02-01"))
    assert on_drafts(vendor) == [1000, 2100, 3000, 3000]
    return vendor


_COUNT = iter(range(10**9))


def used(vendor, of, quantity):
    at = datetime(2026, 1, 10, 10, tzinfo=UTC)
    one = NewUsage(f"e{next(_COUNT)}", f"ext:{of}", "ext:calls", Decimal(quantity), at)
    report_usage(vendor.actor, [one], today=D("2026-02-02"), now=NOW)


def test_late_usage_replaces_shares_of_a_pool_and_what_made_up_a_minimum(metered):
    used(metered, "SB", 20)
    used(metered, "SC", 10)

    metered.run("2026-02-02", issue=False, today=D("2026-02-02"))

    # Together 140 calls cost 70.00; C's 30 cost 15.00, and 16.00 are missing.
    assert on_drafts(metered) == [1500, 1600, 3000, 4000]
    assert metered.violations() == []
    assert offset(metered) == [-3000, -2100, -1000, 1000, 2100, 3000]


def test_another_price_replaces_what_made_up_a_minimum_on_the_draft(metered):
    metered.has("prices", price("more", "1.00", model="per_unit", timing="arrears", meter="calls",
                minimum_amount="31"))  # fmt: skip
    changed(metered, "more", key="SC", day=D("2026-01-01"), today=D("2026-02-02"))
    refresh_drafts(metered.actor, now=NOW)

    assert on_drafts(metered) == [1100, 2000, 3000, 3000]
    assert offset(metered) == [-2100, -1000, 1000, 2100]
    assert metered.violations() == []
