"""What people wait for around a run: preview, drafts compared, documents compared, approval."""

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date

from benchmarks.figures import Figure
from benchmarks.vendors import RUN_DATE, tenant_of, vendor_of_families
from invoicing.models import BillingRun
from invoicing.operations.runs import (
    RunPreview,
    approve_run,
    preview_run,
    run_billing,
    work_on_run,
)
from invoicing.operations.runs.changed import compare_drafts
from invoicing.queries.run_comparison import comparison_of
from invoicing.queries.run_figures import digest_of, drafts_seen
from tenancy.actor import Actor
from tenancy.database import scope
from tenancy.models import Tenant
from tests.databases import clone
from tests.world import NOW

NEXT_DATE = date(2027, 1, 1)


def measure(*, is_quick: bool) -> Iterator[Figure]:
    """Yield figures of 1,000 drafts with 10,000 subscriptions, and of 50,000 accounts."""
    share = 10 if is_quick else 1
    yield from _measured(1_000 // share, 10_000 // share)
    yield from _measured(4_545 // share, 4_545 // share)


def _measured(families: int, subscriptions: int) -> Iterator[Figure]:
    size = f"{families} drafts, {subscriptions} subscriptions, {families * 11} accounts"
    with clone():
        vendor_of_families(families, subscriptions)
        actor = replace(Actor.system(tenant_of(), origin="benchmark"), today=RUN_DATE)
        slowest, total, parts = _preview(actor)
        yield Figure("preview of a run, its slowest part", size, slowest, "s",
                     bound="value <= 3")  # fmt: skip
        yield Figure(f"preview of a run, all of its {parts} parts", size, total, "s")
        _draft(actor, RUN_DATE)
        slowest, total, parts = _compare(actor, RUN_DATE)
        yield Figure("drafts compared with what holds, slowest part", size, slowest, "s",
                     bound="value <= 1")  # fmt: skip
        yield Figure(f"drafts compared with what holds, all {parts} parts", size, total, "s")
        asked, issued = _approve(actor, RUN_DATE, families)
        yield Figure("approval of a run, until the page answers", size, asked, "s",
                     bound="value <= 1")  # fmt: skip
        yield Figure("approval of a run, issued by one worker", size, issued, "s")
        _draft(actor, NEXT_DATE)
        seconds = _timed(lambda: comparison_of(actor, _run(actor, NEXT_DATE)), actor)
        yield Figure("documents compared with those before", size, seconds, "s",
                     bound="value <= 0.5")  # fmt: skip


def _timed(work: Callable[[], object], actor: Actor) -> float:
    with scope(actor.tenant_id):
        start = time.monotonic()
        work()
        return time.monotonic() - start


def _run(actor: Actor, day: date) -> BillingRun:
    return BillingRun.objects.get(tenant_id=actor.tenant_id, date=day)


def _draft(actor: Actor, day: date) -> None:
    run_billing(actor, run_date=day, within=None, issue=False, today=day, now=NOW)


def _preview(actor: Actor) -> tuple[float, float, int]:
    """Return the slowest part of a preview, all of them, and how many they were."""
    seconds, found = [], RunPreview()
    while not seconds or not found.is_whole:
        with scope(actor.tenant_id):
            tenant, start = Tenant.objects.get(pk=actor.tenant_id), time.monotonic()
            found = preview_run(
                actor, run_date=RUN_DATE, within=None, tenant=tenant, now=NOW, so_far=found
            )
        seconds.append(time.monotonic() - start)
    return max(seconds), sum(seconds), len(seconds)


def _compare(actor: Actor, day: date) -> tuple[float, float, int]:
    seconds: list[float] = []
    last = None
    while not seconds or last is not None:
        with scope(actor.tenant_id):
            tenant, run = Tenant.objects.get(pk=actor.tenant_id), _run(actor, day)
            start = time.monotonic()
            found = compare_drafts(actor, run, tenant=tenant, after=last)
        seconds.append(time.monotonic() - start)
        assert (found.changed, found.passed_over) == ((), 0)
        last = found.last
    return max(seconds), sum(seconds), len(seconds)


def _approve(actor: Actor, day: date, drafts: int) -> tuple[float, float]:
    """Return how long asking takes, and issuing by one worker."""
    start = time.monotonic()
    with scope(actor.tenant_id):
        run = _run(actor, day)
        seen = digest_of(drafts_seen(actor, run.pk))
    approve_run(actor, run.pk, seen, now=NOW)
    asked = time.monotonic()
    report = work_on_run(actor, run.pk, today=day, now=NOW)
    assert len(report.invoice_ids) == drafts
    return asked - start, time.monotonic() - asked
