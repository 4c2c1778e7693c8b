"""Which version of a price holds where and when: nearest account first, then everywhere."""

from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Generic, TypeVar

from billing_rules.timelines import Stretch, Timeline, altered, held_on

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


@dataclass(frozen=True, slots=True)
class Version(Generic[K]):
    """What something costs from ``starts`` on: until the next version, at most up to ``ends``.

    One that ends on the day on which it starts holds on no day: it was taken back.
    """

    key: K
    starts: date
    ends: date | None = None


def in_force(versions: Iterable[Version[K]]) -> list[Stretch[K]]:
    """Return when each version of one price holds, in order; they never overlap.

    Args:
        versions: of one price in one place, in any order; no two that hold start on one day.

    Source: docs/billing-rules.md, Versions of a price.
    """
    known = sorted(
        (one for one in versions if one.ends is None or one.ends > one.starts),
        key=lambda one: one.starts,
    )
    found = []
    for place, one in enumerate(known):
        following = known[place + 1].starts if place + 1 < len(known) else None
        end = min((day for day in (one.ends, following) if day is not None), default=None)
        found.append(Stretch(one.starts, end, one.key))
    return found


def nearest(levels: Sequence[Timeline[K]]) -> list[Stretch[K]]:
    """Return what holds day by day where several places have a price: the first that has one.

    Args:
        levels: when which version holds in each place, the nearest first.

    Returns:
        Stretches in order; equal neighbours are one. Days on which no place has any are left out.

    Source: docs/billing-rules.md, Negotiated prices.
    """
    days = sorted({
        day for level in levels for one in level for day in (one.start, one.end) if day is not None
    })  # fmt: skip
    found: list[Stretch[K]] = []
    for place, start in enumerate(days):
        end = days[place + 1] if place + 1 < len(days) else None
        held = next((one for level in levels if (one := held_on(level, start)) is not None), None)
        if held is None:
            continue
        if found and found[-1].end == start and found[-1].value == held.value:
            found[-1] = Stretch(found[-1].start, end, held.value)
        else:
            found.append(Stretch(start, end, held.value))
    return found


def repriced(
    terms: Timeline[V],
    before: Timeline[K],
    after: Timeline[K],
    *,
    key: Callable[[V], K | None],
    put: Callable[[V, K], V],
) -> list[Stretch[V]]:
    """Return terms in which what cost what its place said costs what its place says now.

    Args:
        terms: day by day.
        before: which version held in this place.
        after: which version holds now.
        key: the version that terms are of; None leaves them alone.
        put: makes terms of another version.

    Returns:
        Terms of any other version than ``before`` names for the day are somebody's own choice,
        and stay. So doing it again changes nothing.

    Source: docs/billing-rules.md, Versions of a price.
    """
    found = list(terms)
    for start, end, old, new in _differences(before, after):

        def put_new(one: V, old: K = old, new: K = new) -> V:
            return put(one, new) if key(one) == old else one

        found = altered(found, start, end, put_new)
    return found


def _differences(
    before: Timeline[K], after: Timeline[K]
) -> Iterable[tuple[date, date | None, K, K]]:
    days = sorted({
        day
        for timeline in (before, after)
        for one in timeline
        for day in (one.start, one.end)
        if day is not None
    })  # fmt: skip
    for place, start in enumerate(days):
        end = days[place + 1] if place + 1 < len(days) else None
        old, new = held_on(before, start), held_on(after, start)
        if old is not None and new is not None and old.value != new.value:
            yield start, end, old.value, new.value
