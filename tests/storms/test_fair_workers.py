"""Real workers, as ``serve`` starts them: what is large keeps nobody small waiting."""

import os
import signal
import subprocess
import time
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from functools import partial

import pytest

from billing_hierarchy.embedded.addresses import celery_url
from billing_hierarchy.embedded.folders import project_folder
from billing_hierarchy.management.commands import serve
from billing_hierarchy.task_queue import app
from invoicing import tasks
from invoicing.models import Invoice, Rendering, RunFamily, StoredDocument
from invoicing.operations.runs import request_run
from subscriptions import tasks as import_tasks
from subscriptions.operations.import_jobs import request_import
from tenancy.models import Job
from tests.world import NOW, TODAY, account, csv_of, make_vendor, price, subscription

DAY = date(2026, 12, 1)
SECONDS = 5
"""How long a run of one invoice may take while all the rest is going on."""
BUSY = 8
"""Where the machine itself is busy: so many times what the same takes without all the rest."""


@dataclass(frozen=True)
class Size:
    """How much is large."""

    families: int
    rows: int
    sections: int


SHORT = Size(families=3_000, rows=10_000, sections=600)
LONG = Size(families=10_000, rows=250_000, sections=3_000)


@pytest.fixture
def broker(monkeypatch):
    """Where messages of this test go to: not to workers of another, nor theirs to these."""
    address = os.environ["REDIS_URL"].replace("db=0", "db=9")
    monkeypatch.setenv("REDIS_URL", address)
    with app.connection_for_write(celery_url(address)) as connection:
        connection.default_channel.client.flushdb()
        for task in (tasks.work_on_run, tasks.render_document, import_tasks.work_on_import):
            send = partial(task.apply_async, connection=connection)
            monkeypatch.setattr(task, "apply_async", send)
        yield
        connection.default_channel.client.flushdb()


@contextmanager
def workers():
    """Start the workers of runs, documents and imports, and stop them and their children."""
    started = [
        subprocess.Popen(command, cwd=project_folder(), start_new_session=True)
        for name, command in serve._commands().items()
        if "worker" in name
    ]
    assert len(started) == 3
    try:
        yield
    finally:
        for process in started:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait(timeout=20)


def wait_for(what, seconds):
    """Wait until something is so, and return how long that took."""
    start = time.monotonic()
    while not what():
        assert time.monotonic() - start < seconds, "nothing came of it"
        time.sleep(0.05)
    return time.monotonic() - start


def small_run(vendor, day):
    """Ask for a run of one invoice, as the page does, and return how long it takes."""
    start = time.monotonic()
    run = request_run(vendor.actor, run_date=day, within=None, issue=True, today=TODAY, now=NOW)
    tasks.work_soon(run)

    def is_issued():
        with vendor.seen():
            return Invoice.objects.filter(run=run).exclude(number=None).exists()

    wait_for(is_issued, 120)
    return time.monotonic() - start


def with_lines(slug, keys, below=""):
    """Return a vendor of accounts, each with something due."""
    vendor = make_vendor(slug)
    above = [account(below, billing_day=1)] if below else []
    put = {"bill_to": below, "kind": "branch"} if below else {"billing_day": 1}
    vendor.has("accounts", *above, *(account(key, below, **put) for key in keys))
    vendor.has("prices", price("ten", "10"))
    vendor.has("subscriptions", *(subscription(key, key, "ten", "2026-12-01") for key in keys))
    return vendor


@pytest.mark.parametrize("size", [SHORT, pytest.param(LONG, marks=pytest.mark.long)])
def test_a_small_run_does_not_wait_for_large_work(committed_database, broker, size):
    small = with_lines("small", ["A"])
    large = with_lines("large", [f"L{n}" for n in range(size.families)])
    paper = with_lines("paper", [f"P{n}" for n in range(size.sections)], below="P")
    [document] = paper.run(DAY).invoice_ids
    files = make_vendor("files")
    content = csv_of([account(f"F{n}") for n in range(size.rows)])
    job = request_import(
        files.actor, "accounts", [content], file_name="a.csv", today=TODAY, now=NOW
    )

    with workers():
        wait_for(lambda: small_run(small, DAY), 120)
        alone = small_run(small, date(2027, 1, 1))
        tasks.render_soon(paper.actor, document)
        import_tasks.import_soon(files.actor, job.pk)

        def laid_out():
            with paper.seen():
                return Rendering.objects.exists() or StoredDocument.objects.exists()

        def read():
            with files.seen():
                return Job.objects.get(pk=job.pk).status != Job.Status.WAITING

        def billed():
            with large.seen():
                return Invoice.objects.filter(run=run).exclude(number=None).exists()

        wait_for(laid_out, 120)
        wait_for(read, 120)
        run = request_run(large.actor, run_date=DAY, within=None, issue=True, today=TODAY, now=NOW)
        tasks.work_soon(run)
        wait_for(billed, 120)
        took = [small_run(small, date(2027, month, 1)) for month in (2, 3, 4)]

        with large.seen():
            waiting = RunFamily.objects.filter(run=run, status=RunFamily.Status.WAITING)
            assert waiting.exists(), "the large run was over too soon to prove anything"

    assert max(took) <= max(SECONDS, BUSY * alone), (alone, took)
