"""Files that are refused: how long it takes to say why."""

import time
from collections.abc import Iterator

from accounts import tree
from benchmarks.figures import Figure
from benchmarks.vendors import vendor_with_prices
from tests.databases import clone

ROWS = 10_000


def measure(*, is_quick: bool) -> Iterator[Figure]:
    """Yield what it takes to refuse accounts that each stand below the next, without a top."""
    rows = ROWS // 10 if is_quick else ROWS
    lines = ["external_id,name,kind,parent_external_id"]
    lines += [f"k{n},k{n},company,k{n + 1}" for n in range(rows)]
    with clone():
        vendor = vendor_with_prices()
        start = time.process_time()
        report = vendor.load("accounts", "\n".join(lines).encode())
        seconds = time.process_time() - start
        assert len(report.errors) >= rows - tree.MAX_DEPTH
    yield Figure("import refused, a chain without a top", f"{rows} rows", seconds, "s",
                 bound="value <= 6")  # fmt: skip
