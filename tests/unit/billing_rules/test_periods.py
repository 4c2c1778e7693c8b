"""Periods on grids that never drift."""

from datetime import date, timedelta
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from billing_rules.periods import (
    Anchor,
    Interval,
    OutsideCalendar,
    Period,
    Unit,
    anchor_of,
    first_billing_day,
    full_period,
    next_period,
)

quick = settings(max_examples=50, deadline=None, database=None)

MONTHLY = Interval(Unit.MONTH)
YEARLY = Interval(Unit.YEAR)

days = st.dates(date(1990, 1, 1), date(2100, 12, 31))
intervals = st.builds(Interval, st.sampled_from(Unit), st.integers(1, 30))
billing_days = st.none() | st.integers(1, 31)
anchors = st.builds(
    anchor_of,
    days,
    intervals,
    billing_day=billing_days,
    billing_month=st.none() | st.integers(1, 12),
)


def d(text):
    return date.fromisoformat(text)


@pytest.mark.parametrize(
    ("unit", "count", "months", "days"),
    [
        ("day", 10, None, 10),
        ("week", 2, None, 14),
        ("month", 1, 1, None),
        ("quarter", 2, 6, None),
        ("half_year", 1, 6, None),
        ("year", 2, 24, None),
    ],
)
def test_an_interval_is_counted_in_months_or_in_days(unit, count, months, days):
    interval = Interval(Unit(unit), count)

    assert (interval.months, interval.days) == (months, days)
    assert interval.length == (months or days)


def test_refuses_an_interval_without_length():
    with pytest.raises(ValueError, match="at least one unit"):
        Interval(Unit.DAY, 0)


def test_a_period_is_half_open():
    may = Period(d("2017-05-01"), d("2017-06-01"))

    assert may.days == 31
    assert may.last_day == d("2017-05-31")
    assert may.contains(d("2017-05-01"))
    assert may.contains(d("2017-05-31"))
    assert not may.contains(d("2017-06-01"))
    assert not may.contains(d("2017-04-30"))


def test_a_period_covers_itself_and_its_parts():
    may = Period(d("2017-05-01"), d("2017-06-01"))

    assert may.covers(may)
    assert may.covers(Period(d("2017-05-02"), d("2017-05-31")))
    assert not may.covers(Period(d("2017-04-30"), d("2017-05-31")))
    assert not may.covers(Period(d("2017-05-02"), d("2017-06-02")))


@pytest.mark.parametrize("end", ["2017-05-01", "2017-04-30"])
def test_refuses_a_period_that_ends_before_it_starts(end):
    with pytest.raises(ValueError, match="ends after it starts"):
        Period(d("2017-05-01"), d(end))


@pytest.mark.parametrize(
    ("start", "interval", "day", "month", "boundaries"),
    [
        # own anniversary
        ("2023-01-31", MONTHLY, None, None, ["2023-01-31", "2023-02-28", "2023-03-31"]),
        ("2024-01-31", MONTHLY, None, None, ["2024-01-31", "2024-02-29", "2024-03-31"]),
        ("2024-02-29", YEARLY, None, None, ["2024-02-29", "2025-02-28", "2026-02-28"]),
        ("2024-03-10", Interval(Unit.WEEK, 2), 15, 1, ["2024-03-10", "2024-03-24"]),
        ("2024-03-10", Interval(Unit.DAY, 30), None, None, ["2024-03-10", "2024-04-09"]),
        # aligned to a day
        ("2017-05-01", MONTHLY, 15, None, ["2017-05-15", "2017-06-15"]),
        ("2017-05-16", MONTHLY, 15, None, ["2017-06-15", "2017-07-15"]),
        ("2017-05-15", MONTHLY, 15, None, ["2017-05-15", "2017-06-15"]),
        ("2023-11-30", MONTHLY, 31, None, ["2023-11-30", "2023-12-31"]),
        ("2023-11-30", MONTHLY, 31, 3, ["2023-11-30", "2023-12-31"]),
        ("2017-05-01", YEARLY, 10, None, ["2017-05-10", "2018-05-10"]),
        ("2017-05-11", Interval(Unit.QUARTER), 10, None, ["2017-06-10", "2017-09-10"]),
        # aligned to a day and a month
        ("2017-05-11", YEARLY, 10, 5, ["2018-05-10", "2019-05-10"]),
        ("2017-05-10", YEARLY, 10, 5, ["2017-05-10", "2018-05-10"]),
        ("2017-05-10", YEARLY, 31, 2, ["2018-02-28", "2019-02-28", "2020-02-29"]),
        ("2017-05-11", Interval(Unit.QUARTER), 10, 1, ["2017-07-10", "2017-10-10"]),
        ("2017-05-11", Interval(Unit.QUARTER), 10, 12, ["2017-06-10", "2017-09-10"]),
        ("2017-12-31", Interval(Unit.HALF_YEAR), 1, 1, ["2018-01-01", "2018-07-01"]),
        ("2017-05-11", Interval(Unit.YEAR, 2), 10, 1, ["2018-01-10", "2020-01-10"]),
        ("2017-05-11", Interval(Unit.MONTH, 5), 10, 7, ["2017-07-10", "2017-12-10"]),
        # a month without a day is not read
        ("2017-05-11", YEARLY, None, 1, ["2017-05-11", "2018-05-11"]),
    ],
)
def test_the_grid_runs_through_the_requested_day(start, interval, day, month, boundaries):
    anchor = anchor_of(d(start), interval, billing_day=day, billing_month=month)

    assert [str(anchor.boundary(k)) for k in range(len(boundaries))] == boundaries


