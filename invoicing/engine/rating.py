"""Rating: from items that are due to periods and charges."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any
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
        rater.rate(item, begun.get(item.id))
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
            followed = self._follow(item, open_period)
        except TooManyPeriods:
            self._note(item, "too_many_periods")
            return
        except OutsideCalendar:
            self._note(item, "outside_calendar")
            return
        begun = self._begin(item, followed)
        by_end = {period.ends: period for period in begun}
        if open_period is not None:
            by_end[open_period.ends] = open_period
        try:
            charges = [
                charge
                for due in followed.due
                for charge in self._with_true_up(item, by_end[due.period_end], due.due_date)
            ]
            charges[:0] = self._setup(item, begun)
        except OutsideCalendar:
            self._note(item, "outside_calendar")
            return
        except InvalidQuantity:
            self._note(item, "amount_out_of_range")
            return
        if any(abs(charge.net_minor) > MAX_AMOUNT_MINOR for charge in charges):
            self._note(item, "amount_out_of_range")
            return
        self.periods += begun
        self.charges += charges
        self.moved.append((item.id, followed))

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
            periods.append(
                PeriodRow(
                    id=uuid7(),
                    item_id=item.id,
                    starts=stretch.period.start,
                    ends=stretch.period.end,
                    prev_ends=previous,
                    full_start=stretch.full.start,
                    full_end=stretch.full.end,
                    quantity=item.quantity_on(stretch.period.start)
                    if item.later
                    else item.quantity,
                )
            )
            previous = stretch.period.end
        return periods

    def _setup(self, item: ItemRow, begun: Sequence[PeriodRow]) -> Iterator[ChargeRow]:
        """Yield the setup fee with the first period of an item, if its price has one.

        It falls due with what that period costs, of an item in arrears when the period begins.
        """
        if item.chain_end is not None or not begun or not item.owes_setup:
            return
        first = begun[0]
        price = item.price_on(first.starts) if item.later else item.price
        if price.setup_fee is None or not item.subscription.begins_here:
            return
        in_arrears = price.timing == Price.Timing.ARREARS
        due_date = first.starts if in_arrears else self._with_next(item, first, first.starts)
        calculation = setup_fee_of(price, first.starts)
        yield ChargeRow(
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

    def charges_of(self, item: ItemRow, period: PeriodRow, due_date: date) -> Iterator[ChargeRow]:
        """Yield what a period costs up to the end: a charge for each of the terms that hold in it.

        An end that was set when the period had begun already is within it (R20). What is paused,
        or free, costs nothing, and has no charge.
        """
        due_date = self._with_next(item, period, due_date)
        last = min(period.ends, item.subscription.end_date or period.ends)
        if last == period.ends and self._is_alike(item):
            yield self._charge(item, item.price, item.discount, period, due_date)
            return
        for part in self._parts(item, period.starts, last):
            terms = part.terms
            if terms.uncharged:
                continue
            row = replace(period, starts=part.start, ends=part.end, quantity=terms.quantity)
            if part.pooled is None:
                yield self._charge(item, terms.price, terms.discount, row, due_date)
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
        end = min(period.ends, item.subscription.end_date or period.ends)
        if not charges or end <= period.starts:
            return
        price, least = least_minor(self._parts(item, period.starts, end), period)
        if price is not None:
            made = true_up(
                charges[-1], price, period, end=end, least=least, used=used_minor(charges)
            )
            if made is not None:
                yield made

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
        due_date: date,
    ) -> ChargeRow:
        calculation = self._calculations.of(item, price, period, discount)
        return self._row(item, price, period, due_date, calculation)

    def _share(self, item: ItemRow, part: Part, period: PeriodRow, due_date: date) -> ChargeRow:
        """Return what an item owes of what is charged with others, once their period is over."""
        price = part.terms.price if part.pooled is None else part.pooled.price
        calculation = self._calculations.of_pool(item, part, period)
        return self._row(item, price, period, due_date, calculation)

    def _row(
        self,
        item: ItemRow,
        price: Price,
        period: PeriodRow,
        due_date: date,
        calculation: dict[str, Any],
    ) -> ChargeRow:
        return ChargeRow(
            id=uuid7(),
            item_id=item.id,
            period_id=period.id,
            subscription=item.subscription,
            account_id=item.account_id,
            period_start=period.starts,
            period_end=period.ends,
            due_date=due_date,
            invoice_on=self._invoice_on(item, due_date),
            currency=price.currency,
            net_minor=calculation["net_minor"],
            calculation=calculation,
            tax_class=price.tax_class,
        )

    def _invoice_on(self, item: ItemRow, due_date: date) -> date:
        key = (item.account_id, item.subscription.override_on(due_date), due_date)
        if key not in self._billing_days:
            self._billing_days[key] = invoice_day(self._families, item, due_date)
        return self._billing_days[key]


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
