"""Ids are of version 7 and in the order in which a process makes them."""

import os
from uuid import RFC_4122, UUID

from tenancy.ids import uuid7, uuid7s


def test_rises_from_one_to_the_next():
    made = [uuid7() for _ in range(20_000)]

    assert made == sorted(made)
    assert len(set(made)) == len(made)
    assert {one.version for one in made} == {7}
    assert {one.int >> 62 & 0b11 for one in made} == {0b10}


def test_begins_with_the_milliseconds(monkeypatch):
    monkeypatch.setattr("time.time_ns", lambda: 1_795_000_000_123_500_000)

    one = uuid7()

    assert one.int >> 80 == 1_795_000_000_123
    assert one.int >> 64 & 0xFFF == 2048


def test_makes_many_ids_in_order_each_once():
    before = uuid7()
    made = uuid7s(10_000)

    assert made == sorted(set(made))
    assert {(one.version, one.variant) for one in made} == {(7, RFC_4122)}
    # They are dated from now on, a quarter of a microsecond after each other.
    assert before.int >> 80 <= made[0].int >> 80 <= made[-1].int >> 80 <= (made[0].int >> 80) + 3
    assert uuid7s(0) == []


def test_a_process_that_was_forked_off_has_random_bits_of_its_own():
    uuid7()
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.write(writing, " ".join(str(uuid7()) for _ in range(100)).encode())
        os._exit(0)
    ours = {one.int & (1 << 62) - 1 for one in (uuid7() for _ in range(100))}
    os.waitpid(child, 0)
    theirs = {UUID(one).int & (1 << 62) - 1 for one in os.read(reading, 10_000).decode().split()}

    assert len(ours | theirs) == 200
