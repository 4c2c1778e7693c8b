"""What a period of what is metered costs at least: what is missing is charged when it ends."""

from datetime import UTC, date, datetime
from decimal import Decimal
from random import Random

import pytest

from invoicing.models import Charge, InvoiceLine
from invoicing.operations.pools.beginning import NewPool, begin_pool
from invoicing.operations.subscriptions.ending import cancel_subscription
from invoicing.queries.upcoming import upcoming_invoices
from subscriptions.models import Item, Price, Subscription
from subscriptions.operations.catalogue import NewPrice, create_price
from subscriptions.operations.catalogue.checking import InvalidPrice
from subscriptions.operations.catalogue.meters import NewMeter, create_meter
from subscriptions.operations.usage import NewUsage, report_usage
from tenancy.models import Tenant
from tests.world import NOW, account, make_vendor, price, subscription

pytestmark = pytest.mark.django_db(transaction=True)
_COUNT = iter(range(10**9))


@pytest.fixture
def vendor():
    vendor = make_vendor(clock=date(2026, 3, 1))
    vendor.has("accounts", account("A", billing_day=1))
    create_meter(vendor.actor, NewMeter("calls", "Calls", "sum"), now=NOW)
    vendor.has("prices", price("calls", "0.50", model="per_unit", timing="arrears", meter="calls",
               minimum_amount="31"))  # fmt: skip
    vendor.has("subscriptions", subscription("S", "A", "calls", "2026-01-01"))
    return vendor


def used(vendor, quantity, day, of="S", today=date(2026, 3, 1)):
    at = datetime.fromisoformat(f"{day}T10:00").replace(tzinfo=UTC)
    one = NewUsage(f"e{next(_COUNT)}", f"ext:{of}", "ext:calls", Decimal(quantity), at)
    report_usage(vendor.actor, [one], today=today, now=NOW)


def charges(vendor):
    with vendor.seen():
        found = Charge.objects.order_by("period_start", "revision", "kind", "id")
        return [(one.kind, f"{one.period_start}", one.net_minor) for one in found]


def test_charges_what_is_missing_at_the_end_of_a_period(vendor):
    used(vendor, 20, "2026-01-10")
    used(vendor, 62, "2026-02-10")
    with vendor.seen():
        tenant = Tenant.objects.get(pk=vendor.tenant_id)
        next_one = upcoming_invoices(
            vendor.actor, vendor.id_of("A"), tenant=tenant, today=date(2026, 1, 15), now=NOW
        )

    vendor.run("2026-02-01")
    vendor.run("2026-03-01")
    vendor.run("2026-04-01")

    # January uses 10.00 of 31.00; February just as much as that; March nothing.
    assert charges(vendor) == [
        ("commitment", "2026-01-01", 2100), ("recurring", "2026-01-01", 1000),
        ("recurring", "2026-02-01", 3100),
        ("commitment", "2026-03-01", 3100), ("recurring", "2026-03-01", 0),
    ]  # fmt: skip
    assert [one.net_minor for one in next_one.documents] == [3100]
    with vendor.seen():
        line = InvoiceLine.objects.select_related("charge").get(
            charge__kind="commitment", period_start=date(2026, 1, 1)
        )
        assert Item.objects.get().monthly_minor == 0
    assert line.description == "Mindestabnahme: Calls"
    said = line.charge.calculation["commitment"]
    assert (said["minimum"], said["least_minor"], said["used_minor"]) == ("31", 3100, 1000)
    assert vendor.violations() == []
    assert vendor.bills("2026-04-01") == []


def test_a_part_of_a_period_has_its_part_of_the_minimum(vendor):
    vendor.has("subscriptions", subscription("T", "A", "calls", "2026-01-22"))

    vendor.run("2026-02-01")

    # 10 of 31 days.
    assert ("commitment", "2026-01-22", 1000) in charges(vendor)
    assert vendor.violations() == []


