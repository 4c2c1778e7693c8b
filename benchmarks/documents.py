"""PDFs: how long they take, how many pages they have, how much memory it needs."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

from django.db import connection

from benchmarks.figures import Figure
from benchmarks.vendors import RUN_DATE, load_subscriptions, vendor_with_prices
from tests.databases import clone
from tests.world import Vendor, account

_LINES = (1, 50, 1_000)
_SMALL = 60


def measure(*, is_quick: bool) -> Iterator[Figure]:
    """Yield the figures of invoices of 1, 50 and 1,000 lines, and of very many small ones."""
    small = _SMALL // 10 if is_quick else _SMALL
    with clone():
        vendor = _vendor(small)
        ids = {
            key: _invoice_id(vendor, key)
            for key in [*(f"L{lines}" for lines in _LINES), *(f"P{n}" for n in range(small))]
        }
        connection.close()
        for lines in _LINES:
            answer = _print(vendor.tenant_id, [ids[f"L{lines}"]])[0]
            size = f"{lines} lines, {answer['pages']} pages"
            yield Figure("PDF", size, answer["seconds"], "s", peak_mib=answer["peak_mib"],
                         bound="peak_mib <= 400")  # fmt: skip
        halves = [[ids[f"P{n}"] for n in range(start, small, 2)] for start in (0, 1)]
        start = time.monotonic()
        _print(vendor.tenant_id, *halves)
        per_second = small / (time.monotonic() - start)
        yield Figure("PDFs of one page, two processes", f"{small} invoices", per_second, "1/s")
        every = [ids[f"P{n}"] for n in range(small)]
        peaks = [_print(vendor.tenant_id, every * times)[0]["peak_mib"] for times in (1, 6)]
        yield Figure("PDFs of one page, memory grown", f"{5 * small} invoices",
                     peaks[1] - peaks[0], "MiB", bound="value <= 20")  # fmt: skip


def _vendor(small: int) -> Vendor:
    """Return a vendor with a group for each number of lines and firms of one line, billed."""
    vendor = vendor_with_prices()
    owners: list[str] = []
    rows = []
    for lines in _LINES:
        rows.append(account(f"L{lines}", billing_day=1))
        branches = max(1, lines // 20)
        rows += [
            account(f"L{lines}-{n}", f"L{lines}", bill_to=f"L{lines}") for n in range(branches)
        ]
        owners += [f"L{lines}-{n % branches}" for n in range(lines)]
    rows += [account(f"P{n}", billing_day=1) for n in range(small)]
    owners += [f"P{n}" for n in range(small)]
    vendor.has("accounts", *rows)
    load_subscriptions(vendor, owners)
    vendor.run(RUN_DATE)
    return vendor


def _invoice_id(vendor: Vendor, key: str) -> UUID:
    from invoicing.models import Invoice

    with vendor.seen():
        return Invoice.objects.get(bill_to__external_id=key).pk


def _print(tenant_id: UUID, *shares: list[UUID]) -> list[dict[str, float]]:
    """Render invoices, each share of them in a process of its own."""
    processes = [
        subprocess.Popen(
            [sys.executable, "-m", "benchmarks.printer", str(tenant_id), *map(str, share)],
            cwd=Path(__file__).parent.parent,
            env=os.environ,
            stdout=subprocess.PIPE,
            text=True,
        )
        for share in shares
    ]
    return [json.loads(process.communicate()[0]) for process in processes]
