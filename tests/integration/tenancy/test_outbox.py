"""The outbox: written with the event, taken up by one, again after silence, given up at last."""

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import connections

from billing_hierarchy.embedded.folders import project_folder
from tenancy.actor import Actor
from tenancy.database import scope
from tenancy.events import Happening, Reader, readers, record_event, register_reader
from tenancy.events.recording import record_events
from tenancy.ids import uuid7
from tenancy.models import Event, OutboxEntry
from tenancy.operations.outbox import (
    LEASE,
    USED_UP,
    claim_events,
    finish_events,
    postpone_event,
)
from tests.world import NOW

PAUSES = (timedelta(seconds=5), timedelta(minutes=5))
SECOND = timedelta(seconds=1)


@pytest.fixture(autouse=True)
def listeners(monkeypatch):
    monkeypatch.setattr(readers, "_REGISTERED", {})
    moved = {"tenant.clock_moved"}
    register_reader(Reader("mail", PAUSES, moved | {"tenant.operator_entered"}))
    register_reader(Reader("hooks", wants=moved))


def entered(n=0):
    return Happening("tenant.operator_entered", uuid7(), data={"reason": f"{n}"})


def tell(vendor, count=1):
    with vendor.seen():
        record_events(vendor.actor, [entered(n) for n in range(count)], now=NOW)


def claim(vendor, now=NOW, limit=100, reader="mail"):
    return claim_events(vendor.actor, reader, limit=limit, now=now)


def reasons(claimed):
    return [task.event.data["reason"] for task in claimed.tasks]


def rows(vendor):
    with vendor.seen():
        return list(OutboxEntry.objects.order_by("pk"))


def test_is_written_with_the_event_for_those_who_want_it(vendor):
    with vendor.seen():
        moved = Happening("tenant.clock_moved", uuid7(), data={"today": "2026-12-01"})
        silent = Happening("person.signed_in", uuid7())
        record_events(vendor.actor, [entered(), moved, silent], now=NOW)
        told = {
            (row.reader, row.event.kind, row.status)
            for row in OutboxEntry.objects.select_related("event")
        }

    assert told == {
        ("mail", "tenant.operator_entered", "waiting"),
        ("mail", "tenant.clock_moved", "waiting"),
        ("hooks", "tenant.clock_moved", "waiting"),
    }


def test_goes_with_the_transaction(vendor):
    with vendor.seen():
        before = Event.objects.count()

    def fails():
        with scope(vendor.tenant_id):
            record_event(vendor.actor, entered(), now=NOW)
            assert OutboxEntry.objects.count() == 1
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fails()

    assert rows(vendor) == []
    with vendor.seen():
        assert Event.objects.count() == before


def test_is_claimed_in_order_and_once(vendor):
    tell(vendor, 3)

    first, second, third = claim(vendor, limit=2), claim(vendor, limit=2), claim(vendor)

    assert (reasons(first), reasons(second), third.tasks) == (["0", "1"], ["2"], ())
    assert finish_events(vendor.actor, first, [task.id for task in first.tasks]) == 2
    assert [row.status for row in rows(vendor)] == ["done", "done", "waiting"]


def test_comes_again_after_silence_and_the_late_one_has_no_say(vendor):
    tell(vendor)
    late = claim(vendor)

    assert claim(vendor, NOW + LEASE - SECOND).tasks == ()
    again = claim(vendor, NOW + LEASE)

    assert [task.attempt for task in again.tasks] == [2]
    assert finish_events(vendor.actor, late, [late.tasks[0].id]) == 0
    problem = {"problem": "late", "now": NOW + LEASE}
    assert not postpone_event(vendor.actor, late, late.tasks[0], **problem)
    assert finish_events(vendor.actor, again, [again.tasks[0].id]) == 1
    assert claim(vendor, NOW + 10 * LEASE).tasks == ()


