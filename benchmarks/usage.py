"""A million events: imported, reported over the API, and charged.

On the clock, and what it took of the processor, here and in the database: that hardly changes with
what else the machine does.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date, timedelta
from pathlib import Path
from typing import Final
from uuid import UUID

from django.db import connection
from django.test import Client
from django.test.utils import setup_test_environment

from benchmarks.figures import Figure
from benchmarks.imports import imported
from benchmarks.processor import Processor, processor
from benchmarks.run import bill
from benchmarks.vendors import BRANCHES, RUN_DATE, families_of
from invoicing.models import RunFamily
from invoicing.operations.runs import FAMILIES_PER_BATCH, request_run
from invoicing.operations.runs.loading import load_families
from invoicing.operations.runs.rating import rate_due_items
from subscriptions.models import UsageDay
from subscriptions.operations.catalogue.meters import NewMeter, create_meter
from subscriptions.operations.importing import import_usage
from tenancy.actor import Actor
from tenancy.collecting import collecting_afterwards
from tenancy.database import scope
from tests.databases import clone
from tests.world import NOW, Vendor, make_vendor, price, subscription

EVENTS: Final = 1_000_000
SUBSCRIPTIONS: Final = 20_000
_FILES: Final = 4
_OVER_THE_API: Final = 100_000
_AT_ONCE: Final = 1_000
_MONTH: Final = 30
START: Final = date(2026, 11, 1)
END: Final = RUN_DATE
_HEADER: Final = "event_id,subscription_external_id,meter,quantity,at\n"


def measure(*, is_quick: bool) -> Iterator[Figure]:
    """Yield how many events come in a second, and how many subscriptions are rated from them."""
    share = 10 if is_quick else 1
    events, subscriptions = EVENTS // share, SUBSCRIPTIONS // share
    setup_test_environment()
    with clone() as database:
        vendor = _vendor(subscriptions)
        yield from _imported(vendor, events, subscriptions)
        yield from _reported(vendor, _OVER_THE_API // share, subscriptions)
        yield _again(vendor, subscriptions)
        connection.close()
        with clone(database):
            yield from _rated(vendor, subscriptions)
            connection.close()
        with clone(database):
            yield _billed(vendor, subscriptions)


def _vendor(subscriptions: int) -> Vendor:
    vendor = make_vendor("bench", clock=END)
    create_meter(vendor.actor, NewMeter("calls", "API calls", "sum", "call"), now=NOW)
    vendor.has(
        "prices",
        price("calls", model="graduated", timing="arrears", meter="calls", tax_rate=19,
              tiers="1000:0.02:0|inf:0.015:0"),
    )  # fmt: skip
    families = max(1, subscriptions // 50)
    vendor.has("accounts", *families_of(families))
    vendor.has(
        "subscriptions",
        *(
            subscription(f"S{number}", f"F{number % families}-{number % BRANCHES}", "calls",
                         START.isoformat())
            for number in range(subscriptions)
        ),
    )  # fmt: skip
    return vendor


def _event(number: int, subscriptions: int) -> tuple[str, str, str, str]:
    day = START + timedelta(days=number // subscriptions % _MONTH)
    at = f"{day}T{number % 24:02}:{number % 60:02}:07Z"
    return f"e{number}", f"S{number % subscriptions}", str(1 + number % 97), at


def _file(first: int, count: int, subscriptions: int) -> str:
    rows = (_event(number, subscriptions) for number in range(first, first + count))
    return _HEADER + "".join(f"{key},{owner},calls,{much},{at}\n" for key, owner, much, at in rows)


def _imported(vendor: Vendor, events: int, subscriptions: int) -> Iterator[Figure]:
    """Import files, each by a process of its own, as workers do."""
    each, answers = events // _FILES, []
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "usage.csv"
        for place in range(_FILES):
            file.write_text(_file(place * each, each, subscriptions), encoding="ascii")
            answers.append(imported(str(vendor.tenant_id), "usage", file, today=END))
    assert all(answer["created"] == each for answer in answers)
    size = f"{events} events, {subscriptions} subscriptions, {_FILES} files"
    yield Figure("usage, imported", size,
                 events / sum(answer["seconds"] for answer in answers), "events/s",
                 peak_mib=max(answer["peak_mib"] for answer in answers),
                 bound="value >= 20000, peak_mib <= 120")  # fmt: skip
    yield Figure("usage, imported, processor", size,
                 events / sum(answer["processor_seconds"] for answer in answers),
                 "events/s")  # fmt: skip


def _reported(vendor: Vendor, events: int, subscriptions: int) -> Iterator[Figure]:
    """Report over the API: from the request's bytes to the answer's, the network left out."""
    client = Client(HTTP_AUTHORIZATION=f"Bearer {vendor.api_key}")
    seconds, taken = 0.0, Processor()
    # The first request reads the program; it is none of those that count.
    for first in range(EVENTS - _AT_ONCE, EVENTS + events, _AT_ONCE):
        body = [
            {
                "event_id": f"api-{key}",
                "subscription": f"ext:{owner}",
                "meter": "ext:calls",
                "quantity": quantity,
                "at": at,
            }
            for key, owner, quantity, at in (
                _event(number, subscriptions) for number in range(first, first + _AT_ONCE)
            )
        ]
        content = json.dumps(body)
        with processor() as now:
            start = time.monotonic()
            answer = client.post("/api/v1/usage", content, content_type="application/json")
            passed = time.monotonic() - start
        assert answer.status_code == 200, answer.content
        assert answer.json()["accepted"] == _AT_ONCE
        if first >= EVENTS:
            seconds += passed
            taken.python += now.python
            taken.database += now.database
    size = f"{events} events, {_AT_ONCE} at once"
    yield Figure("usage, reported over the API", size, events / seconds, "events/s",
                 bound="value >= 5000")  # fmt: skip
    yield Figure("usage, reported over the API, processor", size, events / taken.both, "events/s")


def _again(vendor: Vendor, subscriptions: int) -> Figure:
    content, start = _file(0, 20_000, subscriptions).encode(), time.monotonic()
    report = import_usage(vendor.actor, content, is_dry_run=False, today=END, now=NOW)
    assert (report.created, report.unchanged) == (0, 20_000)
    return Figure("usage, sent again", "20000 events", 20_000 / (time.monotonic() - start),
                  "events/s")  # fmt: skip


def _rated(vendor: Vendor, subscriptions: int) -> Iterator[Figure]:
    """Rate in a run's batches and its transactions: everything but the documents.

    In the time are: to lock and read the families with their settings, to lock and read what is
    due with terms and prices, what was measured day by day, periods begun and stored, charges with
    their explanations, and chains stored. Not in it are who is invoiced, tax, and the documents,
    with which the charges are stored: these are in ``usage, rated and issued``.
    """
    run = request_run(vendor.actor, run_date=END, within=None, issue=False, today=END, now=NOW)
    with vendor.seen():
        days = UsageDay.objects.count()
    size = f"{subscriptions} subscriptions from {days} days, without documents"
    with _kept_apart():
        start = time.monotonic()
        with processor() as taken:
            charges = rate(vendor.actor, batches_of(vendor.actor, run.pk))
        seconds = time.monotonic() - start
    assert charges == subscriptions
    yield Figure("usage, rated", size, subscriptions / seconds, "subscriptions/s")
    yield Figure("usage, rated, processor", size, subscriptions / taken.both, "subscriptions/s")
    with _kept_apart():
        seconds = _rated_together(vendor, run.pk, subscriptions)
    yield Figure("usage, rated by two workers", size, subscriptions / seconds, "subscriptions/s",
                 bound="value >= 10000")  # fmt: skip


@contextmanager
def _kept_apart() -> Iterator[None]:
    """Let what is rated be rated again afterwards, from the same database."""
    name = str(connection.settings_dict["NAME"])
    connection.close()
    with clone(name):
        yield
        connection.close()


def batches_of(actor: Actor, run_id: UUID) -> list[list[UUID]]:
    """Return the roots of a run's families, a batch of a worker at a time."""
    with scope(actor.tenant_id):
        found = RunFamily.objects.filter(run_id=run_id).order_by("position", "id")
        roots = list(found.values_list("root_id", flat=True))
    return [
        roots[place : place + FAMILIES_PER_BATCH]
        for place in range(0, len(roots), FAMILIES_PER_BATCH)
    ]


