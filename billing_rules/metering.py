"""What was used: from single events to the quantity that a period is charged by."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction
from zoneinfo import ZoneInfo

from billing_rules.allocation import largest_remainder
from billing_rules.money import to_minor
from billing_rules.pricing import PriceTerms, price_of

_ZERO = Decimal(0)


class Aggregation(StrEnum):
    """How the events of a period become one quantity."""

    SUM = "sum"
    MAX = "max"
    LAST = "last"
    UNIQUE_COUNT = "unique_count"


@dataclass(frozen=True, slots=True)
class Used:
    """One event: when it was, what it is called, how much, and whom or what it counts."""

    at: datetime
    event_id: str
    quantity: Decimal
    unique_key: str = ""


def measured(aggregation: Aggregation, events: Iterable[Used]) -> Decimal:
    """Return the quantity of a period in which these events were.

    The sum of all quantities; the largest of them; that of the latest event, of two at the same
    instant that with the greater id; or how many different keys there were. Without an event it
    is 0.

    Args:
        aggregation: what the meter does.
        events: in any order, each id once.

    Source: docs/billing-rules.md, Usage.
    """
    found = list(events)
    if aggregation == Aggregation.UNIQUE_COUNT:
        return Decimal(len({event.unique_key for event in found}))
    if aggregation == Aggregation.SUM:
        return sum((event.quantity for event in found), _ZERO)
    if not found:
        return _ZERO
    if aggregation == Aggregation.MAX:
        return max(event.quantity for event in found)
    return max(found, key=lambda event: (event.at, event.event_id)).quantity


def day_of(at: datetime, zone: ZoneInfo) -> date:
    """Return the day on which an instant falls where the account is.

    Source: docs/billing-rules.md, Usage; docs/billing-rules.md, Days and time zones.
    """
    return at.astimezone(zone).date()


def is_closed(period_end: date, grace_days: int, today: date) -> bool:
    """Return whether a period that was charged takes no usage any more.

    Args:
        period_end: the first day after the period.
        grace_days: on so many days from then on usage still comes in, 0 for none.
        today: the tenant's day.

    Source: docs/billing-rules.md, Usage.
    """
    return today >= period_end + timedelta(days=grace_days)


def pooled(
    terms: PriceTerms, quantities: Sequence[Decimal], currency: str, *, least: int = 0
) -> tuple[int, tuple[int, ...]]:
    """Price what several have used together once, and share the amount back.

    Args:
        terms: the price, with one scheme of tiers for all.
        quantities: what each has used, in a stable order; none below 0.
        currency: ISO 4217.
        least: what all together cost at least, in minor units.

    Returns:
        The amount in minor units, rounded once, and the share of each by what it has used: they
        sum to the amount. Left-over units go to the largest remainders, ties to the earlier one.
        Where nobody has used anything, equal parts.

    Source: docs/billing-rules.md, Usage; docs/billing-rules.md, R15.
    """
    if not quantities:
        return 0, ()
    together = sum(quantities, _ZERO)
    total = max(least, to_minor(price_of(terms, together).amount, currency))
    weights = [Fraction(one) for one in quantities] if together else [Fraction(1)] * len(quantities)
    exact = [total * weight / sum(weights) for weight in weights]
    return total, largest_remainder(exact, total)
