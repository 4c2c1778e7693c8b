"""A million events: imported, reported over the API, and charged."""

import io
import json
import time
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Final

from django.db import connection
from django.test import Client
from django.test.utils import setup_test_environment

from benchmarks.figures import Figure
from benchmarks.vendors import BRANCHES, families_of
from benchmarks.worker import peak_mib
from invoicing.engine.families import Families
from invoicing.models import RunFamily
from invoicing.operations.runs import request_run
from invoicing.operations.runs.loading import load_families
from invoicing.operations.runs.rating import rate_due_items
from subscriptions.models import UsageDay
from subscriptions.operations.catalogue.meters import NewMeter, create_meter
from subscriptions.operations.importing import import_usage
from tests.databases import clone
from tests.world import NOW, Vendor, make_vendor, price, subscription

EVENTS: Final = 1_000_000
SUBSCRIPTIONS: Final = 20_000
_FILES: Final = 4
_OVER_THE_API: Final = 100_000
_AT_ONCE: Final = 1_000
_MONTH: Final = 30
START: Final = date(2026, 11, 1)
END: Final = date(2026, 12, 1)


def measure(*, is_quick: bool) -> Iterator[Figure]:
    """Yield how many events come in a second, and how many subscriptions are rated from them."""
    share = 10 if is_quick else 1
    events, subscriptions = EVENTS // share, SUBSCRIPTIONS // share
    setup_test_environment()
    with clone():
        vendor = _vendor(subscriptions)
        yield _imported(vendor, events, subscriptions)
        yield _reported(vendor, _OVER_THE_API // share, subscriptions)
        yield _again(vendor, subscriptions)
        yield _rated(vendor, subscriptions)
        connection.close()


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


def _imported(vendor: Vendor, events: int, subscriptions: int) -> Figure:
    seconds, each = 0.0, events // _FILES
    for place in range(_FILES):
        text = io.StringIO()
        text.write("event_id,subscription_external_id,meter,quantity,at\n")
        for number in range(place * each, (place + 1) * each):
            key, owner, quantity, at = _event(number, subscriptions)
            text.write(f"{key},{owner},calls,{quantity},{at}\n")
        content, start = text.getvalue().encode(), time.monotonic()
        report = import_usage(vendor.actor, content, is_dry_run=False, today=END, now=NOW)
        seconds += time.monotonic() - start
        assert report.created == each, report.errors[:3]
    return Figure("usage, imported", f"{events} events, {subscriptions} subscriptions",
                  events / seconds, "events/s", peak_mib=peak_mib(),
                  bound="value >= 20000")  # fmt: skip


def _reported(vendor: Vendor, events: int, subscriptions: int) -> Figure:
    client = Client(HTTP_AUTHORIZATION=f"Bearer {vendor.api_key}")
    seconds = 0.0
    for first in range(EVENTS, EVENTS + events, _AT_ONCE):
        body = [
            {
                "event_id": key,
                "subscription": f"ext:{owner}",
                "meter": "ext:calls",
                "quantity": quantity,
                "at": at,
            }
            for key, owner, quantity, at in (
                _event(number, subscriptions) for number in range(first, first + _AT_ONCE)
            )
        ]
        content, start = json.dumps(body), time.monotonic()
        answer = client.post("/api/v1/usage", content, content_type="application/json")
        seconds += time.monotonic() - start
        assert answer.status_code == 200, answer.content
        assert answer.json()["accepted"] == _AT_ONCE
    return Figure("usage, reported over the API", f"{events} events, {_AT_ONCE} at once",
                  events / seconds, "events/s", bound="value >= 5000")  # fmt: skip


def _again(vendor: Vendor, subscriptions: int) -> Figure:
    text = "event_id,subscription_external_id,meter,quantity,at\n" + "".join(
        f"{key},{owner},calls,{quantity},{at}\n"
        for key, owner, quantity, at in (_event(number, subscriptions) for number in range(20_000))
    )
    start = time.monotonic()
    report = import_usage(vendor.actor, text.encode(), is_dry_run=False, today=END, now=NOW)
    assert (report.created, report.unchanged) == (0, 20_000)
    return Figure("usage, sent again", "20000 events", 20_000 / (time.monotonic() - start),
                  "events/s")  # fmt: skip


def _rated(vendor: Vendor, subscriptions: int) -> Figure:
    """Rate in a run's batches and its transactions: everything but the documents."""
    run = request_run(vendor.actor, run_date=END, within=None, issue=False, today=END, now=NOW)
    with vendor.seen():
        found = RunFamily.objects.filter(run_id=run.pk).order_by("position", "id")
        roots = list(found.values_list("root_id", flat=True))
        days = UsageDay.objects.count()
    charges, start = 0, time.monotonic()
    for place in range(0, len(roots), 25):
        with vendor.seen():
            families: Families = load_families(vendor.actor, roots[place : place + 25], None)
            charges += len(rate_due_items(families, run_date=END))
    seconds = time.monotonic() - start
    assert charges == subscriptions
    return Figure("usage, rated", f"{subscriptions} subscriptions from {days} days",
                  subscriptions / seconds, "subscriptions/s", bound="value >= 10000")  # fmt: skip
