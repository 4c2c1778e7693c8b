"""Files of every kind in three sizes: the memory of an import, and how much more a long one has."""

import csv
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Final

from django.db import connection

from benchmarks.figures import Figure
from benchmarks.vendors import vendor_with_prices
from tests.databases import clone
from tests.world import TODAY, account, price, subscription

SIZES: Final = (10_000, 50_000, 250_000)
KINDS: Final = ("accounts", "prices", "subscriptions", "contacts")
BRANCHES: Final = 100


def measure(*, is_quick: bool) -> Iterator[Figure]:
    """Yield the seconds and the peak of each import, and by how much the longest peaks higher."""
    sizes = [size // 10 for size in SIZES] if is_quick else SIZES
    with clone(), tempfile.TemporaryDirectory() as folder:
        vendor = vendor_with_prices()
        for kind in KINDS:
            peaks = []
            for size in sizes:
                file = Path(folder) / f"{kind}-{size}.csv"
                _write(file, _rows(kind, size))
                answer = imported(str(vendor.tenant_id), kind, file, today=TODAY)
                peaks.append(answer["peak_mib"])
                yield Figure(f"import of {kind}", f"{size} rows", answer["seconds"], "s",
                             peak_mib=answer["peak_mib"])  # fmt: skip
            yield Figure(f"import of {kind}, more memory", f"{sizes[1]} to {sizes[2]} rows",
                         peaks[2] - peaks[1], "MiB", bound="value <= 60")  # fmt: skip
        connection.close()


def imported(tenant_id: str, kind: str, file: Path, *, today: date) -> dict[str, float]:
    """Import a file in a process of its own; return what ``benchmarks.importer`` answers."""
    command = [sys.executable, "-m", "benchmarks.importer", tenant_id, kind, str(file), str(today)]
    done = subprocess.run(command, capture_output=True, check=True, env=os.environ)
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


def _write(file: Path, rows: Iterator[dict[str, object]]) -> None:
    first = next(rows)
    with file.open("w", encoding="utf-8", newline="") as text:
        writer = csv.DictWriter(text, [*first], restval="")
        writer.writeheader()
        writer.writerow(first)
        writer.writerows(rows)


def _rows(kind: str, size: int) -> Iterator[dict[str, object]]:
    for number in range(size):
        key, owner = f"{kind}-{size}-{number}", f"accounts-{size}-{number}"
        match kind:
            case "accounts":
                first = number - number % BRANCHES
                above = "" if number == first else f"accounts-{size}-{first}"
                yield account(key, above, billing_day=1 if not above else "")
            case "prices":
                yield price(key, "9.50", tax_rate=19)
            case "subscriptions":
                yield subscription(key, owner, "desk", "2026-12-01", 3)
            case _:
                yield {"external_id": key, "account_external_id": owner, "name": f"Name {number}",
                       "email": f"n{number}@example.org", "role": "viewer"}  # fmt: skip
