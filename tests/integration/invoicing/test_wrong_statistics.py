"""Plans stay good where the planner believes what is not so: what is read grows with the tenant.

The statistics were made when all rows were one huge tenant's. Of one that came afterwards the
planner expects a row, of one that was there before it knows nothing better. How many pages a
statement reads says how good its plan is, however busy the machine.
"""

import re
from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from django.db import connection, connections

from accounts.queries.trees import customers
from invoicing.operations.runs import run_billing, working
from invoicing.queries.balances import balance_total, balances
from invoicing.queries.books import verify_books
from invoicing.queries.invoice_sums import invoice_sums, status_sums
from invoicing.queries.invoices import invoices
from invoicing.queries.run_preview import next_due_date
from invoicing.queries.runs import runs
from subscriptions.queries.subscriptions import subscriptions
from tests.world import NOW, Vendor, account, make_vendor, price, subscription

FIRST, NEXT = date(2026, 12, 1), date(2027, 1, 1)
OF_ANY_STATEMENT = 400
# Whoever writes a row also looks for its place in each index.
READING, WRITING = 4, 20
_EXPLAIN = "EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) "


class Pages:
    """Notes how many pages each statement reads, before it is carried out."""

    def __init__(self) -> None:
        self.read: list[tuple[int, str]] = []

    def __call__(
        self, execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any
    ) -> Any:
        if re.match(r"[\s(]*(SELECT(?! set_config)|WITH|INSERT|UPDATE|DELETE)\b", sql):
            execute("SAVEPOINT explained", None, False, context)
            execute(_EXPLAIN + sql, params, many, context)
            plan = context["cursor"].fetchone()[0][0]["Plan"]
            execute("ROLLBACK TO SAVEPOINT explained", None, False, context)
            pages = plan["Shared Hit Blocks"] + plan["Shared Read Blocks"]
            self.read.append((pages, " ".join(sql.split())[:200]))
        return execute(sql, params, many, context)


def vendor_with(slug: str, *, families: int, lines: int, held: int = 0) -> Vendor:
    """Return a vendor that has been billed once: companies of three accounts each.

    One more company has no city: what it owes, ``held`` charges, waits.
    """
    vendor = make_vendor(slug)
    vendor.has("prices", price("ten", "10", tax_rate=19))
    names = [f"F{number}" for number in range(families)]
    vendor.has("accounts", *(account(name, billing_day=1) for name in names))
    vendor.has(
        "accounts",
        *(account(f"{name}-{n}", name, kind="branch") for name in names for n in range(2)),
    )
    vendor.has(
        "subscriptions",
        *(
            subscription(f"S{n}", f"F{n % families}-{n // families % 2}", "ten", FIRST.isoformat())
            for n in range(lines)
        ),
    )
    if held:
        vendor.has("accounts", account("held", city=""))
        rows = (subscription(f"H{n}", "held", "ten", FIRST.isoformat()) for n in range(held))
        vendor.has("subscriptions", *rows)
    bill(vendor, FIRST)
    return vendor


def bill(vendor: Vendor, day: date) -> int:
    report = run_billing(vendor.actor, run_date=day, issue=True, today=day, now=NOW)
    return len(report.invoice_ids)


def lists(vendor: Vendor) -> None:
    """Ask what the lists and figures of the pages ask."""
    actor = vendor.actor
    with vendor.seen():
        found = invoices(actor, today=NEXT)
        assert len(found[:50]) > 0
        assert invoice_sums(actor, found, today=NEXT)
        assert status_sums(actor, found)
        assert len(runs(actor)[:50]) == 1
        shown = [one.id for one in customers(actor).order_by("sort_key", "id")[:50]]
        assert len(balances(actor, shown, today=NEXT)) == len(shown) > 0
        assert balance_total(actor, None, today=NEXT).tree_open
        assert len(subscriptions(actor, today=NEXT)[:50]) > 0
        assert next_due_date(actor, after=FIRST) == NEXT


def books(vendor: Vendor) -> None:
    with vendor.seen():
        _checked, violations = verify_books(vendor.actor)
    assert violations == []


def next_run(vendor: Vendor) -> None:
    assert bill(vendor, NEXT) > 0


@pytest.mark.usefixtures("committed_database")
def test_reads_what_is_the_tenants_whatever_the_planner_believes(monkeypatch):
    monkeypatch.setattr(working, "refresh_outdated_statistics", lambda: 0)
    before = vendor_with("before", families=1, lines=20)
    vendor_with("huge", families=20, lines=4_000)
    with connections["owner"].cursor() as cursor:
        cursor.execute("ANALYZE")
    after = vendor_with("after", families=10, lines=400, held=100)

    for vendor, lines in ((before, 20), (after, 500)):
        for act, rows in (
            (books, READING * lines),
            (lists, READING * lines),
            (next_run, WRITING * lines),
            (books, READING * 2 * lines),  # the run has doubled them
        ):
            pages = Pages()
            with connection.execute_wrapper(pages):
                act(vendor)

            assert pages.read
            bound = OF_ANY_STATEMENT + rows
            assert [one for one in pages.read if one[0] > bound] == [], act.__name__
