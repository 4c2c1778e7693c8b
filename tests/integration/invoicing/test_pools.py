"""What several use is charged together, by one scheme of tiers, and shared to the cent."""

from collections import defaultdict
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from random import Random

import pytest

from accounts.operations.account_settings import WantedSettings, change_settings
from billing_rules.allocation import largest_remainder
from invoicing.models import Charge
from invoicing.operations.plans.applying import carry_out_due_plans
from invoicing.operations.plans.deciding import answer_plan, submit_plan
from invoicing.operations.plans.planning import create_plan
from invoicing.operations.pools.beginning import NewPool, PoolOver, begin_pool, end_pool
from invoicing.operations.subscriptions.ending import cancel_subscription
from invoicing.queries.plans.wanted import Wanted
from invoicing.queries.previewed_run import preview_run
from invoicing.queries.upcoming import upcoming_invoices
from subscriptions.models import LateUsage, Price, Subscription, UsagePool
from subscriptions.operations.catalogue.meters import NewMeter, create_meter
from subscriptions.operations.usage import NewUsage, report_usage
from tenancy.errors import BillingError, Forbidden, NotFound
from tenancy.models import Tenant
from tests.world import NOW, account, make_vendor, price, subscription

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def vendor():
    vendor = make_vendor(clock=date(2026, 3, 1))
    vendor.has("accounts", account("G"), account("A", "G"), account("B", "G"), account("C", "B"),
               account("X"))  # fmt: skip
    for key, aggregation in (("calls", "sum"), ("peak", "max")):
        create_meter(vendor.actor, NewMeter(key, key.capitalize(), aggregation), now=NOW)
    vendor.has(
        "prices",
        price("tiers", model="graduated", timing="arrears", meter="calls",
              tiers="100:0.10:0|inf:0.05:0"),
        price("dear", "1", model="per_unit", timing="arrears", meter="calls"),
    )  # fmt: skip
    vendor.has(
        "subscriptions",
        subscription("SA", "A", "tiers", "2026-01-01"),
        subscription("SB", "B", "tiers", "2026-01-01"),
        subscription("SC", "C", "dear", "2026-01-01"),
        subscription("SX", "X", "tiers", "2026-01-01"),
    )
    return vendor


def pooled(vendor, node="G", scheme="tiers", starts="2026-01-01", ends=None):
    with vendor.seen():
        return UsagePool.objects.create(
            tenant_id=vendor.tenant_id,
            account_id=vendor.id_of(node),
            price=Price.objects.get(external_id=scheme),
            starts=date.fromisoformat(starts),
            ends=ends and date.fromisoformat(ends),
        )


_COUNT = iter(range(10**9))


def used(vendor, of, quantity, day, *, today=date(2026, 6, 1)):
    at = datetime.fromisoformat(f"{day}T10:00").replace(tzinfo=UTC)
    one = NewUsage(f"e{next(_COUNT)}", f"ext:{of}", "ext:calls", Decimal(quantity), at)
    return report_usage(vendor.actor, [one], today=today, now=NOW)


def standing(vendor):
    """Return by subscription, first and last day what is charged after all credits."""
    found = defaultdict(int)
    with vendor.seen():
        for one in Charge.objects.select_related("subscription"):
            key = (one.subscription.external_id, f"{one.period_start}", f"{one.period_end}")
            found[key] += one.net_minor
    return {key: net for key, net in sorted(found.items()) if net}


def test_charges_what_a_subtree_used_together_and_shares_it(vendor):
    pooled(vendor)
    for of, quantity in (("SA", 60), ("SB", 30), ("SC", 30), ("SX", 120)):
        used(vendor, of, quantity, "2026-01-10")

    vendor.run("2026-02-01")

    # Together 120: 100 at 0.10 and 20 at 0.05 are 11.00. Outside of the pool they cost as ever.
    assert standing(vendor) == {
        ("SA", "2026-01-01", "2026-02-01"): 550,
        ("SB", "2026-01-01", "2026-02-01"): 275,
        ("SC", "2026-01-01", "2026-02-01"): 275,
        ("SX", "2026-01-01", "2026-02-01"): 1100,
    }
    with vendor.seen():
        one = Charge.objects.get(subscription__external_id="SC").calculation
    assert (one["quantity"], one["pool"]["quantity"], one["pool"]["members"]) == ("30", "120", 3)
    assert [step["quantity"] for step in one["pool"]["steps"]] == ["100", "20"]
    assert (one["pool"]["net_minor"], one["pool"]["share_minor"]) == (1100, 275)
    assert vendor.violations() == []


