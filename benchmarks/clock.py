"""A sandbox's clock moved over a year: six companies of ten accounts, and one that can't be billed.

The one that can't has no city; what it owes is held back from its first day on.
"""

import time
from collections.abc import Callable, Iterator
from datetime import date
from typing import Any

from django.db import connection

from benchmarks.figures import Figure
from benchmarks.processor import processor
from benchmarks.vendors import vendor_with_prices
from invoicing.operations.clock import advance_clock
from tests.databases import clone
from tests.world import NOW, TODAY, Vendor, account, price, subscription

COMPANIES = 6
_BILLING_DAYS = (1, 1, 5, 10, 15, 20)
_PRICES = ("desk", "mail", "watch", "yearly", "weekly")


class _Count:
    """Counts statements, which take the same however busy the machine is."""

    def __init__(self) -> None:
        self.statements = 0

    def __call__(self, execute: Callable[..., Any], *call: Any) -> Any:
        self.statements += 1
        return execute(*call)


def measure(*, is_quick: bool) -> Iterator[Figure]:
    """Yield what a year takes; a quick one has three months."""
    until = date(2027, 2, 23) if is_quick else TODAY.replace(year=TODAY.year + 1)
    with clone():
        vendor = _vendor()
        count = _Count()
        start, logged = time.monotonic(), len(connection.queries_log)
        with processor() as taken, connection.execute_wrapper(count):
            moved = advance_clock(vendor.actor, to_date=until, now=NOW)
        seconds = time.monotonic() - start
        assert len(connection.queries_log) == logged
        size = f"{moved.days} days, {moved.runs} runs, {moved.invoices} invoices"
        yield Figure("clock moved, 60 accounts", size, seconds, "s")
        yield Figure("clock moved, processor", size, taken.both, "s")
        yield Figure("clock moved, for each run", size, count.statements / moved.runs,
                     "statements", bound="value <= 64")  # fmt: skip
        connection.close()


def _vendor() -> Vendor:
    vendor = vendor_with_prices()
    vendor.has(
        "prices",
        price("yearly", "240.00", interval="year", tax_rate=19),
        price("weekly", "3.50", interval="week", timing="arrears", tax_rate=19),
    )
    rows = []
    for company, day in enumerate(_BILLING_DAYS):
        top = account(f"C{company}", billing_day=day)
        if company == COMPANIES - 1:
            top |= {"city": ""}
        rows.append(top)
        rows += [
            account(f"C{company}-{number}", f"C{company}", kind="branch") for number in range(9)
        ]
    vendor.has("accounts", *rows)
    vendor.has(
        "subscriptions",
        *(
            subscription(
                f"S{number}",
                f"C{number % COMPANIES}-{number % 9}",
                _PRICES[number % len(_PRICES)],
                f"2026-{11 + number % 2}-{1 + number * 7 % 28:02d}",
                quantity=1 + number % 12,
            )
            for number in range(54)
        ),
    )
    return vendor
