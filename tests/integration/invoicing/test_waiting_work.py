"""The timetable's one look: what waits in whose queue, and turns that leave room for others."""

from datetime import date

import pytest
from django.db import connections
from django.test.utils import CaptureQueriesContext

from invoicing import tasks
from invoicing.models import DocumentToMake, Invoice, Rendering, RunFamily
from invoicing.operations.clock_jobs import request_clock_move
from invoicing.operations.rendering import render_waiting
from invoicing.operations.runs import request_run
from subscriptions import tasks as import_tasks
from subscriptions.operations.import_jobs import request_import
from tenancy.database.work import WaitingWork, waiting_work
from tenancy.ids import uuid7
from tenancy.tasks import TURNS_IN_ALL, look_for_work, priority_of_rest
from tests.world import NOW, TODAY, account, csv_of, make_vendor, price, subscription

DAY = date(2026, 12, 1)


@pytest.fixture
def vendor(committed_vendor):
    return committed_vendor


@pytest.fixture
def sent(monkeypatch):
    """The messages that would be sent: the task, what for, and until when they hold."""
    messages = []
    for task in (tasks.work_on_run, tasks.render_documents, tasks.work_on_clock_move,
                 import_tasks.work_on_import):  # fmt: skip

        def send(task=task, **values):
            messages.append((task.name.rpartition(".")[2], values.get("kwargs", values)))
            assert values.get("expires", 15) == 15

        monkeypatch.setattr(task, "apply_async", send)
        monkeypatch.setattr(task, "delay", send)
    return messages


def due(vendor, accounts):
    vendor.has("accounts", *(account(key, billing_day=1) for key in accounts))
    vendor.has("prices", price("ten", "10"))
    vendor.has("subscriptions", *(subscription(key, key, "ten", "2026-12-01") for key in accounts))


def request(vendor):
    return request_run(vendor.actor, run_date=DAY, within=None, issue=True, today=TODAY, now=NOW)


def found(queue):
    return [(work.tenant_id, work.key) for work in waiting_work() if work.queue == queue]


def test_nothing_waits_where_nothing_is(vendor):
    make_vendor("other")

    with CaptureQueriesContext(connections["maintenance"]) as asked:
        assert waiting_work() == []

    assert len(asked) == 1


def test_takes_up_a_run_that_somebody_left(vendor, sent):
    due(vendor, "A")
    run = request(vendor)

    look_for_work()

    message = {"tenant_id": str(vendor.tenant_id), "run_id": str(run.pk)}
    assert sent == [("work_on_run", message)]
    tasks.work_on_run(**message)
    assert [d["number"] for d in vendor.documents()] == ["RE-2026-000001"]
    assert found("runs") == []


def test_leaves_a_run_alone_that_is_worked_on(vendor, monkeypatch, sent):
    due(vendor, "ABC")
    run = request(vendor)
    monkeypatch.setattr("invoicing.operations.runs.working.FAMILIES_PER_BATCH", 1)
    monkeypatch.setattr(tasks, "TURN_SECONDS", 0)

    tasks.work_on_run(tenant_id=str(vendor.tenant_id), run_id=str(run.pk))

    # One batch, then it goes on behind what else waits, without help from the timetable.
    assert len(vendor.documents()) == 1
    message = {"tenant_id": str(vendor.tenant_id), "run_id": str(run.pk)}
    assert sent == [("work_on_run", message)]
    assert found("runs") == []
    with vendor.seen():
        RunFamily.objects.exclude(done_at=None).update(done_at=NOW.replace(year=2020))
    assert found("runs") == [(vendor.tenant_id, str(run.pk))]


