"""Rating: from items that are due to periods and charges."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from accounts.models import SettingName
from billing_rules.periods import (
    Anchor,
    OutsideCalendar,
    Period,
    first_billing_day,
    next_period,
)
from billing_rules.pricing import InvalidQuantity
from billing_rules.schedule import Followed, TooManyPeriods, waits_for_next
from invoicing.engine.calculations import Calculations, setup_fee_of
from invoicing.engine.chains import Chains
from invoicing.engine.commitments import least_minor, true_up, used_minor
from invoicing.engine.families import Families, Problem
from invoicing.engine.measuring import window_of
from invoicing.engine.pooling import Part, Pooling
from invoicing.engine.rows import ChargeRow, ItemRow, PeriodRow
from invoicing.models import Charge
from subscriptions.models import Discount, Price
from subscriptions.queries.measured import Window
from tenancy.ids import uuid7

MAX_AMOUNT_MINOR = 10**15


@dataclass(frozen=True, slots=True)
class Rated:
    """What rating would write: new periods, new charges, and how far each chain has come."""

    periods: tuple[PeriodRow, ...]
    charges: tuple[ChargeRow, ...]
    moved: tuple[tuple[UUID, Followed], ...]


def rate(
    families: Families, items: Iterable[ItemRow], begun: Mapping[UUID, PeriodRow], *, until: date
) -> Rated:
    """Follow the chain of each item up to a day, and charge what falls due.

    An item that can't be followed or priced is noted as a problem and left as it is.

    Args:
        families: the families of the items.
        items: those that are due; others come to nothing.
        begun: the last stored period of items that are billed in arrears.
        until: everything due up to this day.

    Source: docs/billing-rules.md, R3, R4, R5, R13, R18 to R20; docs/billing-rules.md, Usage.
    """
    rater, due = Rater(families, until), list(items)
    rater.read_usage(due, begun)
    for item in due:
        rater.rate(item, begun.get(item.id) if begun else None)
    return Rated(tuple(rater.periods), tuple(rater.charges), tuple(rater.moved))


def read_usage_so_far(
    families: Families,
    items: Iterable[ItemRow],
    begun: Mapping[UUID, PeriodRow],
    day: date,
    *,
    also: Iterable[Window | None] = (),
) -> None:
    """Read once what was used in the periods that fall due next, for looking ahead.

    What is used in days to come is not known: later periods count as if nothing were used in
    them. No statement where nothing is metered, else two or three.

    Args:
        families: the families of the items; what is read is kept there.
        items: what is due some day.
        begun: as for ``rate``.
        day: the day from which on somebody looks ahead.
        also: what else is asked of meters.

    Source: docs/billing-rules.md, Usage.
    """
    raters: dict[date, Rater] = {}
    windows: list[Window | None] = list(also)
    for item in items:
        if item.is_metered:
            due = max(day, item.next_action_date)
            # What is charged with others falls due when their period is over.
            due = max([due, *Pooling(families).pools.ends_after(due)])
            rater = raters.setdefault(due, Rater(families, due))
            windows += rater.windows(item, begun.get(item.id))
    families.usage.is_complete = False
    families.usage.read(families.actor, windows)
    families.usage.is_complete = True


class _Bill(NamedTuple):
    """When what a period costs falls due and is invoiced.

    ``days`` is the part of its explanation that is about days; all that share it have one object.
    """

    period_end: date
    due_date: date
    invoice_on: date
    days: dict[str, Any]


@dataclass(slots=True)
class _Course:
    """What happens to items that stand at the same point, whatever they cost.

    ``bills`` are those of all due periods where each is charged whole and alike on all days, none
    where some are not; None until the first of these items is charged.
    """

    followed: Followed
    bills: Sequence[_Bill] | None = None


class Rater:
    """Rates one item after another and keeps what came of it."""

    def __init__(self, families: Families, run_date: date) -> None:
        """Take the families whose items are rated, and the day up to which."""
        self._families = families
        self._run_date = run_date
        self._pooling = Pooling(families)
        self._chains = Chains(families)
        self._calculations = Calculations(families, self._pooling)
        self._billing_days: dict[tuple[UUID, UUID | None, date], date] = {}
        self._kinds: dict[int, tuple[object, ...]] = {}
        self._courses: dict[tuple[object, ...], _Course] = {}
        self._asked: set[tuple[UUID, date]] = set()
        self.periods: list[PeriodRow] = []
        self.charges: list[ChargeRow] = []
        self.moved: list[tuple[UUID, Followed]] = []

    def read_usage(self, items: Iterable[ItemRow], begun: Mapping[UUID, PeriodRow]) -> None:
        """Read for all of these at once what meters measured in the periods that fall due.

        No statement where none is metered, else two or three.
        """
        metered = [item for item in items if item.is_metered]
        if metered:
            windows = (one for item in metered for one in self.windows(item, begun.get(item.id)))
            self._families.usage.read(self._families.actor, windows)

    def windows(self, item: ItemRow, open_period: PeriodRow | None) -> Iterator[Window | None]:
        """Yield what the periods of an item that fall due ask of meters."""
        try:
            followed = self._follow(item, open_period)
        except (TooManyPeriods, OutsideCalendar):
            return
        periods = {one.period.end: one.period.start for one in followed.begun}
        if open_period is not None:
            periods[open_period.ends] = open_period.starts
        for due in followed.due:
            start, end = periods[due.period_end], due.period_end
            last = min(end, item.subscription.end_date or end)
            if start < last and self._is_alike(item):
                yield window_of(item.subscription, item.price, Period(start, last))
                continue
            for part in self._parts(item, start, last):
                if part.pooled is not None and part.pooled.key not in self._asked:
                    self._asked.add(part.pooled.key)
                    yield from self._pooling.windows(part.pooled)
                if not part.terms.uncharged:
                    yield window_of(item.subscription, part.terms.price, part.period)

    def rate(self, item: ItemRow, open_period: PeriodRow | None) -> None:
        """Follow one item's chain and charge what falls due."""
        if item.subscription.is_held:
            self._note(item, "subscription_held")
            return
        try:
            course = self._course(item, open_period)
            begun = self._begin(item, course.followed)
            charges = self._setup(item, begun)
            charges += self._charged(item, course, begun, open_period)
        except TooManyPeriods:
            self._note(item, "too_many_periods")
            return
        except OutsideCalendar:
            self._note(item, "outside_calendar")
            return
        except InvalidQuantity:
            self._note(item, "amount_out_of_range")
            return
        for charge in charges:
            if abs(charge.net_minor) > MAX_AMOUNT_MINOR:
                self._note(item, "amount_out_of_range")
                return
        self.periods += begun
        self.charges += charges
        self.moved.append((item.id, course.followed))

    def _course(self, item: ItemRow, open_period: PeriodRow | None) -> "_Course":
        """Return what happens to an item; it is the same for all that stand at the same point."""
        key = (self._kind(item.price), item.account_id, item.chain_end, item.next_action_date,
               item.waits_from, item.uncharged, item.later, item.subscription.times,
               open_period and open_period.days)  # fmt: skip
        found = self._courses.get(key)
        if found is None:
            found = self._courses[key] = _Course(self._follow(item, open_period))
        return found

    def _kind(self, price: Price) -> tuple[object, ...]:
        """Return what of a price decides when it is charged, whatever it is."""
        # Whoever rates items keeps their prices alive, so an address names one of them.
        found = self._kinds.get(id(price))
        if found is None:
            own = price if price.is_metered or price.minimum_amount is not None else None
            found = price.interval, price.interval_count, price.timing, own
            self._kinds[id(price)] = found
        return found

    def _charged(
        self,
        item: ItemRow,
        course: "_Course",
        begun: Sequence[PeriodRow],
        open_period: PeriodRow | None,
    ) -> list[ChargeRow]:
        """Return what an item is charged for the periods that fall due."""
        if not course.followed.due:
            return []
        by_end = {period.ends: period for period in begun}
        if open_period is not None:
            by_end[open_period.ends] = open_period
        if course.bills is None:
            course.bills = self._bills(item, course.followed, by_end)
        if course.bills:
            return [self._charge(item, item.price, item.discount, by_end[bill.period_end], bill)
                    for bill in course.bills]  # fmt: skip
        return [
            charge
            for due in course.followed.due
            for charge in self._with_true_up(item, by_end[due.period_end], due.due_date)
        ]

    def _bills(
        self, item: ItemRow, followed: Followed, by_end: Mapping[date, PeriodRow]
    ) -> "Sequence[_Bill]":
        """Return when each due period is billed, nothing where one is not charged whole and alike.

        Then each item is charged by itself, part by part.
        """
        if item.has_minimum or not self._is_alike(item):
            return ()
        bills = []
        for due in followed.due:
            period = by_end[due.period_end]
            if self._last_of(item, period) < period.ends:
                return ()
            bills.append(self._bill(item, item.price, period, due.due_date))
        return bills

    def _follow(self, item: ItemRow, open_period: PeriodRow | None) -> Followed:
        """Follow a chain, up to before what is charged with others whose period is not over yet."""
        followed = self._chains.follow(item, self._run_date)
        if not (item.is_metered and followed.due and self._pooling.pools):
            return followed
        periods = {one.period.end: one.period.start for one in followed.begun}
        if open_period is not None:
            periods[open_period.ends] = open_period.starts
        for due in followed.due:
            parts = self._parts(item, periods[due.period_end], due.due_date)
            if any(one.pooled and one.pooled.period.end > self._run_date for one in parts):
                return self._chains.follow(item, due.due_date - timedelta(days=1))
        return followed

    def _is_alike(self, item: ItemRow) -> bool:
        """Return whether an item is charged alike on all days, and with nobody else."""
        if not item.is_uniform:
            return False
        return not (item.price.is_metered and self._pooling.pools.of(item.price))

    def _parts(self, item: ItemRow, start: date, end: date) -> Iterator[Part]:
        """Yield the stretches of some days that are charged alike."""
        if item.is_metered:
            return self._pooling.parts(item, start, end)
        return (Part(*stretch) for stretch in item.terms_between(start, end))

    def _note(self, item: ItemRow, code: str) -> None:
        self._families.problems.append(Problem(code, item.account_id, item.subscription.id))

    def anchor(self, item: ItemRow, day: date) -> Anchor:
        """Return the grid in force for a period of an item that begins on a day."""
        return self._chains.anchor(item, day)

    def _begin(self, item: ItemRow, followed: Followed) -> list[PeriodRow]:
        periods, previous = [], item.chain_end
        for stretch in followed.begun:
            starts, ends = stretch.period.start, stretch.period.end
            quantity = item.quantity_on(starts) if item.later else item.quantity
            periods.append(
                PeriodRow(uuid7(), item.id, starts, ends, previous,
                          stretch.full.start, stretch.full.end, quantity)
            )  # fmt: skip
            previous = ends
        return periods

    def _setup(self, item: ItemRow, begun: Sequence[PeriodRow]) -> list[ChargeRow]:
        """Return the setup fee with the first period of an item, if its price has one.

        It falls due with what that period costs, of an item in arrears when the period begins.
        """
        if item.chain_end is not None or not begun or not item.owes_setup:
            return []
        first = begun[0]
        price = item.price_on(first.starts) if item.later else item.price
        if price.setup_fee is None or not item.subscription.begins_here:
            return []
        in_arrears = price.timing == Price.Timing.ARREARS
        due_date = first.starts if in_arrears else self._with_next(item, first, first.starts)
        calculation = setup_fee_of(price, first.starts)
        charge = ChargeRow(
            id=uuid7(),
            item_id=item.id,
            period_id=None,
            subscription=item.subscription,
            account_id=item.account_id,
            period_start=first.starts,
            period_end=first.starts + timedelta(days=1),
            due_date=due_date,
            invoice_on=self._invoice_on(item, due_date),
            currency=price.currency,
            net_minor=calculation["net_minor"],
            calculation=calculation,
            kind=Charge.Kind.SETUP.value,
            tax_class=price.tax_class,
        )
        return [charge]

    def charges_of(self, item: ItemRow, period: PeriodRow, due_date: date) -> Iterator[ChargeRow]:
        """Yield what a period costs up to the end: a charge for each of the terms that hold in it.

        An end that was set when the period had begun already is within it (R20). What is paused,
        or free, costs nothing, and has no charge.
        """
        last = self._last_of(item, period)
        if last == period.ends and self._is_alike(item):
            bill = self._bill(item, item.price, period, due_date)
            yield self._charge(item, item.price, item.discount, period, bill)
            return
        due_date = self._with_next(item, period, due_date)
        for part in self._parts(item, period.starts, last):
            terms = part.terms
            if terms.uncharged:
                continue
            row = replace(period, starts=part.start, ends=part.end, quantity=terms.quantity)
            if part.pooled is None:
                bill = self._billed_on(item, terms.price, row, due_date)
                yield self._charge(item, terms.price, terms.discount, row, bill)
            else:
                yield self._share(item, part, row, max(due_date, part.pooled.period.end))

    def _with_true_up(
        self, item: ItemRow, period: PeriodRow, due_date: date
    ) -> Iterator[ChargeRow]:
        """Yield what a period costs, and after it what is missing to a minimum."""
        if not item.has_minimum:
            yield from self.charges_of(item, period, due_date)
            return
        charges = list(self.charges_of(item, period, due_date))
        yield from charges
        end = self._last_of(item, period)
        if not charges or end <= period.starts:
            return
        price, least = least_minor(self._parts(item, period.starts, end), period)
        if price is not None:
            made = true_up(
                charges[-1], price, period, end=end, least=least, used=used_minor(charges)
            )
            if made is not None:
                yield made

    @staticmethod
    def _last_of(item: ItemRow, period: PeriodRow) -> date:
        """Return the end of what is charged of a period."""
        end = item.subscription.end_date
        return period.ends if end is None else min(period.ends, end)

    def _bill(self, item: ItemRow, price: Price, period: PeriodRow, due_date: date) -> "_Bill":
        """Return when a whole period is billed that falls due on a day, if not with the next."""
        return self._billed_on(item, price, period, self._with_next(item, period, due_date))

    def _billed_on(self, item: ItemRow, price: Price, period: PeriodRow, due_date: date) -> "_Bill":
        return _Bill(
            period.ends,
            due_date,
            self._invoice_on(item, due_date),
            self._calculations.days_of(item, price, period),
        )

    def _with_next(self, item: ItemRow, period: PeriodRow, due_date: date) -> date:
        """Return when a period falls due; one that is too short falls due with the next (R18)."""
        if period.starts == period.full_start:
            return due_date
        part, full = (
            Period(period.starts, period.ends),
            Period(period.full_start, period.full_end),
        )
        end = item.subscription.end_date
        cutoff = part.days if item.waits_from == part.start else self._cutoff_days(item, part.start)
        if (end is not None and end <= part.end) or not waits_for_next(part, full, cutoff):
            return due_date
        if item.price.timing == Price.Timing.ADVANCE:
            return part.end
        return next_period(self.anchor(item, part.end), part.end, end=end).end

    def _cutoff_days(self, item: ItemRow, day: date) -> int:
        settings = self._families.on(day)
        return int(settings.value(item.account_id, SettingName.PRORATION_CUTOFF_DAYS) or 0)

    def _charge(
        self,
        item: ItemRow,
        price: Price,
        discount: Discount | None,
        period: PeriodRow,
        bill: "_Bill",
    ) -> ChargeRow:
        calculation = self._calculations.of(item, price, period, discount, bill.days)
        return _row(item, price, period, bill.due_date, bill.invoice_on, calculation)

    def _share(self, item: ItemRow, part: Part, period: PeriodRow, due_date: date) -> ChargeRow:
        """Return what an item owes of what is charged with others, once their period is over."""
        price = part.terms.price if part.pooled is None else part.pooled.price
        calculation = self._calculations.of_pool(item, part, period)
        return _row(item, price, period, due_date, self._invoice_on(item, due_date), calculation)

    def _invoice_on(self, item: ItemRow, due_date: date) -> date:
        key = (item.account_id, item.subscription.override_on(due_date), due_date)
        if key not in self._billing_days:
            self._billing_days[key] = invoice_day(self._families, item, due_date)
        return self._billing_days[key]


def _row(
    item: ItemRow,
    price: Price,
    period: PeriodRow,
    due_date: date,
    invoice_on: date,
    calculation: dict[str, Any],
) -> ChargeRow:
    return ChargeRow(
        uuid7(),
        item.id,
        period.id,
        item.subscription,
        item.account_id,
        period.starts,
        period.ends,
        due_date,
        invoice_on,
        price.currency,
        calculation["net_minor"],
        calculation,
        tax_class=price.tax_class,
    )


def invoice_day(families: Families, owed: ItemRow | ChargeRow, due_date: date) -> date:
    """Return the first billing day of the bill-to of an item or charge on or after a day (R5)."""
    one = owed.subscription
    override_id = None if one is None else one.override_on(due_date)
    bill_to_id, _by = families.bill_to(owed.account_id, override_id, due_date)
    return invoice_day_of(families, bill_to_id, due_date)


def invoice_day_of(families: Families, bill_to_id: UUID, due_date: date) -> date:
    """Return the first billing day of a bill-to on or after a due date (R5)."""
    billing_day = families.on(due_date).value(bill_to_id, SettingName.BILLING_DAY)
    return first_billing_day(due_date, billing_day)