def test_late_usage_of_one_corrects_the_shares_of_all(vendor):
    pooled(vendor)
    used(vendor, "SA", 60, "2026-01-10")
    used(vendor, "SB", 60, "2026-01-10")
    vendor.run("2026-02-01")
    assert set(standing(vendor).values()) == {550}

    used(vendor, "SB", 120, "2026-01-11", today=date(2026, 2, 2))
    with vendor.seen():
        assert LateUsage.objects.count() == 3
        tenant = Tenant.objects.get(pk=vendor.tenant_id)
        found = preview_run(vendor.actor, run_date=date(2026, 2, 2), within=None, tenant=tenant,
                            now=NOW)  # fmt: skip
    documents = vendor.bills("2026-02-02")

    # 240 together: 10.00 + 7.00; a quarter is 4.25.
    assert standing(vendor) == {
        ("SA", "2026-01-01", "2026-02-01"): 425,
        ("SB", "2026-01-01", "2026-02-01"): 1275,
    }
    assert dict(found.net_minor) == {"EUR": 600}
    assert sum(one["net_minor"] for one in documents) == 600
    assert vendor.bills("2026-02-02") == []
    assert vendor.violations() == []


def test_who_leaves_within_a_period_is_charged_when_it_is_over(vendor):
    pooled(vendor)
    used(vendor, "SA", 60, "2026-01-10")
    used(vendor, "SB", 40, "2026-01-25")
    with vendor.seen():
        key = Subscription.objects.get(external_id="SA").pk
    cancel_subscription(vendor.actor, key, end_date=date(2026, 1, 15), today=date(2026, 1, 12),
                        now=NOW)  # fmt: skip
    used(vendor, "SB", 60, "2026-01-26")

    assert vendor.bills("2026-01-20") == []
    vendor.run("2026-02-01")

    # 160 together cost 13.00.
    assert standing(vendor) == {
        ("SA", "2026-01-01", "2026-01-15"): 488,
        ("SB", "2026-01-01", "2026-02-01"): 812,
    }
    assert vendor.violations() == []


def test_who_joins_late_corrects_what_the_others_were_charged(vendor):
    pooled(vendor)
    used(vendor, "SA", 100, "2026-01-10")
    vendor.run("2026-02-01")
    vendor.has("subscriptions", subscription("SN", "A", "tiers", "2026-01-20"))
    used(vendor, "SN", 100, "2026-01-25", today=date(2026, 2, 2))

    # Its own period ends on 20 February: its last days are in the pool's February.
    assert vendor.bills("2026-02-20") == []
    vendor.run("2026-03-01")
    assert standing(vendor) == {
        ("SA", "2026-01-01", "2026-02-01"): 750,
        ("SN", "2026-01-20", "2026-02-01"): 750,
    }
    assert vendor.violations() == []


