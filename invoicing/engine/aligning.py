"""Aligning: what lies between the period that runs and a common date, and what it costs."""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from billing_rules.periods import Interval, OutsideCalendar, Period, Unit, full_period, next_period
from billing_rules.schedule import MAX_STEPS
from invoicing.engine.families import Families
from invoicing.engine.rating import Rater
from invoicing.engine.rows import ChargeRow, ItemRow, PeriodRow
from invoicing.engine.what_if import Realignment
from subscriptions.models import Price
from tenancy.ids import uuid7


class Method(StrEnum):
    """What becomes of the part between the period that runs and the common date."""

    SHORT = "short"
    LONG = "long"
    FREE = "free"


@dataclass(frozen=True, slots=True)
class Aligned:
    """An item whose periods begin on other days from a day on.

    Attributes:
        item: as it is.
        old_date: when the period ends that runs on the day.
        stub: the part from then on that is no full period; None where there is none.
        full: the period of the new grid that begins with the stub, or contains it.
        charges: what is charged for the stub.
        change: what differs about the item.
    """

    item: ItemRow
    old_date: date
    stub: Period | None
    full: Period
    charges: tuple[ChargeRow, ...]
    change: Realignment

    @property
    def new_date(self) -> date:
        """Return when the first full period begins."""
        return self.old_date if self.stub is None else self.stub.end

    @property
    def amount_minor(self) -> int:
        """Return what is charged for the stub, in minor units."""
        return sum(charge.net_minor for charge in self.charges)


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

    def __init__(self, before: Families, after: Families, day: date, method: Method) -> None:
        """Take the families as they are and as they would be, since when, and the method."""
        self._day, self._method = day, method
        self._before, self._after = Rater(before, day), Rater(after, day)

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
        row = PeriodRow(
            id=uuid7(),
            item_id=item.id,
            starts=stub.start,
            ends=stub.end,
            prev_ends=None,
            full_start=full.start,
            full_end=full.end,
            quantity=item.quantity_on(stub.start),
        )
        due = stub.end if is_late else stub.start
        return tuple(self._after.charges_of(item, row, due))
