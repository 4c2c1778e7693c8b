"""Monthly recurring revenue: what a price in a quantity brings in a month."""

from collections.abc import Mapping
from decimal import Decimal
from fractions import Fraction
from typing import Final

from billing_rules.discounts import Off
from billing_rules.money import to_minor
from billing_rules.periods import Interval, Unit
from billing_rules.pricing import PriceTerms, price_of

DAYS_OF_A_MONTH: Final = Fraction(36_525, 1_200)
"""A twelfth of a year of 365.25 days."""
_PER_MONTH: Final[Mapping[Unit, Fraction]] = {
    Unit.DAY: DAYS_OF_A_MONTH,
    Unit.WEEK: DAYS_OF_A_MONTH / 7,
    Unit.MONTH: Fraction(1),
    Unit.QUARTER: Fraction(1, 3),
    Unit.HALF_YEAR: Fraction(1, 6),
    Unit.YEAR: Fraction(1, 12),
}


def monthly_minor(
    terms: PriceTerms,
    quantity: Decimal,
    cycle: Interval,
    currency: str,
    off: Off | None = None,
) -> int:
    """Return what one item brings in a month, in minor units, rounded once by ``half_up``.

    Args:
        terms: the price for one full period.
        quantity: 0 or more.
        cycle: the length of a full period.
        currency: of the price.
        off: what a discount takes off the price of a full period.
    """
    amount = price_of(terms, quantity).amount
    left = amount if off is None else off.left_of(amount)
    per_month = left * _PER_MONTH[cycle.unit] / cycle.count
    return to_minor(per_month, currency)
