"""What one setting is, day by day."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing_rules.timelines import Stretch, altered, changed, changes_after, held_on, unchanged

FIRST = date(2026, 1, 1)
DAYS = 40


def day(number: int) -> date:
    return FIRST + timedelta(days=number)


def value_on(timeline, when):
    held = held_on(timeline, when)
    return None if held is None else held.value


def test_a_change_ends_what_held_and_begins_the_new():
    before = [Stretch(day(0), None, "a")]

    assert changed(before, day(5), "b") == [
        Stretch(day(0), day(5), "a"),
        Stretch(day(5), None, "b"),
    ]
    assert changed(before, day(5), None) == [Stretch(day(0), day(5), "a")]
    assert changed([], day(5), None) == []


def test_what_is_planned_later_stays():
    planned = changed([Stretch(day(0), None, "a")], day(20), "c")

    assert changed(planned, day(5), "b") == [
        Stretch(day(0), day(5), "a"),
        Stretch(day(5), day(20), "b"),
        Stretch(day(20), None, "c"),
    ]
    assert changes_after(planned, day(5)) == [(day(20), "c")]
    assert changes_after(changed(planned, day(30), None), day(20)) == [(day(30), None)]


def test_what_is_planned_can_be_taken_back():
    before = [Stretch(day(0), None, "a")]

    assert unchanged(changed(before, day(20), "c"), day(20)) == before
    assert unchanged(changed(before, day(20), None), day(20)) == before
    assert unchanged(changed([], day(20), "c"), day(20)) == []
    with pytest.raises(KeyError):
        unchanged(before, day(20))


acts = st.lists(
    st.tuples(st.booleans(), st.integers(0, DAYS - 1), st.sampled_from(["a", "b", "c", None])),
    max_size=25,
)


@given(acts)
def test_each_day_has_what_was_set_for_it(done):
    """Compared with a row of days in which each act writes up to the next change."""
    row = [None] * DAYS
    timeline = []
    for is_change, number, value in done:
        starts = [n for n in range(1, DAYS) if row[n] != row[n - 1]] + [0] * (row[0] is not None)
        end = min((n for n in starts if n > number), default=DAYS)
        if is_change:
            timeline = changed(timeline, day(number), value)
            row[number:end] = [value] * (end - number)
        elif number in starts:
            timeline = unchanged(timeline, day(number))
            row[number:end] = [row[number - 1] if number else None] * (end - number)

        assert [value_on(timeline, day(n)) for n in range(DAYS)] == row
        assert all(one.start < (one.end or date.max) for one in timeline)
        ends = [one.end for one in timeline]
        assert all(
            end is not None and end <= following.start
            for end, following in zip(ends, timeline[1:], strict=False)
        )


FIRST, SECOND, THIRD = date(2026, 1, 1), date(2026, 2, 1), date(2026, 3, 1)


@pytest.mark.parametrize(
    ("start", "end", "expected"),
    [
        (date(2026, 1, 11), date(2026, 1, 21), ["1 a", "11 A", "21 a", "32 b"]),
        (date(2026, 1, 21), date(2026, 2, 11), ["1 a", "21 A", "32 B", "42 b"]),
        (FIRST, None, ["1 A", "32 B"]),
        (SECOND, None, ["1 a", "32 B"]),
        (date(2026, 2, 11), None, ["1 a", "32 b", "42 B"]),
        (date(2025, 1, 1), FIRST, ["1 a", "32 b"]),
    ],
)
def test_what_holds_between_two_days_is_altered(start, end, expected):
    timeline = [Stretch(FIRST, SECOND, "a"), Stretch(SECOND, None, "b")]

    found = altered(timeline, start, end, str.upper)

    days = [f"{(one.start - FIRST).days + 1} {one.value}" for one in found]
    assert days == expected
    assert [one.end for one in found[:-1]] == [one.start for one in found[1:]]


def test_equal_neighbours_are_one_after_an_alteration():
    timeline = [Stretch(FIRST, SECOND, "a"), Stretch(SECOND, THIRD, "A"), Stretch(THIRD, None, "a")]

    assert altered(timeline, SECOND, THIRD, str.lower) == [Stretch(FIRST, None, "a")]