def test_late_usage_takes_back_what_is_not_missing_any_more(vendor):
    used(vendor, 20, "2026-01-10")
    vendor.run("2026-02-01")
    used(vendor, 10, "2026-01-11", today=date(2026, 2, 2))
    vendor.run("2026-03-01")

    january = [(kind, net) for kind, start, net in charges(vendor) if start == "2026-01-01"]
    assert sorted(january) == [
        ("commitment", 1600), ("commitment", 2100), ("credit", -2100), ("credit", -1000),
        ("recurring", 1000), ("recurring", 1500),
    ]  # fmt: skip
    assert vendor.violations() == []
    used(vendor, 200, "2026-01-12", today=date(2026, 3, 1))
    vendor.run("2026-04-01")
    left = sum(net for _kind, start, net in charges(vendor) if start == "2026-01-01")
    assert left == 11500
    assert vendor.violations() == []


def test_an_end_in_the_past_lowers_the_minimum_to_the_days_served(vendor):
    used(vendor, 20, "2026-01-05")
    vendor.run("2026-02-01")
    with vendor.seen():
        key = Subscription.objects.get().pk
    cancel_subscription(
        vendor.actor, key, end_date=date(2026, 1, 16), today=date(2026, 2, 1), now=NOW
    )

    # 15 of 31 days are 15.00 at least.
    assert sum(net for _kind, _start, net in charges(vendor)) == 1500
    assert vendor.violations() == []


@pytest.mark.parametrize("seed", range(3))
def test_comes_to_the_larger_of_usage_and_minimum(vendor, seed):
    random = Random(seed)
    starts = [date(2026, 1, 1), date(2026, 2, 1), date(2026, 3, 1)]
    quantities = {start: random.randrange(0, 130) for start in starts}
    for start, quantity in quantities.items():
        for part in (quantity // 2, quantity - quantity // 2):
            used(vendor, part, start.replace(day=random.randrange(1, 28)), today=date(2026, 4, 1))
    vendor.run("2026-04-01")

    with vendor.seen():
        for start, quantity in quantities.items():
            net = sum(one.net_minor for one in Charge.objects.filter(period_start=start))
            assert net == max(3100, 50 * quantity)
    assert vendor.violations() == []


def test_those_of_a_pool_pay_its_minimum_together(vendor):
    vendor.has("accounts", account("B", "A"))
    vendor.has("subscriptions", subscription("T", "B", "calls", "2026-01-01"))
    with vendor.seen():
        key = Price.objects.get().pk
    wanted = NewPool(key, date(2026, 1, 1))
    begun = begin_pool(vendor.actor, vendor.id_of("A"), wanted, today=date(2026, 1, 1), now=NOW)
    assert (begun.effect.alone_minor, begun.effect.net_minor) == (6200, 3100)
    used(vendor, 20, "2026-01-05")
    used(vendor, 10, "2026-01-05", of="T")

    vendor.run("2026-02-01")

    assert charges(vendor) == [
        ("recurring", "2026-01-01", 2067),
        ("recurring", "2026-01-01", 1033),
    ]
    assert vendor.violations() == []


@pytest.mark.parametrize(
    ("minimum", "values", "code"),
    [
        ("-1", {}, "amount_negative"),
        ("NaN", {}, "out_of_range"),
        ("1E+400", {}, "out_of_range"),
        ("0.123456789", {}, "out_of_range"),
        ("5", {"model": "flat", "meter_id": None}, "minimum_of_flat"),
    ],
)
def test_refuses_minimums_that_cannot_be(vendor, minimum, values, code):
    with vendor.seen():
        known = Price.objects.get()
    plain = {"name": "Calls", "model": "per_unit", "meter_id": known.meter_id}
    wanted = NewPrice(
        currency="EUR",
        interval="month",
        timing="arrears",
        unit_amount=Decimal(1),
        minimum_amount=Decimal(minimum),
        **{**plain, **values},
    )

    with pytest.raises(InvalidPrice) as refused:
        create_price(vendor.actor, known.product_id, wanted, today=date(2026, 3, 1), now=NOW)

    assert [(one.code, one.pointer) for one in refused.value.errors] == [(code, "/minimum_amount")]
