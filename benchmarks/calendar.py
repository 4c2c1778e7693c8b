"""The billing calendar of a company with thousands of subscriptions: a month, and making it."""

import statistics
import time
from collections.abc import Iterator
from datetime import UTC, date, datetime

from django.db import connection

from benchmarks.figures import Figure
from benchmarks.vendors import load_subscriptions, vendor_with_prices
from benchmarks.worker import peak_mib
from reports.operations.forecasts import refresh_calendar, want_forecasts
from reports.operations.making import make_wanted_forecast
from reports.queries.calendar import calendar_entries, day_sums
from tenancy.database.statistics import refresh_outdated_statistics
from tenancy.models import Tenant
from tests.databases import clone
from tests.world import NOW, TODAY, Vendor, account

SUBSCRIPTIONS = 5_000
BRANCHES = 40
ACCOUNTS = 50_000
MONTHLY = {"minimum_term_months": 1, "renewal_months": 1, "notice_days": 7}
"""Terms by which something of each subscription falls on three days of each month."""
_LOOKS = 7


def measure(*, is_quick: bool) -> Iterator[Figure]:
    """Yield what a month takes, and what it takes to make the calendar behind."""
    yield from _of_subscriptions(SUBSCRIPTIONS // 10 if is_quick else SUBSCRIPTIONS)
    yield from _of_accounts(ACCOUNTS // 10 if is_quick else ACCOUNTS)


def _of_accounts(count: int) -> Iterator[Figure]:
    """Yield the same for a tree of so many accounts, each with a contract that renews monthly."""
    with clone():
        vendor = vendor_with_prices()
        rows = [account("R", billing_day=1)]
        rows += [account(f"B{n}", "R") for n in range(BRANCHES)]
        leaves = _leaves(count)
        vendor.has("accounts", *rows, *leaves)
        load_subscriptions(vendor, [str(row["external_id"]) for row in leaves], **MONTHLY)
        size = f"{count} accounts, monthly terms"
        start = time.process_time()
        _made(vendor)
        seconds = time.process_time() - start
        # Of the database's processor it says nothing.
        yield Figure("calendar, made, processor", size, seconds, "s", peak_mib=peak_mib())
        milliseconds = _looked_at(vendor) * 1000
        yield Figure("calendar, a month", size, milliseconds, "ms", bound="value <= 300")
        connection.close()


def _leaves(count: int) -> list[dict[str, object]]:
    return [
        {
            "external_id": f"N{n}",
            "parent_external_id": f"B{n % BRANCHES}",
            "name": f"Node {n}",
            "kind": "department",
        }
        for n in range(count)
    ]


def _of_subscriptions(count: int) -> Iterator[Figure]:
    """Yield it for a company of so many subscriptions, two for each leaf."""
    with clone():
        vendor = vendor_with_prices()
        rows = [account("R", billing_day=1)]
        rows += [account(f"B{n}", "R") for n in range(BRANCHES)]
        # Trees of at most 5,000 accounts are followed: two subscriptions for each leaf.
        half = _leaves(count // 2)
        vendor.has("accounts", *rows, *half)
        owners = [str(row["external_id"]) for row in half]
        load_subscriptions(vendor, [*owners, *owners])
        size = f"{count} subscriptions"
        seconds = _made(vendor)
        yield Figure("calendar, made behind", size, seconds, "s", peak_mib=peak_mib())
        milliseconds = _looked_at(vendor) * 1000
        yield Figure("calendar, a month", size, milliseconds, "ms", bound="value <= 300")
        connection.close()


def _made(vendor: Vendor) -> float:
    """Return how long it takes to make the calendar, in seconds."""
    with vendor.seen():
        tenant = Tenant.objects.get(pk=vendor.tenant_id)
    want_forecasts_of(vendor)
    start = time.monotonic()
    assert make_wanted_forecast(
        vendor.actor, vendor.id_of("R"), tenant=tenant, today=TODAY, now=NOW
    )
    seconds = time.monotonic() - start
    refresh_outdated_statistics()
    return seconds


def want_forecasts_of(vendor: Vendor) -> None:
    """Ask for the calendar of the company."""
    with vendor.seen():
        want_forecasts(vendor.actor, [vendor.id_of("R")], now=NOW)


def _looked_at(vendor: Vendor) -> float:
    """Return what a month takes, in seconds, in the middle of some: sums, and a page of entries."""
    root, seconds = vendor.id_of("R"), []
    for _look in range(_LOOKS):
        start = time.monotonic()
        with vendor.seen():
            tenant = Tenant.objects.get(pk=vendor.tenant_id)
            fresh = refresh_calendar(
                vendor.actor, root, tenant=tenant, today=TODAY, now=datetime.now(UTC)
            )
            found = calendar_entries(
                vendor.actor, within=root, first=date(2026, 12, 1), last=date(2026, 12, 31)
            )
            sums = day_sums(found)
            page = list(found[:50])
            opened = list(found.filter(date=sums[0].date)[:50])
        seconds.append(time.monotonic() - start)
        assert not fresh.is_being_made, "it was not fresh"
        assert sum(one.count for one in sums) > 0, "nothing falls on the month"
        assert page, "nothing was read"
        assert opened, "nothing was read of the day beside"
    return statistics.median(seconds)
