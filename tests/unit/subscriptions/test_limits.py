"""Numbers that a column holds without rounding."""

from decimal import Decimal

import pytest

from subscriptions.models.limits import fits


@pytest.mark.parametrize(
    ("number", "is_fitting"),
    [
        ("0", True),
        ("0.000001", True),
        ("0.0000010", True),
        ("0.0000001", False),
        ("999999999999.999999", True),
        ("1000000000000", False),
        ("1E+11", True),
        ("1E+12", False),
        ("-5", True),
        ("NaN", False),
        ("Infinity", False),
    ],
)
def test_says_whether_a_quantity_fits(number, is_fitting):
    assert fits(Decimal(number), 12, 6) is is_fitting
