"""Versions of a price never overlap; the nearest account decides; own choices stay."""

from datetime import date, timedelta
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from billing_rules.price_lists import Version, in_force, nearest, repriced
from billing_rules.timelines import Stretch, held_on

DAY = date(2026, 1, 1)
DAYS = [DAY + timedelta(n) for n in range(12)]
EVER = Version("list", date.min)


@st.composite
def versions(draw, name=""):
    starts = draw(st.lists(st.sampled_from(DAYS), unique=True, max_size=5))
    return [
        Version(f"{name}{start.day}", start, draw(st.none() | st.sampled_from(
            [day for day in DAYS if day >= start])))
        for start in starts
    ]  # fmt: skip


@given(versions())
def test_versions_never_overlap_and_the_latest_that_has_begun_holds(known):
    found = in_force(known)

    assert all(one.end is None or one.start < one.end for one in found)
    assert all(
        before.end is not None and before.end <= after.start for before, after in pairwise(found)
    )
    for day in DAYS:
        begun = [v for v in known if v.starts <= day and (v.ends is None or v.ends > v.starts)]
        last = max(begun, key=lambda one: one.starts, default=None)
        holds = last if last is not None and (last.ends is None or day < last.ends) else None
        held = held_on(found, day)
        assert (held.value if held else None) == (holds.key if holds else None)


@given(versions("a"), versions("b"), versions("all"))
def test_the_nearest_place_that_has_a_price_decides_each_day(near, far, everybody):
    levels = [in_force(near), in_force(far), in_force([EVER, *everybody])]

    found = nearest(levels)

    for day in (date.min, *DAYS, date(2100, 1, 1)):
        expected = next((one for level in levels if (one := held_on(level, day))), None)
        held = held_on(found, day)
        assert (held.value if held else None) == (expected.value if expected else None)
    assert all(a.value != b.value or a.end != b.start for a, b in pairwise(found))


@given(versions("a"), st.sampled_from(DAYS), st.sampled_from(DAYS))
def test_what_a_place_said_becomes_what_it_says_and_doing_it_again_changes_nothing(
    near, start, day
):
    before = nearest([in_force(near), in_force([EVER])])
    after = nearest([in_force(near), in_force([EVER, Version("new", day)])])
    terms = [
        Stretch(max(one.start, start), one.end, one.value)
        for one in before
        if one.end is None or one.end > start
    ]

    found = _repriced(terms, before, after)

    for one in (d for d in DAYS if d >= start):
        assert held_on(found, one).value == held_on(after, one).value
    assert _repriced(found, before, after) == found


def test_what_was_chosen_stays():
    before = nearest([in_force([EVER])])
    after = nearest([in_force([EVER, Version("new", DAYS[3])])])
    chosen = [Stretch(DAY, None, "own")]

    assert _repriced(chosen, before, after) == chosen


def _repriced(terms, before, after):
    return repriced(terms, before, after, key=lambda one: one, put=lambda _one, new: new)
