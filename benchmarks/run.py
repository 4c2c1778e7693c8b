"""A billing run over very many families: against the floor, with two workers, at two sizes."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

from django.db import connection

from benchmarks.figures import Figure
from benchmarks.floor import Floor, measure_floor
from benchmarks.vendors import tenant_of, vendor_of_families
from tests.databases import clone

FAMILIES = 2_000
SUBSCRIPTIONS = 100_000


@dataclass(frozen=True, slots=True)
class Billed:
    """What workers took for a run: on the clock, and together of the processor."""

    seconds: float
    processor: float
    invoices: int
    peak_mib: float


def measure(*, is_quick: bool) -> Iterator[Figure]:
    """Yield the figures of runs over one and over ten tenths of the customers."""
    share = 10 if is_quick else 1
    families, subscriptions = FAMILIES // share, SUBSCRIPTIONS // share
    with due(families // 10, subscriptions // 10) as database:
        small, _floor = _billed(database, workers=1)
    with due(families, subscriptions) as database:
        one, floor = _billed(database, workers=1, has_floor=True)
        two, _floor = _billed(database, workers=2)
    assert one.invoices == two.invoices == families
    size = f"{subscriptions} subscriptions, {families} invoices"
    assert floor is not None
    yield Figure("run, one worker", size, one.seconds, "s", floor.seconds, one.peak_mib,
                 "ratio <= 4, peak_mib <= 120")  # fmt: skip
    yield Figure("run, one worker, processor", size, one.processor, "s", floor.processor)
    yield Figure("run, two workers", size, two.seconds, "s", floor.seconds, two.peak_mib,
                 "peak_mib <= 120")  # fmt: skip
    yield Figure("run, two workers, processor", size, two.processor, "s", floor.processor)
    yield Figure("run, speed-up by a second worker", size, one.seconds / two.seconds, "times",
                 bound="value >= 1.7")  # fmt: skip
    growth = (one.seconds / subscriptions) / (small.seconds / (subscriptions // 10))
    yield Figure("run, cost of a line against a tenth of the size", size, growth, "times",
                 bound="value <= 1.2")  # fmt: skip


@contextmanager
def due(families: int, subscriptions: int) -> Iterator[str]:
    """Yield the name of a database in which these are due."""
    with clone() as name:
        vendor_of_families(families, subscriptions)
        connection.close()
        yield name


def _billed(database: str, *, workers: int, has_floor: bool = False) -> tuple[Billed, Floor | None]:
    with clone(database):
        tenant_id = tenant_of()
        connection.close()
        billed = bill(tenant_id, workers)
        return billed, measure_floor(tenant_id) if has_floor else None


def bill(tenant_id: UUID, workers: int) -> Billed:
    """Bill with some workers at once, each a process of its own; the first asks for the run."""
    processes = [
        subprocess.Popen(
            [sys.executable, "-m", "benchmarks.worker", str(tenant_id), *(["helps"] if n else [])],
            cwd=Path(__file__).parent.parent,
            env=os.environ,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for n in range(workers)
    ]
    for process in processes:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    start = time.monotonic()
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    answers = [json.loads(process.communicate()[0]) for process in processes]
    return Billed(
        seconds=time.monotonic() - start,
        processor=sum(answer["python_seconds"] + answer["database_seconds"] for answer in answers),
        # Who asked for the run says what came of it, whoever made it.
        invoices=answers[0]["invoices"],
        peak_mib=max(answer["peak_mib"] for answer in answers),
    )