def tiers_minor(quantity):
    first = min(quantity, Decimal(100))
    cents = first * 10 + (quantity - first) * 5
    return int((cents + Decimal("0.5")) // 1)


@pytest.mark.parametrize("seed", range(3))
def test_comes_to_what_counting_day_by_day_comes_to(vendor, seed):
    random = Random(seed)
    first = date(2026, 1, 1)
    grace = WantedSettings({"usage_grace_days": 365}, first)
    change_settings(vendor.actor, vendor.id_of("G"), grace, today=first, now=NOW)
    begins, months = date(2026, 1, 1), [date(2026, month, 1) for month in range(1, 7)]
    ends = {}
    for number in range(5):
        start = begins + timedelta(days=random.randrange(75))
        key, owner = f"R{number}", random.choice("ABC")
        vendor.has("subscriptions", subscription(key, owner, "tiers", f"{start}"))
        ends[key] = (start, None)
        if random.random() < 0.4:
            ends[key] = (start, start + timedelta(days=random.randrange(20, 80)))
            with vendor.seen():
                Subscription.objects.filter(external_id=key).update(end_date=ends[key][1])
    pool_from = random.choice(months[:3])
    pooled(vendor, starts=f"{pool_from}", ends="2026-06-01")
    ends |= dict.fromkeys(("SA", "SB"), (begins, None))
    events = []
    for _turn in range(60):
        key = random.choice(list(ends))
        start, end = ends[key]
        day = start + timedelta(days=random.randrange(((end or date(2026, 5, 31)) - start).days))
        events.append((key, Decimal(random.randrange(1, 400)) / 4, day))
    late = random.sample(events, 15)
    for key, quantity, day in events:
        if (key, quantity, day) not in late:
            used(vendor, key, quantity, f"{day}")
    for day in sorted(random.sample(range(20, 140), 6)):
        vendor.run(begins + timedelta(days=day))
        assert vendor.violations() == []
        while late and random.random() < 0.7:
            key, quantity, on = late.pop()
            used(vendor, key, quantity, f"{on}")
    for key, quantity, on in late:
        used(vendor, key, quantity, f"{on}")
    # By then the periods that began in May are over, whatever day they began on.
    vendor.run("2026-07-10")
    vendor.run("2026-07-11")

    found = defaultdict(int)
    with vendor.seen():
        assert LateUsage.objects.count() == 0
        for one in Charge.objects.all():
            pool = one.calculation.get("pool")
            if pool:
                sign = -1 if one.kind == "credit" else 1
                found[pool["period"]["start"]] += sign * pool["share_minor"]
                assert one.period_start >= pool_from
    naive = {}
    for start, until in zip(months, [*months[1:], None], strict=True):
        if until is not None and start >= pool_from:
            together = sum(
                (quantity for _key, quantity, day in events if start <= day < until), Decimal(0)
            )
            naive[f"{start}"] = tiers_minor(together)
    assert {key: net for key, net in found.items() if net} == {
        key: net for key, net in naive.items() if net
    }
    assert vendor.violations() == []


def test_shares_are_by_largest_remainder_in_the_order_of_items(vendor):
    pooled(vendor)
    for of, quantity in (("SA", "0.1"), ("SB", "0.1"), ("SC", "0.1")):
        used(vendor, of, quantity, "2026-01-10")

    vendor.run("2026-02-01")

    # 0.3 at 0.10 are 3 cents.
    exact = [Fraction(1)] * 3
    assert tuple(standing(vendor).values()) == largest_remainder(exact, 3) == (1, 1, 1)


def test_next_invoices_count_the_share_so_far(vendor):
    pooled(vendor)
    used(vendor, "SA", 60, "2026-01-10")
    used(vendor, "SB", 60, "2026-01-10")
    with vendor.seen():
        tenant = Tenant.objects.get(pk=vendor.tenant_id)
        found = upcoming_invoices(
            vendor.actor, vendor.id_of("G"), tenant=tenant, today=date(2026, 1, 12), now=NOW
        )

    assert found.day == date(2026, 2, 1)
    assert [one.net_minor for one in found.documents] == [1100]


def begin(vendor, node="G", scheme="tiers", starts="2026-01-01", ends=None, **more):
    with vendor.seen():
        key = Price.objects.get(external_id=scheme).pk
    wanted = NewPool(key, date.fromisoformat(starts), ends and date.fromisoformat(ends))
    more = {"today": date(2026, 1, 5), "now": NOW} | more
    return begin_pool(vendor.actor, vendor.id_of(node), wanted, **more)


def refusal(vendor, **wanted):
    with pytest.raises(BillingError) as refused:
        begin(vendor, **wanted)
    return [(one.code, one.pointer) for one in refused.value.errors] or refused.value.code


def test_previews_what_each_pays_alone_and_together(vendor):
    for of, quantity in (("SA", 60), ("SB", 60), ("SC", 3)):
        used(vendor, of, quantity, "2026-01-03")

    effect = begin(vendor, is_dry_run=True).effect

    with vendor.seen():
        assert UsagePool.objects.count() == 0
    assert (effect.quantity, effect.net_minor, effect.alone_minor) == (123, 1115, 1500)
    assert [(one.account.name, one.quantity, one.alone_minor, one.share_minor)
            for one in effect.members] == [
        ("A", 60, 600, 544), ("B", 60, 600, 544), ("C", 3, 300, 27)
    ]  # fmt: skip
    begin(vendor)
    vendor.run("2026-02-01")
    assert list(standing(vendor).values())[:3] == [one.share_minor for one in effect.members]


def test_refuses_pools_that_cannot_be_right(vendor):
    vendor.has("prices", price("plain", "5"), price("quarterly", "1", model="per_unit",
               timing="arrears", meter="calls", interval="quarter"))  # fmt: skip
    begin(vendor, node="B", ends="2026-03-01")

    assert refusal(vendor, scheme="plain") == [("price_not_metered", "/price")]
    assert refusal(vendor, ends="2026-03-15") == [("within_period", "/ends")]
    assert refusal(vendor, ends="2025-12-01") == [("end_before_start", "/ends")]
    assert refusal(vendor, starts="9999-12-31") == [("out_of_range", "/starts")]
    # Above, below and at it; by another price of the same meter too.
    assert refusal(vendor) == refusal(vendor, node="C") == refusal(vendor, scheme="dear")
    assert refusal(vendor, node="B", starts="2026-02-01") == "pools_overlap"
    # Beside it, after it, and at another interval they stand.
    for wanted in ({"node": "A"}, {"starts": "2026-03-01"}, {"scheme": "quarterly"}):
        begin(vendor, is_dry_run=True, **wanted)
    vendor.run("2026-02-01")
    assert refusal(vendor, node="X") == [("already_charged", "/starts")]
    begin(vendor, node="X", starts="2026-02-01")
    with vendor.seen():
        assert UsagePool.objects.count() == 2


def test_ends_with_one_of_its_periods_and_never_before_what_was_charged(vendor):
    pool = begin(vendor).pool
    used(vendor, "SA", 60, "2026-01-10")
    vendor.run("2026-02-01")

    def end(day):
        return end_pool(vendor.actor, pool.pk, day=day and date.fromisoformat(day),
                        today=date(2026, 2, 10), now=NOW)  # fmt: skip

    for day, code in (("2026-01-01", "already_charged"), ("2026-02-10", "within_period"),
                      ("2025-12-01", "end_before_start")):  # fmt: skip
        with pytest.raises(BillingError) as refused:
            end(day)
        assert [one.code for one in refused.value.errors] == [code]
    assert end(None).ends == date(2026, 3, 1)
    with pytest.raises(PoolOver):
        end("2026-03-01")
    used(vendor, "SA", 60, "2026-03-10")
    used(vendor, "SB", 60, "2026-03-10")
    vendor.run("2026-03-01")
    vendor.run("2026-04-01")
    march = {key: net for key, net in standing(vendor).items() if key[1] == "2026-03-01"}
    assert set(march.values()) == {600}
    assert vendor.violations() == []


def test_is_only_for_who_may_change_prices_and_sees_the_account(vendor):
    with vendor.seen():
        key = Price.objects.get(external_id="tiers").pk
    wanted = NewPool(key, date(2026, 1, 1))
    for actor, error in (
        (vendor.customer("Bob", "admin", "G"), Forbidden),
        (vendor.customer("Rita", "admin", "X"), NotFound),
        (vendor.staff("Sue", "support"), Forbidden),
    ):
        with pytest.raises(error):
            begin_pool(actor, vendor.id_of("G"), wanted, today=date(2026, 1, 5), now=NOW)
    with vendor.seen():
        assert UsagePool.objects.count() == 0


def test_a_move_takes_the_days_since_out_of_the_pool(vendor):
    pooled(vendor)
    used(vendor, "SA", 60, "2026-01-10")
    used(vendor, "SB", 60, "2026-01-10")
    used(vendor, "SA", 40, "2026-01-25")
    plan = create_plan(
        vendor.actor,
        Wanted("move", vendor.id_of("A"), date(2026, 1, 20), target_id=vendor.id_of("X")),
        today=date(2026, 1, 15),
        now=NOW,
    )
    submit_plan(vendor.actor, plan.pk, today=date(2026, 1, 15), now=NOW)
    answer_plan(vendor.actor, plan.pk, accepts=True, reason="So", today=date(2026, 1, 15), now=NOW)
    carry_out_due_plans(vendor.actor, day=date(2026, 1, 20), now=NOW)

    vendor.run("2026-02-01")

    assert standing(vendor) == {
        ("SA", "2026-01-01", "2026-01-20"): 550,
        ("SA", "2026-01-20", "2026-02-01"): 400,
        ("SB", "2026-01-01", "2026-02-01"): 550,
    }
    assert vendor.violations() == []
