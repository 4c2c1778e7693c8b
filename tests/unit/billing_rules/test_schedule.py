"""Following the chain of an item's periods: what begins and what falls due."""

from dataclasses import replace
from datetime import date, timedelta
from itertools import pairwise

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from billing_rules.periods import Interval, OutsideCalendar, Period, Unit, anchor_of, full_period
from billing_rules.schedule import (
    MAX_STEPS,
    Chain,
    Due,
    TooManyPeriods,
    follow,
    waits_for_next,
)

quick = settings(max_examples=60, deadline=None, database=None)


def d(text):
    return date.fromisoformat(text)


def chain(start, *, end=None, chain_end=None, action="start", arrears=False):
    day = d(start) if action == "start" else action and d(action)
    return Chain(d(start), end and d(end), chain_end and d(chain_end), day, arrears)


def grid(start, unit="month", count=1, billing_day=None, billing_month=None):
    interval = Interval(Unit(unit), count)
    anchor = anchor_of(d(start), interval, billing_day=billing_day, billing_month=billing_month)
    return lambda _day: anchor


def begun(followed):
    return [(s.period.start.isoformat(), s.period.end.isoformat()) for s in followed.begun]


def due(followed):
    return [(x.period_end.isoformat(), x.due_date.isoformat()) for x in followed.due]


def test_in_advance_a_period_falls_due_on_its_first_day():
    followed = follow(chain("2026-01-31"), d("2026-03-31"), grid("2026-01-31"))

    assert begun(followed) == [
        ("2026-01-31", "2026-02-28"),
        ("2026-02-28", "2026-03-31"),
        ("2026-03-31", "2026-04-30"),
    ]
    assert due(followed) == [
        ("2026-02-28", "2026-01-31"),
        ("2026-03-31", "2026-02-28"),
        ("2026-04-30", "2026-03-31"),
    ]
    assert (followed.chain_end, followed.next_action) == (d("2026-04-30"), d("2026-04-30"))


def test_in_arrears_a_period_falls_due_when_it_ends():
    followed = follow(chain("2026-01-10", arrears=True), d("2026-02-10"), grid("2026-01-10"))

    assert begun(followed) == [("2026-01-10", "2026-02-10"), ("2026-02-10", "2026-03-10")]
    assert due(followed) == [("2026-02-10", "2026-02-10")]
    assert followed.next_action == d("2026-03-10")


def test_in_arrears_the_last_period_falls_due_on_the_end_date():
    ending = chain("2026-01-10", end="2026-02-20", arrears=True)

    before = follow(ending, d("2026-02-19"), grid("2026-01-10"))
    after = follow(ending, d("2026-02-20"), grid("2026-01-10"))

    assert due(before) == [("2026-02-10", "2026-02-10")]
    assert before.next_action == d("2026-02-20")
    assert due(after) == [("2026-02-10", "2026-02-10"), ("2026-02-20", "2026-02-20")]
    assert (after.chain_end, after.next_action) == (d("2026-02-20"), None)


def test_in_advance_nothing_is_left_to_do_once_the_end_date_is_reached():
    followed = follow(chain("2026-01-10", end="2026-02-20"), d("2030-01-01"), grid("2026-01-10"))

    assert begun(followed) == [("2026-01-10", "2026-02-10"), ("2026-02-10", "2026-02-20")]
    assert due(followed) == [("2026-02-10", "2026-01-10"), ("2026-02-20", "2026-02-10")]
    assert followed.next_action is None


def test_in_advance_a_chain_that_stands_at_its_end_date_is_over():
    ended = chain("2026-01-10", end="2026-02-10", chain_end="2026-02-10", action="2026-02-10")

    followed = follow(ended, d("2026-03-01"), grid("2026-01-10"))

    assert (followed.begun, followed.due, followed.next_action) == ((), (), None)


@pytest.mark.parametrize("action", [None, "2026-03-01"])
def test_nothing_happens_before_there_is_something_to_do(action):
    waiting = chain("2026-01-10", chain_end="2026-03-01", action=action)

    followed = follow(waiting, d("2026-02-28"), grid("2026-01-10"))

    assert (followed.begun, followed.due) == ((), ())
    assert (followed.chain_end, followed.next_action) == (d("2026-03-01"), waiting.next_action)


def test_the_first_period_runs_to_the_billing_day_and_knows_its_full_period():
    followed = follow(chain("2026-05-01"), d("2026-05-01"), grid("2026-05-01", billing_day=15))

    (stretch,) = followed.begun
    assert stretch.period == Period(d("2026-05-01"), d("2026-05-15"))
    assert stretch.full == Period(d("2026-04-15"), d("2026-05-15"))


def test_the_anchor_in_force_is_asked_for_each_period():
    monthly, aligned = grid("2026-01-20"), grid("2026-01-20", billing_day=1)
    asked = []

    def anchor_on(day):
        asked.append(day)
        return (monthly if day < d("2026-03-20") else aligned)(day)

    followed = follow(chain("2026-01-20"), d("2026-05-01"), anchor_on)

    assert begun(followed) == [
        ("2026-01-20", "2026-02-20"),
        ("2026-02-20", "2026-03-20"),
        ("2026-03-20", "2026-04-01"),
        ("2026-04-01", "2026-05-01"),
        ("2026-05-01", "2026-06-01"),
    ]
    assert asked == [stretch.period.start for stretch in followed.begun]


