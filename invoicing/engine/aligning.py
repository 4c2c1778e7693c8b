"""Aligning: what lies between the period that runs and a common date, and what it costs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from enum import StrEnum
from typing import NamedTuple
from uuid import UUID

from billing_rules.periods import (
    Anchor,
    Interval,
    OutsideCalendar,
    Period,
    Unit,
    full_period,
    next_period,
)
from billing_rules.schedule import MAX_STEPS
from invoicing.engine.families import Families
from invoicing.engine.rating import Rater, invoice_day
from invoicing.engine.rows import ChargeRow, ItemRow, PeriodRow
from invoicing.engine.settling import Settler
from invoicing.engine.what_if import Realignment
from invoicing.models import Charge
from subscriptions.models import Price
from tenancy.ids import uuid7


class Method(StrEnum):
    """What becomes of the part between the period that runs and the common date.

    With ``REBILL`` there is none where the date lies within the period: it ends on the date, and
    its rest is credited.
    """

    SHORT = "short"
    LONG = "long"
    FREE = "free"
    REBILL = "rebill"


@dataclass(frozen=True, slots=True)
class Aligned:
    """An item whose periods begin on other days from a day on.

    Attributes:
        item: as it is.
        old_date: when the period ends that runs on the day.
        stub: the part from then on that is no full period; None where there is none.
        full: the period of the new grid that begins with the stub, or contains it; of a period
            that ends early, the full one that it is a part of.
        charges: what is charged for the stub, or credited of a period that ends early.
        change: what differs about the item.
        credited: the days that a period loses that ends early; None where it ends as it was.
    """

    item: ItemRow
    old_date: date
    stub: Period | None
    full: Period
    charges: tuple[ChargeRow, ...]
    change: Realignment
    credited: Period | None = None

    @property
    def new_date(self) -> date:
        """Return when the first full period begins."""
        if self.credited is not None:
            return self.credited.start
        return self.old_date if self.stub is None else self.stub.end

    @property
    def days(self) -> int:
        """Return how many days later the common date is; fewer than none where it is earlier."""
        if self.credited is not None:
            return -self.credited.days
        return 0 if self.stub is None else self.stub.days

    @property
    def amount_minor(self) -> int:
        """Return what is charged for the stub, less what is credited, in minor units."""
        return sum(charge.net_minor for charge in self.charges)


class Running(NamedTuple):
    """A period that runs, with all charges and credits of it."""

    period: PeriodRow
    charges: Sequence[ChargeRow]


@dataclass(frozen=True, slots=True)
class Left:
    """An item whose periods begin when they do already, or as ever; ``code`` says why.

    Attributes:
        item: as it is.
        code: why.
        day: when it ends, or when its next period begins.
        change: what differs about an item that needs no stub.
    """

    item: ItemRow
    code: str
    day: date | None = None
    change: Realignment | None = None


class Aligner:
    """Tells of one item after another what an alignment makes of it.

    The run's own code computes what the stub costs.
    """

    def __init__(
        self,
        before: Families,
        after: Families,
        day: date,
        method: Method,
        running: Mapping[UUID, Running] | None = None,
    ) -> None:
        """Take the families as they are and as they would be, since when, and the method.

        ``running`` are the last stored periods of items that run on the day, with their charges.
        """
        self._day, self._method, self._running = day, method, running or {}
        self._before, self._after, self._changed = Rater(before, day), Rater(after, day), after
        self._settler = Settler(after, today=day, is_billed_now=False)

    def of(self, item: ItemRow, until: date | None) -> Aligned | Left:
        """Return what becomes of an item; ``until`` ends its own billing day."""
        if Interval(Unit(item.price.interval)).months is None:
            return Left(item, "own_interval")
        changed = Realignment(item.id, self._day, until).of(item)
        try:
            return self._aligned(item, changed, until)
        except OutsideCalendar:
            return Left(item, "outside_calendar")

    def _aligned(self, item: ItemRow, changed: ItemRow, until: date | None) -> Aligned | Left:
        if self._method == Method.REBILL and (early := self._ended_early(item, changed, until)):
            return early
        start = self._running_end(changed)
        end = item.subscription.end_date
        if start is None:
            return Left(item, "too_many_periods")
        if end is not None and end <= start:
            return Left(item, "ends", end)
        anchor = self._after.anchor(changed, start)
        full, old = full_period(anchor, start), self._before.anchor(item, start)
        if full == full_period(old, start):
            change = Realignment(item.id, self._day, until, start)
            return Left(item, "aligned", start, change)
        if end is not None and end <= full.end:
            return Left(item, "ends", end)
        stub = None if start == full.start else Period(start, full.end)
        waits = start if stub is not None and self._method == Method.LONG else None
        free = stub if self._method == Method.FREE else None
        change = Realignment(item.id, self._day, until, start, waits, free)
        charges = () if stub is None else self._charges(change.of(item), stub, full)
        return Aligned(item, start, stub, full, charges, change)

    def _ended_early(self, item: ItemRow, changed: ItemRow, until: date | None) -> Aligned | None:
        """Return the item with a period that ends on the common date, None where none is to."""
        running = self._running.get(item.id) or begun_by_then(self._before, changed, self._day)
        if running is None:
            return None
        period, charges = running
        anchor, end = self._after.anchor(changed, self._day), item.subscription.end_date
        cut = ends_early(Period(period.starts, period.ends), anchor, self._day, end)
        if cut is None:
            return None
        rest = Period(cut, period.ends)
        ends = Realignment(
            item.id, self._day, until, cut, ends=cut,
            invoiced_on=invoice_day(self._changed, changed, cut),
        )  # fmt: skip
        charges = [ends.moved_up(one) for one in charges]
        made = self._settler.settle(changed, [replace(period, ends=cut)], charges)
        back = tuple(_explained(one, rest) for one in made)
        full = Period(period.full_start, period.full_end)
        return Aligned(item, period.ends, None, full, back, replace(ends, credits=back), rest)

    def _running_end(self, item: ItemRow) -> date | None:
        """Return the first day on or after that of the alignment on which a period begins."""
        start = item.chain_end or item.subscription.first_charged_day
        for _step in range(MAX_STEPS):
            if start >= self._day:
                return start
            start = next_period(self._after.anchor(item, start), start).end
        return None

    def _charges(self, item: ItemRow, stub: Period, full: Period) -> tuple[ChargeRow, ...]:
        is_late = item.price.timing == Price.Timing.ARREARS
        row = _row(item, stub, full)
        due = stub.end if is_late else stub.start
        return tuple(self._after.charges_of(item, row, due))


def ends_early(running: Period, anchor: Anchor, day: date, end: date | None) -> date | None:
    """Return when a period that runs ends for a common date, None where it ends as it does.

    Args:
        running: the period.
        anchor: of the new grid.
        day: since when that holds.
        end: when the subscription ends.

    Source: docs/billing-rules.md, One renewal date.
    """
    first = max(day, running.start + timedelta(days=1))
    grid = full_period(anchor, first)
    cut = first if grid.start == first else grid.end
    return None if cut >= running.end or (end is not None and end <= cut) else cut


def begun_by_then(rater: Rater, item: ItemRow, day: date) -> Running | None:
    """Return the period that the runs up to a day will have begun, None where there is none.

    What they charge for it is on a document by then, unless that waits for its billing day.
    """
    start = item.chain_end or item.subscription.first_charged_day
    if start >= day:
        return None
    for _step in range(MAX_STEPS):
        anchor = rater.anchor(item, start)
        period = next_period(anchor, start, end=item.subscription.end_date)
        if period.end > day:
            break
        start = period.end
        if start >= day:
            return None
    else:
        return None
    row = _row(item, period, full_period(anchor, start))
    if item.price.timing == Price.Timing.ARREARS:
        return Running(row, ())
    charges = list(rater.charges_of(item, row, start))
    for charge in charges:
        if charge.invoice_on < day:
            charge.status = Charge.Status.INVOICED.value
    return Running(row, charges)


def _row(item: ItemRow, period: Period, full: Period) -> PeriodRow:
    return PeriodRow(
        id=uuid7(),
        item_id=item.id,
        starts=period.start,
        ends=period.end,
        prev_ends=None,
        full_start=full.start,
        full_end=full.end,
        quantity=item.quantity_on(period.start),
    )


def _explained(charge: ChargeRow, rest: Period) -> ChargeRow:
    """Let a credit say that its days are charged anew from the common date on."""
    said = {"since": rest.start.isoformat(), "renewed": rest.end.isoformat()}
    return replace(charge, calculation={**charge.calculation, "aligned": said})
