"""Billing periods on a grid that never drifts."""

from calendar import monthrange
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Final


class OutsideCalendar(ValueError):
    """A boundary would lie before the year 1 or after the year 9999."""


class Unit(StrEnum):
    """The unit of a price's interval."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"
    QUARTER = "quarter"
    HALF_YEAR = "half_year"
    YEAR = "year"


_DAYS: Final = {Unit.DAY: 1, Unit.WEEK: 7}
_MONTHS: Final = {Unit.MONTH: 1, Unit.QUARTER: 3, Unit.HALF_YEAR: 6, Unit.YEAR: 12}
_LENGTHS: Final = {**_DAYS, **_MONTHS}


@dataclass(frozen=True, slots=True)
class Interval:
    """How long a full period is: ``count`` units.

    Raises:
        ValueError: ``count`` is less than 1.
    """

    unit: Unit
    count: int = 1

    def __post_init__(self) -> None:
        """Refuse an interval without length."""
        if self.count < 1:
            raise ValueError(f"an interval has at least one unit, not {self.count}")

    @property
    def length(self) -> int:
        """The length in months, or in days for intervals of days and weeks."""
        return _LENGTHS[self.unit] * self.count

    @property
    def months(self) -> int | None:
        """The length in months; None for intervals of days and weeks."""
        return self.length if self.unit in _MONTHS else None

    @property
    def days(self) -> int | None:
        """The length in days; None for intervals that count months."""
        return self.length if self.unit in _DAYS else None


@dataclass(frozen=True, slots=True)
class Period:
    """The days from ``start`` up to, but not including, ``end``.

    Raises:
        ValueError: the end is on or before the start (R20).

    Source: docs/billing-rules.md, Anchors.
    """

    start: date
    end: date

    def __post_init__(self) -> None:
        """Refuse a period without days."""
        if self.end <= self.start:
            raise ValueError(f"a period ends after it starts: {self.start} to {self.end}")

    @property
    def days(self) -> int:
        """The number of days; at least 1."""
        return self.end.toordinal() - self.start.toordinal()

    @property
    def last_day(self) -> date:
        """The last day that belongs to the period: the day before ``end``."""
        return date.fromordinal(self.end.toordinal() - 1)

    def contains(self, day: date) -> bool:
        """Return whether ``day`` belongs to the period; ``end`` does not."""
        return self.start <= day < self.end

    def covers(self, other: "Period") -> bool:
        """Return whether every day of ``other`` belongs to the period."""
        return self.start <= other.start and other.end <= self.end


@dataclass(frozen=True, slots=True)
class Anchor:
    """A grid of boundaries: ``first`` moved by whole intervals, forwards and backwards.

    ``day`` is the requested day of the month, kept for ever and clamped in each month that is
    shorter. It is not read for intervals of days and weeks.

    Source: docs/billing-rules.md, R18.
    """

    interval: Interval
    first: date
    day: int

    def boundary(self, index: int) -> date:
        """Return the boundary ``index`` intervals after the first; negative: before it.

        Raises:
            OutsideCalendar: it is before the year 1 or after the year 9999.
        """
        distance = index * self.interval.length
        if self.interval.months is None:
            return _day_of(self.first.toordinal() + distance)
        return _clamped(_month_of(self.first) + distance, self.day)

    def index_on(self, day: date) -> int:
        """Return the index of the last boundary on or before ``day``."""
        length = self.interval.length
        if self.interval.months is None:
            return (day.toordinal() - self.first.toordinal()) // length
        month = _month_of(day)
        index, months_since = divmod(month - _month_of(self.first), length)
        is_before = months_since == 0 and day < _clamped(month, self.day)
        return index - 1 if is_before else index


def anchor_of(
    start: date,
    interval: Interval,
    *,
    billing_day: int | None = None,
    billing_month: int | None = None,
) -> Anchor:
    """Return the grid on which something that starts on ``start`` is billed.

    Args:
        start: the first day of service.
        interval: the length of a full period.
        billing_day: 1 to 31, the day on which months are aligned; None keeps the day of
            ``start`` (own anniversary, 31 and 29 February included). Intervals of days and weeks
            run from ``start`` whatever it says.
        billing_month: 1 to 12, read together with ``billing_day`` only. The grid runs through
            that month: every interval that divides a year meets it each year, any other one
            begins in it. Monthly intervals meet every month and are not affected.

    Returns:
        A grid whose first boundary is ``start``, or the first aligned day on or after it.

    Raises:
        ValueError: the billing day or month does not exist.
        OutsideCalendar: there is no such day up to the year 9999.

    Source: docs/billing-rules.md, Anchors; docs/billing-rules.md, R18.
    """
    months = interval.months
    if billing_day is None or months is None:
        return Anchor(interval, start, start.day)
    if billing_month is None:
        return Anchor(interval, first_billing_day(start, billing_day), billing_day)
    if not 1 <= billing_month <= 12:
        raise ValueError(f"a billing month is 1 to 12, not {billing_month}")
    # Months count from 0 here, so the year's month m is m - 1.
    every = months if 12 % months == 0 else 12
    month = _month_of(first_billing_day(start, billing_day))
    return Anchor(
        interval, _clamped(month + (billing_month - 1 - month) % every, billing_day), billing_day
    )


def full_period(anchor: Anchor, day: date) -> Period:
    """Return the period of the grid that contains ``day``, also before the anchor's first.

    Its days are the denominator of every proration.

    Raises:
        OutsideCalendar: one of its ends is before the year 1 or after the year 9999.

    Source: docs/billing-rules.md, R3.
    """
    index = anchor.index_on(day)
    return Period(anchor.boundary(index), anchor.boundary(index + 1))


def next_period(anchor: Anchor, start: date, *, end: date | None = None) -> Period:
    """Return the period that begins on ``start``: up to the next boundary, or to ``end``.

    Args:
        anchor: the grid in force.
        start: the first day; anywhere on or between boundaries.
        end: the first day no longer served, if known.

    Raises:
        ValueError: the end is on or before the start.
        OutsideCalendar: the next boundary is after the year 9999.

    Source: docs/billing-rules.md, Anchors; docs/billing-rules.md, R13, R20.
    """
    boundary = anchor.boundary(anchor.index_on(start) + 1)
    return Period(start, boundary if end is None else min(boundary, end))


def first_billing_day(on_or_after: date, billing_day: int | None) -> date:
    """Return the first billing day on or after a date, clamped to the length of its month.

    Args:
        on_or_after: the due date.
        billing_day: 1 to 31; None for no billing day, which returns the date itself.

    Raises:
        ValueError: the billing day does not exist.
        OutsideCalendar: it is after the year 9999.

    Source: docs/billing-rules.md, R5.
    """
    if billing_day is None:
        return on_or_after
    if not 1 <= billing_day <= 31:
        raise ValueError(f"a billing day is 1 to 31, not {billing_day}")
    month = _month_of(on_or_after)
    this_month = _clamped(month, billing_day)
    return this_month if this_month >= on_or_after else _clamped(month + 1, billing_day)


def _month_of(day: date) -> int:
    return day.year * 12 + day.month - 1


def _clamped(month: int, day: int) -> date:
    year, month_before = divmod(month, 12)
    if not date.min.year <= year <= date.max.year:
        raise OutsideCalendar(f"the year {year} is outside the calendar")
    return date(year, month_before + 1, min(day, monthrange(year, month_before + 1)[1]))


def _day_of(ordinal: int) -> date:
    if not date.min.toordinal() <= ordinal <= date.max.toordinal():
        raise OutsideCalendar(f"day {ordinal} is outside the calendar")
    return date.fromordinal(ordinal)
