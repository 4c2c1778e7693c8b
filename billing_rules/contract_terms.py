"""Contract terms: until when a subscription is bound, and by when notice has to be given.

Ends are the first day no longer served, as everywhere; a notice deadline is the last day on which
notice is in time.
"""

from calendar import monthrange
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from billing_rules.periods import Anchor, Interval, OutsideCalendar, Period, Unit


class Refusal(StrEnum):
    """Why a contract does not end on a day."""

    MINIMUM_TERM = "within_minimum_term"
    RENEWED_TERM = "within_renewed_term"
    NOTICE = "notice_period_not_kept"


@dataclass(frozen=True, slots=True)
class ContractTerms:
    """What was agreed about the length of a contract.

    Attributes:
        start: the first day of the minimum term; the day of the month from which all ends count.
        minimum_months: the length of the minimum term, None where it may end on any day.
        renewal_months: by how much it goes on after each term, None where it ends with its first.
        notice_months, notice_days: how long before an end notice has to be given; both count.

    Raises:
        ValueError: a length is not positive, or it renews without a minimum term.
    """

    start: date
    minimum_months: int | None = None
    renewal_months: int | None = None
    notice_months: int = 0
    notice_days: int = 0

    def __post_init__(self) -> None:
        """Refuse lengths that say nothing."""
        lengths = (self.minimum_months, self.renewal_months)
        if any(length is not None and length < 1 for length in lengths):
            raise ValueError(f"a term has at least one month: {lengths}")
        if min(self.notice_months, self.notice_days) < 0:
            raise ValueError("a notice period is not negative")
        if self.minimum_months is None and self.renewal_months is not None:
            raise ValueError("without a minimum term nothing renews")

    @property
    def fixed_end(self) -> date | None:
        """The day on which it ends by itself; None where it renews or has no term.

        Raises:
            OutsideCalendar: it is after the year 9999.
        """
        if self.minimum_months is None or self.renewal_months is not None:
            return None
        return self._end(0)

    @property
    def has_notice(self) -> bool:
        """Whether notice has to be given some time before."""
        return self.notice_months > 0 or self.notice_days > 0

    def _end(self, index: int) -> date:
        """Return the end of the minimum term, or of the ``index``-th renewal."""
        months = (self.minimum_months or 0) + index * (self.renewal_months or 0)
        return Anchor(Interval(Unit.MONTH), self.start, self.start.day).boundary(months)


def term_ends(terms: ContractTerms, on_or_after: date) -> Iterator[date]:
    """Yield the ends of terms on or after a day, in order; none where there is no term.

    They count from the first day of the contract and keep its day of the month (R18): no end
    drifts because a month before it was short.

    Args:
        terms: what was agreed.
        on_or_after: earlier ends are left out.

    Raises:
        OutsideCalendar: an end is after the year 9999.

    Source: docs/billing-rules.md, Contract terms.
    """
    if terms.minimum_months is None:
        return
    renewal = terms.renewal_months
    if renewal is None:
        if terms._end(0) >= on_or_after:
            yield terms._end(0)
        return
    months = (on_or_after.year - terms.start.year) * 12 + on_or_after.month - terms.start.month
    index = max(0, (months - terms.minimum_months) // renewal)
    while True:
        end = terms._end(index)
        if end >= on_or_after:
            yield end
        index += 1


def term_on(terms: ContractTerms, day: date) -> Period | None:
    """Return the term that contains a day, the minimum term for days before it.

    None where there is no term, and after the end of one that does not renew.

    Source: docs/billing-rules.md, Contract terms.
    """
    if terms.minimum_months is None:
        return None
    first = Period(terms.start, terms._end(0))
    if day < first.end:
        return first
    renewal = terms.renewal_months
    if renewal is None:
        return None
    end = next(term_ends(terms, date.fromordinal(day.toordinal() + 1)))
    months = (end.year - terms.start.year) * 12 + end.month - terms.start.month
    index = (months - terms.minimum_months) // renewal
    return Period(terms._end(index - 1), end)


def notice_deadline(terms: ContractTerms, end: date) -> date:
    """Return the last day on which notice to an end is in time.

    From the day after it the whole notice period passes up to the end. The last day of a month
    counts as its last day in every month, so that notice of one month to the end of February is
    given by 31 January. Without a notice period it is the last day served.

    Args:
        terms: what was agreed.
        end: the first day no longer served.

    Raises:
        OutsideCalendar: it is before the year 1.

    Source: sections 187 and 188 of the German Civil Code; docs/billing-rules.md, Contract terms.
    """
    last = end.toordinal() - 1
    if last < 1:
        raise OutsideCalendar("an end on the first day of the calendar")
    served = date.fromordinal(last)
    is_last = served.day == monthrange(served.year, served.month)[1]
    anchor = Anchor(Interval(Unit.MONTH), served, 31 if is_last else served.day)
    in_months = anchor.boundary(-terms.notice_months)
    if in_months.toordinal() <= terms.notice_days:
        raise OutsideCalendar(f"{terms.notice_days} days before {in_months}")
    return date.fromordinal(in_months.toordinal() - terms.notice_days)


def earliest_end(terms: ContractTerms, given_on: date, wanted: date | None = None) -> date | None:
    """Return the first day on which a contract can end regularly.

    Args:
        terms: what was agreed.
        given_on: the day on which notice is given.
        wanted: no earlier than this day, if somebody wants one.

    Returns:
        The first end of a term of which the notice deadline has not passed. Without a term the
        first day that keeps the notice period. None where a contract that does not renew has
        ended before.

    Raises:
        OutsideCalendar: it is after the year 9999.

    Source: docs/billing-rules.md, Contract terms.
    """
    soonest = date.fromordinal(given_on.toordinal() + 1)
    floor = soonest if wanted is None else max(soonest, wanted)
    if terms.minimum_months is None:
        return max(floor, _first_free(terms, given_on))
    if terms.renewal_months is None:
        # It ends by itself: nobody has to give notice.
        return next(term_ends(terms, floor), None)
    ends = term_ends(terms, max(floor, _first_free(terms, given_on)))
    return next(end for end in ends if notice_deadline(terms, end) >= given_on)


def refusal_of(terms: ContractTerms, wanted: date, given_on: date) -> Refusal | None:
    """Return why a contract does not end regularly on a day, None where it can.

    Args:
        terms: what was agreed.
        wanted: the first day no longer served.
        given_on: the day on which notice is given.

    Source: docs/billing-rules.md, Contract terms.
    """
    if terms.minimum_months is not None:
        if wanted < terms._end(0):
            return Refusal.MINIMUM_TERM
        if next(term_ends(terms, wanted), None) != wanted:
            return Refusal.RENEWED_TERM
        if terms.renewal_months is None:
            return None
    return Refusal.NOTICE if notice_deadline(terms, wanted) < given_on else None


def _first_free(terms: ContractTerms, given_on: date) -> date:
    """Return the first end of which the notice deadline is on or after a day."""
    if not terms.has_notice:
        return date.fromordinal(given_on.toordinal() + 1)
    since = date.fromordinal(given_on.toordinal() + terms.notice_days)
    anchor = Anchor(Interval(Unit.MONTH), since, since.day)
    end = date.fromordinal(anchor.boundary(terms.notice_months).toordinal() + 1)
    # The days after a short month's end have one deadline; the first of them is meant.
    while notice_deadline(terms, end) < given_on:
        end = date.fromordinal(end.toordinal() + 1)
    while notice_deadline(terms, before := date.fromordinal(end.toordinal() - 1)) >= given_on:
        end = before
    return end
