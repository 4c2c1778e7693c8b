"""A pool follows the versions of its price: from the day, made good, to the cent."""

from collections import defaultdict
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise
from random import Random

import pytest

from billing_rules.allocation import largest_remainder
from billing_rules.pricing import Tier
from invoicing.operations.pools.beginning import NewPool, begin_pool, end_pool
from invoicing.operations.prices.beginning import (
    begin_version,
    end_version,
    preview_end,
    preview_version,
)
from invoicing.operations.prices.working import work_on_repricing
from invoicing.queries.pooled import pool_outlook
from invoicing.queries.previewed_run import preview_run
from subscriptions.models import EarlierPoolPrice, LateUsage, Price, UsagePool
from subscriptions.operations.catalogue import NewVersion
from subscriptions.queries.pools import get_pool
from tenancy.models import AuditEntry, Job, Tenant
from tests.integration.invoicing.test_pools import (
    pooled,
    standing,
    used,
    vendor,
)
from tests.world import NOW, price, subscription

__all__ = ["vendor"]
pytestmark = pytest.mark.django_db(transaction=True)

D = date.fromisoformat
FIRST = D("2026-01-01")


def tiers(first, rest):
    return (
        Tier(Decimal(100), Decimal(first), Decimal(0)),
        Tier(None, Decimal(rest), Decimal(0)),
    )


def key_of(vendor, reference):
    with vendor.seen():
        return Price.objects.get(external_id=reference, number=1).pk


def begin(vendor, day, first, rest, *, of="tiers", account=None, today="2026-02-02", work=True):
    wanted = NewVersion(
        D(day),
        {"tiers": tiers(first, rest)},
        None if account is None else vendor.id_of(account),
    )
    version, job = begin_version(vendor.actor, key_of(vendor, of), wanted, today=D(today), now=NOW)
    if work:
        worked(vendor, job)
    return version, job


def worked(vendor, job):
    while work_on_repricing(vendor.actor, job.pk, now=NOW):
        pass
    with vendor.seen():
        job.refresh_from_db()
    assert job.status == Job.Status.DONE
    return job


def preview(vendor, day, first, rest, account=None):
    wanted = NewVersion(
        D(day), {"tiers": tiers(first, rest)}, None if account is None else vendor.id_of(account)
    )
    with vendor.seen():
        return preview_version(vendor.actor, key_of(vendor, "tiers"), wanted, today=D("2026-02-02"))


def test_a_version_cuts_the_period_in_which_it_begins(vendor):
    pooled(vendor)
    used(vendor, "SA", 60, "2026-01-10")
    used(vendor, "SB", 60, "2026-01-10")
    used(vendor, "SA", 150, "2026-01-25")
    used(vendor, "SC", 50, "2026-01-25")

    planned = preview(vendor, "2026-01-20", "0.20", "0.10")
    _version, job = begin(vendor, "2026-01-20", "0.20", "0.10")

    assert (planned.pools.pools, planned.pools.changed, planned.pools.charged) == (1, 1, 0)
    assert [one.account.name for one in planned.pools.first] == ["G"]
    assert job.result["pools"] == 1
    vendor.run("2026-02-01")
    # Up to the 20th 120: 10.00 + 1.00. From then on 200: 20.00 + 10.00, three quarters of it A's.
    assert standing(vendor) == {
        ("SA", "2026-01-01", "2026-01-20"): 550,
        ("SA", "2026-01-20", "2026-02-01"): 2250,
        ("SB", "2026-01-01", "2026-01-20"): 550,
        ("SC", "2026-01-20", "2026-02-01"): 750,
    }
    assert vendor.violations() == []


def test_what_was_charged_for_later_days_is_corrected(vendor):
    pool = pooled(vendor)
    used(vendor, "SA", 60, "2026-01-10")
    used(vendor, "SB", 60, "2026-01-25")
    vendor.run("2026-02-01")
    before = standing(vendor)
    assert set(before.values()) == {550}

    planned = preview(vendor, "2026-01-20", "0.20", "0.10")
    begin(vendor, "2026-01-20", "0.20", "0.10")

    assert (planned.pools.changed, planned.pools.charged) == (1, 1)
    with vendor.seen():
        assert LateUsage.objects.count() == 3
        tenant = Tenant.objects.get(pk=vendor.tenant_id)
        found = preview_run(
            vendor.actor, run_date=D("2026-02-02"), within=None, tenant=tenant, now=NOW
        )
        said = AuditEntry.objects.get(action="account.pool_repriced").after
    assert (said["pool"], said["since"]) == (pool.public_id, "2026-01-20")
    documents = vendor.bills("2026-02-02")
    assert standing(vendor) == {
        ("SA", "2026-01-01", "2026-01-20"): 600,
        ("SB", "2026-01-20", "2026-02-01"): 1200,
    }
    assert dict(found.net_minor) == {"EUR": 700}
    assert sum(one["net_minor"] for one in documents) == 700
    assert vendor.violations() == []

    # Taken back as a whole it is as it was, to the cent.
    with vendor.seen():
        last = Price.objects.get(number=2)
        undone = preview_end(vendor.actor, last.pk, None, today=D("2026-02-03"))
    assert (undone.pools.changed, undone.pools.charged) == (1, 1)
    _price, job = end_version(vendor.actor, last.pk, None, today=D("2026-02-03"), now=NOW)
    worked(vendor, job)
    vendor.run("2026-02-03")
    assert standing(vendor) == before
    with vendor.seen():
        assert EarlierPoolPrice.objects.count() == 0
    assert vendor.violations() == []


