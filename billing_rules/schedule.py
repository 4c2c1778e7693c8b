"""Which periods of a subscription's item begin, and which fall due, up to a date."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Final

from billing_rules.periods import Anchor, Period, full_period, next_period

MAX_STEPS: Final = 1_200
"""More periods than this in one go are no catch-up but a mistake."""


class TooManyPeriods(ValueError):
    """Following the chain would begin more than ``MAX_STEPS`` periods at once."""


@dataclass(frozen=True, slots=True)
class Chain:
    """How far the periods of an item are stored.

    Attributes:
        first_start: the first day to charge: the start, or what was billed elsewhere ends.
        end_date: the first day no longer served, None while it is open.
        chain_end: the end of the last stored period, None before the first.
        next_action: the day on which there is something to do, None when nothing will be.
        is_in_arrears: whether a period falls due when it ends, not when it begins.
    """

    first_start: date
    end_date: date | None
    chain_end: date | None
    next_action: date | None
    is_in_arrears: bool


@dataclass(frozen=True, slots=True)
class Stretch:
    """A period that begins, and the full period of the grid that contains it."""

    period: Period
    full: Period


@dataclass(frozen=True, slots=True)
class Due:
    """The stored period that ends on ``period_end`` falls due on ``due_date``."""

    period_end: date
    due_date: date


@dataclass(frozen=True, slots=True)
class Followed:
    """What following a chain brought: periods begun, periods due, and the chain's new state."""

    begun: tuple[Stretch, ...]
    due: tuple[Due, ...]
    chain_end: date | None
    next_action: date | None


def follow(chain: Chain, until: date, anchor_on: Callable[[date], Anchor]) -> Followed:
    """Return what begins and what falls due up to and including ``until``.

    In advance a period falls due on its first day. In arrears it falls due on the earlier of its
    end and the end date. Nothing on or after the end date is ever begun.

    Args:
        chain: the item's periods so far.
        until: the date of the run.
        anchor_on: the anchor in force for a period that begins on the given day.

    Raises:
        TooManyPeriods: more than ``MAX_STEPS`` periods would begin.
        OutsideCalendar: a boundary is beyond the calendar.

    Source: docs/billing-rules.md, R4, R13, R18, R20, R24.
    """
    begun: list[Stretch] = []
    due: list[Due] = []
    chain_end, action = chain.chain_end, chain.next_action
    while action is not None and action <= until:
        if chain.is_in_arrears and chain_end is not None:
            due.append(Due(chain_end, min(chain_end, chain.end_date or chain_end)))
        if chain_end is not None and chain.end_date is not None and chain_end >= chain.end_date:
            action = None
            break
        if len(begun) >= MAX_STEPS:
            raise TooManyPeriods(f"more than {MAX_STEPS} periods up to {until}")
        start = chain.first_start if chain_end is None else chain_end
        anchor = anchor_on(start)
        period = next_period(anchor, start, end=chain.end_date)
        begun.append(Stretch(period, full_period(anchor, start)))
        if not chain.is_in_arrears:
            due.append(Due(period.end, start))
        chain_end = period.end
        is_over = chain_end == chain.end_date and not chain.is_in_arrears
        action = None if is_over else chain_end
    return Followed(tuple(begun), tuple(due), chain_end, action)


def waits_for_next(part: Period, full: Period, cutoff_days: int) -> bool:
    """Return whether a part of a period is charged together with the full period after it.

    That is the part before a common date, where it has no more days than the cut-off. What ends
    before its full period does has nothing after it.

    Args:
        part: what is served.
        full: the period of the grid that contains it.
        cutoff_days: so many days or fewer are no period of their own; 0 for none.

    Source: docs/billing-rules.md, R18.
    """
    return part.start > full.start and part.end == full.end and part.days <= cutoff_days