def test_turns_end_with_the_books_of_an_undisturbed_run(vendor, monkeypatch, sent):
    due(vendor, "ABC")
    run = request(vendor)
    monkeypatch.setattr("invoicing.operations.runs.working.FAMILIES_PER_BATCH", 1)
    monkeypatch.setattr(tasks, "TURN_SECONDS", 0)
    sent.append(("work_on_run", {"tenant_id": str(vendor.tenant_id), "run_id": str(run.pk)}))

    turns = 0
    while sent:
        tasks.work_on_run(**sent.pop()[1])
        turns += 1

    assert turns == 3
    assert [d["number"] for d in vendor.documents()] == [
        f"RE-2026-{number:06d}" for number in (1, 2, 3)
    ]
    with vendor.seen():
        run.refresh_from_db()
    assert run.finished_at is not None
    assert vendor.violations() == []


def test_finds_documents_without_files_until_they_are_made(vendor):
    due(vendor, "AB")
    assert found("documents") == []

    vendor.run("2026-12-01")

    assert found("documents") == [(vendor.tenant_id, "1")]
    assert render_waiting(vendor.actor, limit=5, now=NOW) == 2
    assert found("documents") == []
    with vendor.seen():
        assert not DocumentToMake.objects.exists()


def test_calls_more_workers_for_many_documents_but_not_all(vendor):
    due(vendor, "A")
    vendor.run("2026-12-01")
    with vendor.seen():
        invoice = Invoice.objects.get()
    for count, calls in ((19, 1), (20, 2), (59, 3), (200, 4)):
        with connections["owner"].cursor() as cursor:
            # As if so many waited: the queue alone is asked.
            cursor.execute("ALTER TABLE invoicing_documenttomake NO FORCE ROW LEVEL SECURITY")
            cursor.execute("DELETE FROM invoicing_documenttomake")
            cursor.execute("ALTER TABLE invoicing_documenttomake DROP CONSTRAINT IF EXISTS"
                           " document_to_make_once")  # fmt: skip
            cursor.execute(
                "INSERT INTO invoicing_documenttomake (id, tenant_id, invoice_id)"
                " SELECT gen_random_uuid(), %s, %s FROM generate_series(1, %s)",
                [vendor.tenant_id, invoice.pk, count],
            )

        assert len(found("documents")) == calls


@pytest.mark.parametrize("state", ["claimed", "given up"])
def test_calls_nobody_for_what_is_made_or_given_up(vendor, state):
    due(vendor, "A")
    vendor.run("2026-12-01")
    with vendor.seen():
        Rendering.objects.create(
            tenant_id=vendor.tenant_id,
            invoice=Invoice.objects.get(),
            attempts=1,
            token=uuid7(),
            blocked_until=NOW.replace(year=2100 if state == "claimed" else 2020),
            given_up_at=NOW if state == "given up" else None,
        )

    assert found("documents") == []


def test_finds_jobs_that_nobody_works_on(vendor, sent):
    imported = request_import(
        vendor.actor, "accounts", [csv_of([account("B")])], file_name="b.csv", today=TODAY, now=NOW
    )
    moved = request_clock_move(vendor.actor, to_date=DAY, now=NOW)

    look_for_work()

    of = {"tenant_id": str(vendor.tenant_id)}
    assert sorted(sent) == [
        ("work_on_clock_move", {**of, "job_id": str(moved)}),
        ("work_on_import", {**of, "job_id": str(imported.pk)}),
    ]
    assert {work.queue for work in waiting_work()} == {"clock moves", "imports"}
    assert all(isinstance(work, WaitingWork) for work in waiting_work())


def test_finds_the_work_of_every_tenant(vendor):
    other = make_vendor("other")
    for one in (vendor, other):
        due(one, "A")
        request(one)

    assert {tenant_id for tenant_id, _key in found("runs")} == {vendor.tenant_id, other.tenant_id}


def test_what_goes_on_does_not_always_stand_behind_what_is_new():
    turns = [priority_of_rest() for _ in range(2 * TURNS_IN_ALL)]

    assert turns.count(0) == 2
    assert turns.count(tasks.GOES_ON) == 2 * TURNS_IN_ALL - 2
