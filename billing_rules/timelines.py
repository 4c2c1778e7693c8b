"""What one setting of one account is, day by day: values that hold from a day to a day."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Generic, TypeVar

V = TypeVar("V")


@dataclass(frozen=True, slots=True)
class Stretch(Generic[V]):
    """A value that holds from ``start`` to the day before ``end``; None: until it is changed."""

    start: date
    end: date | None
    value: V

    def holds_on(self, day: date) -> bool:
        """Return whether it holds on a day."""
        return self.start <= day and (self.end is None or day < self.end)


Timeline = Sequence[Stretch[V]]
"""Stretches in order, which never overlap. Between them nothing is set."""


def held_on(timeline: Timeline[V], day: date) -> Stretch[V] | None:
    """Return what holds on a day, None where nothing is set."""
    return next((one for one in timeline if one.holds_on(day)), None)


def changed(timeline: Timeline[V], day: date, value: V | None) -> list[Stretch[V]]:
    """Return the timeline in which a value holds from a day on, up to the next change after it.

    Args:
        timeline: as it is.
        day: since when.
        value: None sets nothing: what is above holds.

    Returns:
        What held before the day, and what was to begin after it, as they were.

    Source: docs/billing-rules.md, Dated settings.
    """
    points = _points(timeline)
    points[day] = value
    return _stretches(points)


def altered(
    timeline: Timeline[V], start: date, end: date | None, alter: Callable[[V], V]
) -> list[Stretch[V]]:
    """Return the timeline in which every value that holds between two days is altered.

    Args:
        timeline: as it is.
        start: the first day.
        end: the first day no longer, None for ever.
        alter: says of a value what it becomes.

    Returns:
        Whatever changes in between does so still; equal neighbours are one.

    Source: docs/billing-rules.md, Changes.
    """
    found: list[Stretch[V]] = []
    for one in timeline:
        days = sorted({day for day in (start, end) if day is not None and one.holds_on(day)})
        starts = [one.start, *(day for day in days if day > one.start)]
        for place, first in enumerate(starts):
            last = starts[place + 1] if place + 1 < len(starts) else one.end
            is_meant = start <= first and (end is None or first < end)
            value = alter(one.value) if is_meant else one.value
            if found and found[-1].end == first and found[-1].value == value:
                found[-1] = Stretch(found[-1].start, last, value)
            else:
                found.append(Stretch(first, last, value))
    return found


def unchanged(timeline: Timeline[V], day: date) -> list[Stretch[V]]:
    """Return the timeline without the change of a day: what held before goes on.

    Raises:
        KeyError: nothing changes on that day.

    Source: docs/billing-rules.md, Dated settings.
    """
    points = _points(timeline)
    del points[day]
    return _stretches(points)


def changes_after(timeline: Timeline[V], day: date) -> list[tuple[date, V | None]]:
    """Return what is to change after a day: since when, and to what; None sets nothing."""
    return [(start, value) for start, value in sorted(_points(timeline).items()) if start > day]


def _points(timeline: Iterable[Stretch[V]]) -> dict[date, V | None]:
    points: dict[date, V | None] = {}
    for one in timeline:
        points[one.start] = one.value
        if one.end is not None:
            # The next one may begin on the same day, and comes later in the order.
            points[one.end] = None
    return dict(sorted(points.items()))


def _stretches(points: dict[date, V | None]) -> list[Stretch[V]]:
    """Return what holds between the points; equal neighbours are one."""
    found: list[Stretch[V]] = []
    for start, value in sorted(points.items()):
        if found and found[-1].end is None:
            if found[-1].value == value:
                continue
            found[-1] = Stretch(found[-1].start, start, found[-1].value)
        if value is not None:
            found.append(Stretch(start, None, value))
    return found
