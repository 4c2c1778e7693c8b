"""Splitting amounts to the last minor unit."""

from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from billing_rules.allocation import allocate, largest_remainder, largest_remainder_over
from billing_rules.money import half_up

quick = settings(max_examples=50, deadline=None, database=None)


@pytest.mark.parametrize(
    ("total", "weights", "shares"),
    [
        (10000, [1, 1, 1], (3334, 3333, 3333)),
        (-10000, [1, 1, 1], (-3334, -3333, -3333)),
        (100, [1, 0, 2], (33, 0, 67)),
        (1, [1, 1], (1, 0)),
        (0, [5], (0,)),
        (5, [10, 30, 60], (1, 1, 3)),
    ],
)
def test_splits_in_proportion_and_in_a_stable_order(total, weights, shares):
    assert allocate(total, weights) == shares


@pytest.mark.parametrize("weights", [[], [0, 0], [1, -1]])
def test_refuses_weights_that_share_nothing_out(weights):
    with pytest.raises(ValueError, match="weights need"):
        allocate(100, weights)


@quick
@given(
    st.integers(-(10**12), 10**12),
    st.lists(st.integers(0, 10**6), min_size=1, max_size=20).filter(any),
)
def test_shares_sum_to_the_total_and_are_less_than_a_unit_off(total, weights):
    shares = allocate(total, weights)

    assert sum(shares) == total
    for share, weight in zip(shares, weights, strict=True):
        assert abs(share - Fraction(total * weight, sum(weights))) < 1
    assert allocate(-total, weights) == tuple(-share for share in shares)


@quick
@given(st.lists(st.tuples(st.integers(), st.integers(1, 1000)), max_size=20))
def test_largest_remainder_rounds_each_part_to_a_neighbour(ratios):
    exact = [Fraction(numerator, denominator) for numerator, denominator in ratios]

    parts = largest_remainder(exact, half_up(sum(exact, Fraction(0))))

    assert sum(parts) == half_up(sum(exact, Fraction(0)))
    assert all(abs(part - value) < 1 for part, value in zip(parts, exact, strict=True))


def test_left_over_units_go_to_the_largest_fraction_then_to_the_earlier_position():
    exact = [Fraction(1, 4), Fraction(1, 2), Fraction(-3, 4), Fraction(1, 2), Fraction(1, 2)]

    assert largest_remainder(exact, 1) == (0, 1, -1, 1, 0)


def test_refuses_a_total_that_is_not_the_rounded_sum():
    with pytest.raises(ValueError, match="not the rounded sum"):
        largest_remainder([Fraction(1, 2), Fraction(1, 2)], 2)
    with pytest.raises(ValueError, match="not the rounded sum"):
        largest_remainder([], 1)


def test_parts_over_one_denominator_give_the_same():
    assert largest_remainder_over([1, 2, 1], 4, 1) == (0, 1, 0)