def test_29_february_returns_in_leap_years():
    anchor = anchor_of(d("2024-02-29"), YEARLY)

    assert anchor.boundary(4) == d("2028-02-29")
    assert full_period(anchor, d("2027-12-31")) == Period(d("2027-02-28"), d("2028-02-29"))


@pytest.mark.parametrize(("day", "month"), [(0, None), (32, None), (15, 0), (15, 13)])
def test_refuses_billing_days_and_months_that_do_not_exist(day, month):
    with pytest.raises(ValueError, match=r"a billing (day|month) is 1 to"):
        anchor_of(d("2024-01-01"), YEARLY, billing_day=day, billing_month=month)


def test_the_full_period_reaches_back_before_the_anchor():
    anchor = anchor_of(d("2017-05-01"), YEARLY, billing_day=10)

    assert full_period(anchor, d("2017-05-01")) == Period(d("2016-05-10"), d("2017-05-10"))


@quick
@given(anchors, days)
def test_the_full_period_contains_its_day_and_lies_on_the_grid(anchor, day):
    full = full_period(anchor, day)
    index = anchor.index_on(day)

    assert full.contains(day)
    assert (full.start, full.end) == (anchor.boundary(index), anchor.boundary(index + 1))
    assert full_period(anchor, full.start) == full
    assert full_period(anchor, full.last_day) == full


@quick
@given(days, intervals, billing_days, st.none() | st.integers(1, 12))
def test_the_first_boundary_is_on_or_after_the_start(start, interval, day, month):
    anchor = anchor_of(start, interval, billing_day=day, billing_month=month)

    assert anchor.first == anchor.boundary(0)
    assert anchor.first >= start
    if interval.months is not None and day is not None:
        assert anchor.first == first_billing_day(anchor.first, day)
        if month is None:
            assert anchor.first == first_billing_day(start, day)
        elif 12 % interval.months == 0:
            assert (anchor.first.month - month) % interval.months == 0
        else:
            assert anchor.first.month == month
    else:
        assert anchor.first == start


@quick
@given(st.integers(1, 31), st.integers(1, 12), days)
def test_monthly_boundaries_never_drift(day, months, start):
    anchor = anchor_of(start, Interval(Unit.MONTH, months), billing_day=day)
    boundaries = [anchor.boundary(k) for k in range(-24, 25)]

    for boundary in boundaries:
        is_last_of_month = (boundary + timedelta(days=1)).day == 1
        assert boundary.day == day or (boundary.day < day and is_last_of_month)
    for one, other in pairwise(boundaries):
        assert (other.year - one.year) * 12 + other.month - one.month == months


@quick
@given(anchors, days)
def test_periods_chain_without_gap_on_the_boundaries_of_the_grid(anchor, start):
    period = next_period(anchor, start)

    assert period.start == start
    for _ in range(6):
        assert full_period(anchor, period.start).covers(period)
        assert period.end == full_period(anchor, period.start).end
        following = next_period(anchor, period.end)
        assert following == full_period(anchor, period.end)
        period = following


def test_a_period_is_cut_at_a_known_end():
    anchor = anchor_of(d("2024-01-31"), MONTHLY)

    cut = next_period(anchor, d("2024-02-29"), end=d("2024-03-10"))
    whole = next_period(anchor, d("2024-02-29"), end=d("2024-12-31"))

    assert cut == Period(d("2024-02-29"), d("2024-03-10"))
    assert whole == Period(d("2024-02-29"), d("2024-03-31"))


@pytest.mark.parametrize("end", ["2024-02-29", "2024-02-01"])
def test_refuses_an_end_on_or_before_the_start(end):
    anchor = anchor_of(d("2024-01-31"), MONTHLY)

    with pytest.raises(ValueError, match="ends after it starts"):
        next_period(anchor, d("2024-02-29"), end=d(end))


@pytest.mark.parametrize(
    ("on_or_after", "billing_day", "expected"),
    [
        ("2026-11-30", None, "2026-11-30"),
        ("2026-11-15", 15, "2026-11-15"),
        ("2026-11-16", 15, "2026-12-15"),
        ("2026-11-30", 31, "2026-11-30"),
        ("2026-12-16", 15, "2027-01-15"),
        ("2026-01-31", 30, "2026-02-28"),
    ],
)
def test_finds_the_first_billing_day(on_or_after, billing_day, expected):
    assert first_billing_day(d(on_or_after), billing_day) == d(expected)


@pytest.mark.parametrize(
    "leave",
    [
        lambda: full_period(Anchor(MONTHLY, date.max, 31), date.max),
        lambda: full_period(Anchor(MONTHLY, date(1, 1, 15), 15), date.min),
        lambda: full_period(Anchor(Interval(Unit.DAY, 9), date.max, 31), date.max),
        lambda: full_period(Anchor(Interval(Unit.WEEK), date(1, 1, 2), 2), date.min),
        lambda: next_period(Anchor(Interval(Unit.YEAR, 10**30), date.min, 1), date.min),
        lambda: next_period(Anchor(Interval(Unit.DAY, 10**30), date.min, 1), date.min),
        lambda: first_billing_day(date.max, 30),
        lambda: anchor_of(date.max, YEARLY, billing_day=31, billing_month=1),
    ],
)
def test_refuses_to_leave_the_calendar(leave):
    with pytest.raises(OutsideCalendar, match="outside the calendar"):
        leave()
