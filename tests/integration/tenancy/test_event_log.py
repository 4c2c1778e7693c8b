"""The log of events: read in the order of commits, however transactions overlap."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from threading import Event as Signal

import psycopg2
import pytest
from django.db import connections

from tenancy.database import scope
from tenancy.errors import NotFound
from tenancy.events import Happening, record_event
from tenancy.ids import uuid7
from tenancy.models import Event
from tenancy.queries.events import events_after
from tests.world import NOW


class Undone(Exception):
    """The transaction is rolled back."""


@contextmanager
def another_transaction(vendor, *reasons, undone=False):
    """Record events in a transaction of another connection that ends when the block does."""
    written, may_end = Signal(), Signal()

    def work():
        try:
            with scope(vendor.tenant_id):
                for reason in reasons:
                    tell(vendor, reason)
                written.set()
                assert may_end.wait(60)
                if undone:
                    raise Undone
        except Undone:
            pass
        finally:
            written.set()
            connections.close_all()

    with ThreadPoolExecutor(1) as threads:
        future = threads.submit(work)
        try:
            assert written.wait(60)
            yield
        finally:
            may_end.set()
        future.result()


def tell(vendor, reason):
    happening = Happening("tenant.operator_entered", uuid7(), data={"reason": reason})
    record_event(vendor.actor, happening, now=NOW)


def newest(vendor):
    with vendor.seen():
        return events_after(vendor.actor, None, limit=1000)[-1].pk


def read(vendor, after, limit=1000):
    with vendor.seen():
        found = events_after(vendor.actor, after, limit=limit)
    return [event.data["reason"] for event in found], (found[-1].pk if found else after)


def visible(vendor):
    with vendor.seen():
        events = Event.objects.filter(kind="tenant.operator_entered")
        return [event.data["reason"] for event in events.order_by("pk")]


def test_a_late_commit_is_not_skipped(committed_vendor):
    vendor = committed_vendor
    start = newest(vendor)
    with another_transaction(vendor, "late 1", "late 2"):
        with vendor.seen():
            tell(vendor, "early")
        # It is there for all to see, and whoever took it as the newest would lose the late ones.
        assert visible(vendor) == ["early"]
        assert read(vendor, start) == ([], start)

    reasons, position = read(vendor, start)
    assert reasons == ["late 1", "late 2", "early"]
    assert read(vendor, position) == ([], position)


def test_what_is_older_than_all_that_runs_is_not_held_back(committed_vendor):
    vendor = committed_vendor
    start = newest(vendor)
    with vendor.seen():
        tell(vendor, "before")
    with another_transaction(vendor, "running"):
        reasons, position = read(vendor, start)
        assert reasons == ["before"]
        with vendor.seen():
            tell(vendor, "after")
        assert read(vendor, position) == ([], position)

    assert read(vendor, position)[0] == ["running", "after"]


def test_other_databases_of_the_server_do_not_hold_it_back(committed_vendor):
    vendor = committed_vendor
    start = newest(vendor)
    to_another = {**connections["default"].get_connection_params(), "dbname": "postgres"}
    to_another.pop("cursor_factory", None)
    elsewhere = psycopg2.connect(**to_another)
    try:
        with elsewhere.cursor() as cursor:
            cursor.execute("SELECT pg_current_xact_id()")
        with vendor.seen():
            tell(vendor, "here")

        assert read(vendor, start)[0] == ["here"]
    finally:
        elsewhere.close()


def test_what_is_undone_was_never_there(committed_vendor):
    vendor = committed_vendor
    start = newest(vendor)
    with another_transaction(vendor, "undone", undone=True), vendor.seen():
        tell(vendor, "kept")

    assert read(vendor, start)[0] == ["kept"]


def test_every_reader_gets_all_once_while_many_write(committed_vendor):
    vendor = committed_vendor
    start = newest(vendor)
    everything = {
        f"{writer}/{turn}/{n}" for writer in range(4) for turn in range(8) for n in (1, 2)
    }

    def write(writer):
        try:
            for turn in range(8):
                with scope(vendor.tenant_id):
                    tell(vendor, f"{writer}/{turn}/1")
                    connections["default"].cursor().execute("SELECT pg_sleep(0.01)")
                    tell(vendor, f"{writer}/{turn}/2")
        finally:
            connections.close_all()

    got, position = [], start
    with ThreadPoolExecutor(4) as threads:
        writing = [threads.submit(write, writer) for writer in range(4)]
        while not all(one.done() for one in writing):
            reasons, position = read(vendor, position, limit=3)
            got += reasons
        for one in writing:
            one.result()
    while reasons := read(vendor, position, limit=3)[0]:
        got += reasons
        position = read(vendor, position, limit=3)[1]

    assert len(got) == len(everything)
    assert set(got) == everything


def test_a_place_of_another_tenant_is_no_place(vendor, other_vendor):
    with other_vendor.seen():
        theirs = Event.objects.first().pk
    with vendor.seen(), pytest.raises(NotFound):
        events_after(vendor.actor, theirs, limit=10)
