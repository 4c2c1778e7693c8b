"""What a price brings in a month."""

from decimal import Decimal

import pytest

from billing_rules.mrr import monthly_minor
from billing_rules.periods import Interval, Unit
from billing_rules.pricing import Model, PriceTerms, Tier


@pytest.mark.parametrize(
    ("amount", "quantity", "unit", "count", "currency", "expected"),
    [
        ("100", "1", Unit.MONTH, 1, "EUR", 10_000),
        ("9", "2.5", Unit.MONTH, 1, "EUR", 2_250),
        ("100", "1", Unit.MONTH, 3, "EUR", 3_333),
        ("100", "1", Unit.QUARTER, 1, "EUR", 3_333),
        ("100", "1", Unit.HALF_YEAR, 1, "EUR", 1_667),
        ("1200", "1", Unit.YEAR, 1, "EUR", 10_000),
        ("1200", "1", Unit.YEAR, 2, "EUR", 5_000),
        # 365.25 days a year are 30.4375 a month.
        ("1", "1", Unit.DAY, 1, "EUR", 3_044),
        ("7", "1", Unit.WEEK, 1, "EUR", 3_044),
        ("1000", "1", Unit.YEAR, 1, "JPY", 83),
        ("0.006", "1", Unit.YEAR, 1, "KWD", 1),
    ],
)
def test_is_the_price_of_a_month_rounded_once(amount, quantity, unit, count, currency, expected):
    terms = PriceTerms(model=Model.PER_UNIT, unit_amount=Decimal(amount))

    found = monthly_minor(terms, Decimal(quantity), Interval(unit, count), currency)

    assert found == expected


def test_knows_tiers():
    tiers = (
        Tier(up_to=Decimal(10), unit_amount=Decimal(9), flat_amount=Decimal(0)),
        Tier(up_to=None, unit_amount=Decimal("7.5"), flat_amount=Decimal(0)),
    )
    terms = PriceTerms(model=Model.GRADUATED, unit_amount=None, tiers=tiers)

    assert monthly_minor(terms, Decimal(24), Interval(Unit.MONTH), "EUR") == 19_500