def rate(actor: Actor, batches: Sequence[Sequence[UUID]]) -> int:
    """Rate what is due of families, each batch in a transaction, and return how many charges."""
    charges = 0
    for batch in batches:
        with collecting_afterwards(), scope(actor.tenant_id):
            families = load_families(actor, batch, None)
            charges += len(rate_due_items(families, run_date=END))
    return charges


def _rated_together(vendor: Vendor, run_id: UUID, subscriptions: int) -> float:
    """Rate by two processes that share the batches; return the seconds until both are through."""
    processes = [
        subprocess.Popen(
            [sys.executable, "-m", "benchmarks.rater", str(vendor.tenant_id), str(run_id),
             str(part), "2"],
            cwd=Path(__file__).parent.parent,
            env=os.environ,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for part in range(2)
    ]  # fmt: skip
    for process in processes:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    start = time.monotonic()
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    charges = [int(process.communicate()[0]) for process in processes]
    assert sum(charges) == subscriptions
    return time.monotonic() - start


def _billed(vendor: Vendor, subscriptions: int) -> Figure:
    """Bill as a worker does: rated, invoiced and issued."""
    billed = bill(vendor.tenant_id, 1)
    assert billed.invoices > 0
    size = f"{subscriptions} subscriptions, {billed.invoices} invoices, one worker"
    return Figure("usage, rated and issued", size, subscriptions / billed.seconds,
                  "subscriptions/s", peak_mib=billed.peak_mib,
                  bound="peak_mib <= 120")  # fmt: skip