def test_a_member_of_the_days_before_is_charged_anew_when_a_version_is_taken_back(vendor):
    pooled(vendor)
    vendor.has("subscriptions", subscription("SE", "A", "tiers", "2026-01-01",
               end_date="2026-01-15"))  # fmt: skip
    used(vendor, "SE", 100, "2026-01-10")
    used(vendor, "SA", 100, "2026-01-25")
    version, _job = begin(vendor, "2026-01-20", "0.20", "0.10", today="2026-01-15")
    vendor.run("2026-02-01")
    assert standing(vendor) == {
        ("SA", "2026-01-20", "2026-02-01"): 2000,
        ("SE", "2026-01-01", "2026-01-15"): 1000,
    }

    _price, job = end_version(vendor.actor, version.pk, None, today=D("2026-02-03"), now=NOW)
    worked(vendor, job)
    vendor.run("2026-02-03")

    assert standing(vendor) == {
        ("SA", "2026-01-01", "2026-02-01"): 750,
        ("SE", "2026-01-01", "2026-01-15"): 750,
    }
    assert vendor.violations() == []


def test_another_version_that_was_chosen_stays(vendor):
    begin(vendor, "2026-01-15", "0.20", "0.10", today="2026-01-10")
    pool = pooled(vendor, starts="2026-02-01")

    planned = preview(vendor, "2026-03-01", "0.30", "0.20")
    begin(vendor, "2026-03-01", "0.30", "0.20")

    assert (planned.pools.pools, planned.pools.changed, planned.pools.own_choice) == (1, 0, 1)
    with vendor.seen():
        pool.refresh_from_db()
        assert (pool.price.number, EarlierPoolPrice.objects.count()) == (1, 0)


def test_what_is_negotiated_below_or_beside_concerns_no_pool_above(vendor):
    pooled(vendor)

    assert preview(vendor, "2026-02-01", "0.20", "0.10", account="A").pools.pools == 0
    assert preview(vendor, "2026-02-01", "0.20", "0.10", account="X").pools.pools == 0
    assert preview(vendor, "2026-02-01", "0.20", "0.10", account="G").pools.changed == 1


def test_a_new_pool_follows_what_is_planned_already(vendor):
    version, _job = begin(vendor, "2026-02-10", "0.20", "0.10", today="2026-01-05")
    wanted = NewPool(key_of(vendor, "tiers"), FIRST)
    made = begin_pool(vendor.actor, vendor.id_of("G"), wanted, today=D("2026-01-05"), now=NOW).pool
    used(vendor, "SA", 10, "2026-02-05")
    used(vendor, "SB", 10, "2026-02-15")

    with vendor.seen():
        stored = get_pool(vendor.actor, made.public_id)
        assert [(one.until, one.price.number) for one in stored.earlier] == [(D("2026-02-10"), 1)]
        assert stored.price_on(D("2026-02-09")).number == 1
        assert stored.price_on(D("2026-02-10")) == version
        tenant = Tenant.objects.get(pk=vendor.tenant_id)
        effect = pool_outlook(vendor.actor, stored, tenant=tenant, today=D("2026-02-20"))
    assert (effect.period.start, effect.net_minor, effect.price) == (
        D("2026-02-10"), 200, version,
    )  # fmt: skip
    vendor.run("2026-02-01")
    vendor.run("2026-03-01")
    assert standing(vendor) == {
        ("SA", "2026-02-01", "2026-02-10"): 100,
        ("SB", "2026-02-10", "2026-03-01"): 200,
    }
    # It ends with its periods, not with a part of one.
    ended = end_pool(vendor.actor, made.pk, day=None, today=D("2026-03-05"), now=NOW)
    assert ended.ends == D("2026-04-01")
    assert vendor.violations() == []


