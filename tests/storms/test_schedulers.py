"""Schedulers that run twice at once, or come back after nine days."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import connection

from invoicing import tasks
from invoicing.models import BillingRun, Charge, InvoiceLine
from tenancy.clock import today_of
from tenancy.models import Tenant
from tests.world import account, make_vendor, price, subscription

NINE_DAYS = 9


def real_today(vendor):
    with vendor.seen():
        return today_of(Tenant.objects.get())


def fill(vendor, today, families):
    """Give a live vendor something that falls due on each of the last days."""
    vendor.has("accounts", *(account(f"A{n}") for n in range(families)))
    vendor.has("prices", price("daily", "2", interval="day"), price("weekly", "7", interval="week"))
    vendor.has(
        "subscriptions",
        *(
            subscription(
                f"S{n}",
                f"A{n}",
                ("daily", "weekly")[n % 2],
                (today - timedelta(days=NINE_DAYS - 1 - n % NINE_DAYS)).isoformat(),
            )
            for n in range(families)
        ),
    )
    vendor.change_tenant(scheduled_until=today - timedelta(days=NINE_DAYS))


def charged(vendor):
    """Return what was charged and how often it stands on a document."""
    with vendor.seen():
        on_lines = list(InvoiceLine.objects.values_list("charge_id", flat=True))
        assert len(on_lines) == len(set(on_lines))
        rows = Charge.objects.values_list(
            "pk", "subscription__external_id", "period_start", "period_end", "net_minor"
        )
        return sorted((*row[1:], on_lines.count(row[0])) for row in rows)


def at_once(vendor, times):
    """Let as many schedulers bill the vendor at the same time."""
    barrier = threading.Barrier(times)

    def run(_number):
        try:
            barrier.wait(timeout=30)
            tasks.bill_missed_days(tenant_id=str(vendor.tenant_id))
        finally:
            connection.close()

    with ThreadPoolExecutor(times) as threads:
        list(threads.map(run, range(times)))


@pytest.mark.parametrize("families", [8, pytest.param(400, marks=pytest.mark.long)])
@pytest.mark.parametrize("schedulers", [1, 2, 4])
def test_nine_missed_days_are_made_up_for_once(committed_database, families, schedulers):
    vendor, twin = (make_vendor(slug, sandbox=False) for slug in ("live", "twin"))
    today = real_today(vendor)
    for one in (vendor, twin):
        fill(one, today, families)
    for number in range(NINE_DAYS):
        # The twin's scheduler came every day.
        twin.run(today - timedelta(days=NINE_DAYS - 1 - number), issue=False, today=today)

    at_once(vendor, schedulers)

    assert charged(vendor) == charged(twin)
    assert all(count == 1 for *_charge, count in charged(vendor))
    with vendor.seen():
        days = list(BillingRun.objects.order_by("date").values_list("date", flat=True))
        assert Tenant.objects.get().scheduled_until == today
    assert days == [today - timedelta(days=n) for n in range(NINE_DAYS - 1, -1, -1)]
    assert vendor.violations() == []

    at_once(vendor, 2)
    assert charged(vendor) == charged(twin)


def test_a_scheduler_that_comes_late_finds_nothing_left(committed_database):
    vendor = make_vendor("live", sandbox=False)
    today = real_today(vendor)
    fill(vendor, today, 3)
    at_once(vendor, 1)
    before = charged(vendor)

    tasks.bill_missed_days(tenant_id=str(vendor.tenant_id))

    assert charged(vendor) == before
