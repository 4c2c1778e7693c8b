"""What a part of a period costs: one rule, printed on every invoice.

``price * days(part) / days(full period of the anchor in force that contains it)``
"""

from datetime import date
from fractions import Fraction

from billing_rules.money import exponent, ratio_half_up
from billing_rules.periods import Period


class OutsidePeriod(ValueError):
    """A part, or the day of a split, is not inside the period that it should divide."""


def prorate(amount: Fraction, part: Period, full: Period, currency: str) -> int:
    """Return what ``part`` costs, rounded once.

    Args:
        amount: the unrounded price of the full period, in major units; negative for a credit.
        part: the days to charge; the whole period costs the whole price.
        full: the period of the anchor's grid that contains them, the denominator.
        currency: ISO 4217.

    Returns:
        Minor units.

    Raises:
        OutsidePeriod: the part is not inside the full period.
        ValueError: the currency is unknown.

    Source: docs/billing-rules.md, R3.
    """
    if not full.covers(part):
        raise OutsidePeriod(f"{part} is not inside {full}")
    # In whole numbers: the product of two fractions would be reduced before it is rounded.
    shown = 10 ** exponent(currency) * amount.numerator * part.days
    return ratio_half_up(shown, amount.denominator * full.days)


def split_charged(
    charged_minor: int, amount: Fraction, charged: Period, full: Period, currency: str, *, on: date
) -> tuple[int, int]:
    """Split what was charged for a period into the part before a day and the part from it on.

    Args:
        charged_minor: what was charged, in minor units.
        amount: the unrounded price it came from, in major units. Where there is none (a manual
            line), give the charged amount itself and the charged period as ``full``.
        charged: the period it was charged for.
        full: the period of the anchor's grid that contains it.
        currency: ISO 4217.
        on: the first day of the second part; the start of the period leaves the first one empty.

    Returns:
        Two amounts in minor units whose sum is ``charged_minor``: the first is what ``prorate``
        gives, the second is the rest.

    Raises:
        OutsidePeriod: the day is not inside the charged period, or that not in the full one.
        ValueError: the currency is unknown.

    Source: docs/billing-rules.md, R3, second sentence.
    """
    if not charged.contains(on):
        raise OutsidePeriod(f"{on} is not inside {charged}")
    if on == charged.start:
        return 0, charged_minor
    first = prorate(amount, Period(charged.start, on), full, currency)
    return first, charged_minor - first
