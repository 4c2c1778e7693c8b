"""Currencies, minor units and rounding."""

from datetime import date
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from billing_rules.money import (
    exponent,
    half_up,
    is_currency,
    plain_digits,
    to_major,
    to_minor,
    withdrawal,
)

quick = settings(max_examples=50, deadline=None, database=None)


@pytest.mark.parametrize(
    ("currency", "digits"), [("JPY", 0), ("EUR", 2), ("USD", 2), ("KWD", 3), ("CLF", 4)]
)
def test_knows_the_minor_digits_of_a_currency(currency, digits):
    assert exponent(currency) == digits
    assert is_currency(currency)


@pytest.mark.parametrize("code", ["", "eur", "EURO", "DEM", "XXX", "XAU"])
def test_refuses_what_is_no_active_currency(code):
    assert not is_currency(code)
    with pytest.raises(ValueError, match="not an ISO 4217 currency"):
        exponent(code)


def test_knows_the_day_from_which_nobody_owes_a_withdrawn_currency():
    assert withdrawal("BGN", date(2025, 12, 31)) is None
    assert withdrawal("EUR", date(2026, 1, 1)) is None

    ended = withdrawal("BGN", date(2026, 1, 1))

    assert ended is not None
    assert (ended.successor, ended.rate) == ("EUR", Decimal("1.95583"))
    # Documents of its time are still read and printed.
    assert exponent("BGN") == 2


@pytest.mark.parametrize(
    ("value", "rounded"),
    [("0", 0), ("1/2", 1), ("-1/2", -1), ("49/100", 0), ("-49/100", 0), ("3/2", 2), ("5/2", 3)],
)
def test_rounds_halves_away_from_zero(value, rounded):
    assert half_up(Fraction(value)) == rounded


@quick
@given(st.fractions())
def test_rounding_is_symmetric_and_at_most_half_a_unit_off(value):
    assert half_up(-value) == -half_up(value)
    assert abs(half_up(value) - value) <= Fraction(1, 2)


@pytest.mark.parametrize(
    ("amount", "currency", "minor"),
    [
        (Decimal("249.95"), "EUR", 24995),
        (Decimal("1.005"), "EUR", 101),
        (Decimal("-1.005"), "EUR", -101),
        (Decimal("1.5"), "JPY", 2),
        (Decimal("0.0005"), "KWD", 1),
        (Fraction(1, 3), "EUR", 33),
        (Decimal("12345678901234567890123456789012.34"), "EUR", 1234567890123456789012345678901234),
    ],
)
def test_converts_major_units_to_minor(amount, currency, minor):
    assert to_minor(amount, currency) == minor


def test_refuses_amounts_that_are_no_number():
    with pytest.raises(ValueError, match="NaN"):
        to_minor(Decimal("NaN"), "EUR")
    with pytest.raises(OverflowError):
        to_minor(Decimal("Infinity"), "EUR")


@pytest.mark.parametrize(
    ("minor", "currency", "text"),
    [(12345, "EUR", "123.45"), (-5, "EUR", "-0.05"), (7, "JPY", "7"), (1, "KWD", "0.001")],
)
def test_shows_minor_units_with_the_currencys_decimals(minor, currency, text):
    assert str(to_major(minor, currency)) == text


@quick
@given(st.integers(), st.sampled_from(["JPY", "EUR", "KWD", "UYW"]))
def test_converting_there_and_back_is_exact(minor, currency):
    assert to_minor(to_major(minor, currency), currency) == minor


@pytest.mark.parametrize(
    ("number", "text"), [("9.00000000", "9"), ("100", "100"), ("0.000", "0"), ("2.50", "2.5")]
)
def test_writes_a_decimal_in_short(number, text):
    assert plain_digits(Decimal(number)) == text
