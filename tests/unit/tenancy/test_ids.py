"""Ids are of version 7 and in the order in which a process makes them."""

from tenancy.ids import uuid7


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