@pytest.mark.parametrize("arrears", [False, True])
def test_more_periods_than_a_catch_up_can_have_are_refused(arrears):
    start = d("2000-01-01")
    daily = chain("2000-01-01", arrears=arrears)

    followed = follow(daily, start + timedelta(days=MAX_STEPS - 1), grid("2000-01-01", "day"))

    assert len(followed.begun) == MAX_STEPS
    with pytest.raises(TooManyPeriods):
        follow(daily, start + timedelta(days=MAX_STEPS), grid("2000-01-01", "day"))


def test_a_period_beyond_the_calendar_is_refused():
    with pytest.raises(OutsideCalendar):
        follow(chain("9999-06-01"), d("9999-12-31"), grid("9999-06-01", "year"))


# -- for any chain -------------------------------------------------------------------------------

days = st.dates(date(2019, 1, 1), date(2030, 12, 31))


@st.composite
def chains(draw):
    start = draw(days)
    end = draw(st.none() | st.integers(1, 900).map(lambda n: start + timedelta(days=n)))
    unit = draw(st.sampled_from([Unit.WEEK, Unit.MONTH, Unit.QUARTER, Unit.HALF_YEAR, Unit.YEAR]))
    anchor = anchor_of(
        start,
        Interval(unit, draw(st.integers(1, 3))),
        billing_day=draw(st.none() | st.integers(1, 31)),
        billing_month=draw(st.none() | st.integers(1, 12)),
    )
    return Chain(start, end, None, start, draw(st.booleans())), anchor


horizons = st.integers(0, 1_000)


@quick
@given(chains(), horizons)
def test_periods_tile_the_time_served(case, length):
    item, anchor = case
    until = item.first_start + timedelta(days=length)

    followed = follow(item, until, lambda _day: anchor)

    periods = [stretch.period for stretch in followed.begun]
    assert periods[0].start == item.first_start
    assert all(one.end == other.start for one, other in pairwise(periods))
    assert all(stretch.full == full_period(anchor, stretch.period.start)
               for stretch in followed.begun)  # fmt: skip
    assert all(stretch.full.covers(stretch.period) for stretch in followed.begun)
    assert followed.chain_end == periods[-1].end
    if item.end_date is None:
        assert periods[-1].start <= until < periods[-1].end
    else:
        assert periods[-1].end <= item.end_date
        assert periods[-1].end == item.end_date or until < periods[-1].end


@quick
@given(chains(), horizons)
def test_what_is_due_is_what_the_days_say(case, length):
    """Compare with the definition: one day after the other, asking what is due on it (R4, R20)."""
    item, anchor = case
    until = item.first_start + timedelta(days=length)

    followed = follow(item, until, lambda _day: anchor)

    expected = []
    for stretch in followed.begun:
        falls_due = stretch.period.end if item.is_in_arrears else stretch.period.start
        if falls_due <= until:
            expected.append(Due(stretch.period.end, falls_due))
    assert list(followed.due) == expected


@quick
@given(chains(), st.lists(horizons, min_size=1, max_size=6))
def test_many_small_runs_make_what_one_large_run_makes(case, lengths):
    item, anchor = case
    stops = sorted({item.first_start + timedelta(days=length) for length in lengths})
    at_once = follow(item, stops[-1], lambda _day: anchor)

    step, parts_begun, parts_due = item, [], []
    for until in stops:
        followed = follow(step, until, lambda _day: anchor)
        parts_begun += followed.begun
        parts_due += followed.due
        step = replace(step, chain_end=followed.chain_end, next_action=followed.next_action)

    assert tuple(parts_begun) == at_once.begun
    assert tuple(parts_due) == at_once.due
    assert (step.chain_end, step.next_action) == (at_once.chain_end, at_once.next_action)


@quick
@given(chains(), horizons)
def test_doing_it_again_makes_nothing(case, length):
    item, anchor = case
    until = item.first_start + timedelta(days=length)
    once = follow(item, until, lambda _day: anchor)
    after = replace(item, chain_end=once.chain_end, next_action=once.next_action)

    again = follow(after, until, lambda _day: anchor)

    assert (again.begun, again.due) == ((), ())
    assert (again.chain_end, again.next_action) == (once.chain_end, once.next_action)


@quick
@given(chains(), horizons, horizons)
def test_arrears_and_advance_charge_the_same_periods_in_the_end(case, length, more):
    item, anchor = case
    assume(item.end_date is not None)
    until = item.end_date + timedelta(days=length + more)

    results = [
        follow(replace(item, is_in_arrears=arrears), until, lambda _day: anchor)
        for arrears in (False, True)
    ]

    assert results[0].begun == results[1].begun
    assert [x.period_end for x in results[0].due] == [x.period_end for x in results[1].due]
    assert [result.next_action for result in results] == [None, None]


@pytest.mark.parametrize(
    ("start", "end", "cutoff", "waits"),
    [
        ("2026-12-27", "2027-01-01", 5, True),
        ("2026-12-27", "2027-01-01", 4, False),
        ("2026-12-27", "2027-01-01", 0, False),
        ("2026-12-01", "2027-01-01", 31, False),
        ("2026-12-27", "2026-12-29", 5, False),
    ],
    ids=["as long", "longer", "no cut-off", "a full period", "ends before"],
)
def test_a_part_that_is_short_enough_waits_for_the_next_period(start, end, cutoff, waits):
    full = Period(d("2026-12-01"), d("2027-01-01"))

    assert waits_for_next(Period(d(start), d(end)), full, cutoff) is waits