def test_a_minimum_is_had_by_days_in_each_part(vendor):
    vendor.has("prices", price("least", model="graduated", timing="arrears", meter="calls",
               tiers="100:0.10:0|inf:0.05:0", minimum_amount="62.00"))  # fmt: skip
    pooled(vendor, scheme="least")
    used(vendor, "SA", 10, "2026-01-10")
    begin(vendor, "2026-01-11", "0.20", "0.10", of="least")

    vendor.run("2026-02-01")

    # 10 of 31 days are 20.00 at least, the other 21 are 42.00, in equal parts of three.
    found = standing(vendor)
    assert found["SA", "2026-01-01", "2026-01-11"] == 2000
    assert [net for (_of, start, _end), net in found.items() if start == "2026-01-11"] == [1400] * 3
    assert vendor.violations() == []


def test_only_who_may_change_prices_carries_a_version_out_for_pools(vendor):
    pooled(vendor)
    _version, job = begin(vendor, "2026-02-10", "0.20", "0.10", work=False)
    with vendor.seen():
        assert (job.total, job.params["subscriptions"]) == (4, 3)
        assert UsagePool.objects.get().price.number == 1
    worked(vendor, job)
    with vendor.seen():
        assert UsagePool.objects.get().price.number == 2


@pytest.mark.parametrize("seed", range(3))
def test_versions_come_to_what_counting_day_by_day_comes_to(vendor, seed):
    """The oracle cuts each month of the pool where a version begins, and counts the days."""
    random = Random(seed)
    pooled(vendor, ends="2026-05-01")
    events = []

    def report(count, until, today):
        for _turn in range(count):
            key, quantity = random.choice(["SA", "SB", "SC"]), random.randrange(1, 90)
            day = FIRST + timedelta(days=random.randrange((until - FIRST).days))
            used(vendor, key, quantity, f"{day}", today=today)
            events.append((key, day, Decimal(quantity)))

    versions = {FIRST: ("0.10", "0.05")}
    report(25, D("2026-03-01"), D("2026-03-01"))
    vendor.run("2026-02-01")
    day = FIRST
    for run in ("2026-03-01", "2026-04-01"):
        day += timedelta(days=random.randrange(3, 40))
        amounts = random.choice(["0.20", "0.07", "0.13"]), random.choice(["0.03", "0.11"])
        begin(vendor, f"{day}", *amounts, today="2026-03-02")
        versions[day] = amounts
        vendor.run(run)
    vendor.run("2026-05-01")

    bounds = sorted({*versions, *(date(2026, month, 1) for month in range(1, 6))})
    expected = defaultdict(int)
    for start, end in pairwise(bounds):
        of = {key: sum((q for k, d, q in events if k == key and start <= d < end), Decimal(0))
              for key in ("SA", "SB", "SC")}  # fmt: skip
        together = sum(of.values())
        first, rest = versions[max(one for one in versions if one <= start)]
        exact = min(together, Decimal(100)) * Decimal(first) + max(
            together - 100, Decimal(0)
        ) * Decimal(rest)
        total = int((exact * 100 + Decimal("0.5")) // 1)
        weights = [Fraction(one) for one in of.values()] if together else [Fraction(1)] * 3
        shares = largest_remainder([total * one / sum(weights) for one in weights], total)
        for key, share in zip(of, shares, strict=True):
            if share:
                expected[key, f"{start}", f"{end}"] = share
    assert standing(vendor) == dict(sorted(expected.items()))
    assert vendor.violations() == []


def test_pools_follow_all_that_a_file_brings_by_one_job(vendor):
    pooled(vendor)
    pooled(vendor, "X")
    used(vendor, "SA", 60, "2026-01-10")
    used(vendor, "SB", 60, "2026-01-25")
    used(vendor, "SX", 100, "2026-01-25")
    vendor.run("2026-02-01")
    rows = [
        {"account_external_id": owner, "price_external_id": "tiers", "valid_from": day,
         "tiers": f"100:{amount}:0|inf:{amount}:0"}
        for owner, day, amount in (
            ("G", "2026-01-20", "0.20"), ("X", "2026-01-15", "0.30"), ("A", "2026-01-02", "9"),
        )
    ]  # fmt: skip

    vendor.has("negotiated_prices", *rows, today=D("2026-02-02"))
    with vendor.seen():
        (job,) = Job.objects.filter(kind=Job.Kind.PRICES)
    worked(vendor, job)
    vendor.run("2026-02-02")

    with vendor.seen():
        said = AuditEntry.objects.filter(action="account.pool_repriced").order_by("after__since")
        assert [one.after["since"] for one in said] == ["2026-01-15", "2026-01-20"]
    assert job.result["pools"] == 2
    # What A has for itself is not what the pool above it charges by; its own terms begin then.
    assert standing(vendor) == {
        ("SA", "2026-01-02", "2026-01-20"): 600,
        ("SB", "2026-01-20", "2026-02-01"): 1200,
        ("SX", "2026-01-15", "2026-02-01"): 3000,
    }
    assert vendor.violations() == []