def test_is_tried_again_after_each_pause_and_then_given_up(vendor):
    tell(vendor)
    now = NOW
    for attempt, pause in enumerate(PAUSES, start=1):
        taken = claim(vendor, now)
        assert [task.attempt for task in taken.tasks] == [attempt]
        assert postpone_event(vendor.actor, taken, taken.tasks[0], problem="no answer", now=now)
        assert claim(vendor, now + pause - SECOND).tasks == ()
        now += pause
    taken = claim(vendor, now)
    assert postpone_event(vendor.actor, taken, taken.tasks[0], problem="x" * 999, now=now)

    (row,) = rows(vendor)
    assert (row.status, row.attempts, row.problem) == ("failed", 3, "x" * 200)
    assert claim(vendor, now + timedelta(days=9)).tasks == ()


def test_what_kills_whoever_takes_it_is_given_up(vendor):
    tell(vendor)
    for turn in range(3):
        assert len(claim(vendor, NOW + turn * LEASE).tasks) == 1
    assert claim(vendor, NOW + 3 * LEASE).tasks == ()

    (row,) = rows(vendor)
    assert (row.status, row.attempts, row.problem) == ("failed", 3, USED_UP)


def test_others_do_not_see_it(vendor, other_vendor):
    tell(vendor)

    taken = claim(other_vendor)

    assert taken.tasks == ()
    (row,) = rows(vendor)
    assert finish_events(other_vendor.actor, claim(vendor), [row.pk]) == 0


def test_no_two_get_the_same(committed_vendor):
    vendor = committed_vendor
    tell(vendor, 200)

    def take(_):
        got = []
        try:
            while tasks := claim_events(vendor.actor, "mail", limit=7, now=NOW).tasks:
                got += [task.id for task in tasks]
        finally:
            connections.close_all()
        return got

    with ThreadPoolExecutor(4) as threads:
        taken = [one for got in threads.map(take, range(4)) for one in got]

    assert sorted(taken) == [row.pk for row in rows(vendor)]


def test_passes_over_what_another_is_just_taking(committed_vendor):
    vendor = committed_vendor
    tell(vendor, 3)
    with scope(vendor.tenant_id), ThreadPoolExecutor(1) as threads:
        held = claim_events(vendor.actor, "mail", limit=2, now=NOW)

        def take():
            try:
                return claim_events(vendor.actor, "mail", limit=3, now=NOW)
            finally:
                connections.close_all()

        assert reasons(threads.submit(take).result(30)) == ["2"]
    assert reasons(held) == ["0", "1"]


@pytest.mark.parametrize("is_committed", [True, False])
def test_whoever_is_killed_half_way_loses_nothing(committed_vendor, is_committed):
    vendor = committed_vendor
    tell(vendor, 2)
    code = f"""
import os, django
from billing_hierarchy.embedded.joining import ensure_services
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "billing_hierarchy.settings")
ensure_services()
django.setup()
from contextlib import nullcontext
from datetime import datetime
from uuid import UUID
from tenancy.actor import Actor
from tenancy.database import scope
from tenancy.events import Reader, register_reader
from tenancy.operations.outbox import claim_events
register_reader(Reader("mail"))
actor = Actor.system(UUID("{vendor.tenant_id}"))
with nullcontext() if {is_committed} else scope(actor.tenant_id):
    assert len(claim_events(actor, "mail", limit=2, now=datetime.fromisoformat("{NOW}")).tasks) == 2
    os._exit(9)
"""
    killed = subprocess.run(
        [sys.executable, "-c", code],
        cwd=project_folder(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert killed.returncode == 9, killed.stderr

    assert reasons(claim(vendor, NOW)) == ([] if is_committed else ["0", "1"])
    assert reasons(claim(vendor, NOW + LEASE)) == ["0", "1"]


def test_the_task_of_the_system_may_claim(vendor):
    tell(vendor)
    assert len(claim_events(Actor.system(vendor.tenant_id), "mail", limit=1, now=NOW).tasks) == 1
