"""What a discount leaves of a price, and which one holds on a day."""

from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing_rules.discounts import Given, Off, with_discounts
from billing_rules.periods import Period
from billing_rules.proration import prorate
from billing_rules.timelines import Stretch

D = date.fromisoformat
FIRST = D("2026-11-01")
NOVEMBER = Period(FIRST, D("2026-12-01"))
percents = st.decimals("0.0001", 100, places=4)
amounts = st.fractions(0, 10**9)


@pytest.mark.parametrize(
    ("off", "price", "currency", "days", "minor"),
    [
        (Off(percent=Decimal(10)), "300", "EUR", 30, 27000),
        (Off(percent=Decimal(10)), "300", "EUR", 10, 9000),
        (Off(percent=Decimal("33.3333")), "249.95", "EUR", 15, 8332),
        (Off(percent=Decimal(100)), "300", "EUR", 30, 0),
        (Off(amount=Decimal(50)), "300", "EUR", 15, 12500),
        (Off(amount=Decimal(400)), "300", "EUR", 30, 0),
        (Off(percent=Decimal("12.5")), "999", "JPY", 30, 874),
        (Off(amount=Decimal("0.5")), "1000", "JPY", 30, 1000),
        (Off(percent=Decimal(15)), "10.125", "KWD", 10, 2869),
        (Off(amount=Decimal("0.0005")), "10.125", "KWD", 30, 10125),
    ],
)
def test_what_is_left_is_prorated_and_rounded_once(off, price, currency, days, minor):
    part = Period(FIRST, FIRST + timedelta(days=days))

    assert prorate(off.left_of(Fraction(price)), part, NOVEMBER, currency) == minor


@given(amounts, percents)
def test_a_share_leaves_between_nothing_and_all(amount, percent):
    left = Off(percent=percent).left_of(amount)

    assert 0 <= left <= amount
    assert left + amount * Fraction(percent) / 100 == amount


@given(amounts, st.decimals("0.01", 10**6, places=2))
def test_an_amount_never_leaves_less_than_nothing(amount, less):
    assert Off(amount=less).left_of(amount) == max(0, amount - Fraction(less))


spans = st.lists(
    st.tuples(
        st.sampled_from("abcd"), st.integers(0, 60), st.one_of(st.none(), st.integers(0, 60))
    ),
    max_size=5,
)


@given(spans, st.lists(st.integers(1, 50), max_size=3, unique=True))
def test_on_each_day_the_first_one_that_is_for_the_terms_holds(spans, changes):
    """Terms are pairs of a price and a discount; ``a`` is not for prices with odd numbers."""
    starts = [0, *sorted(changes)]
    ends = [*starts[1:], None]
    day_of = lambda number: FIRST + timedelta(days=number)  # noqa: E731
    timeline = [
        Stretch(day_of(start), None if end is None else day_of(end), (place, "old"))
        for place, (start, end) in enumerate(zip(starts, ends, strict=True))
    ]
    given_spans = [
        Given(name, day_of(start), None if length is None else day_of(start + length))
        for name, start, length in spans
    ]
    applies = lambda terms, name: name != "a" or terms[0] % 2 == 0  # noqa: E731

    found = with_discounts(
        timeline, given_spans, lambda terms, name: (terms[0], name), applies=applies
    )

    for number in range(130):
        day = day_of(number)
        price = next(one.value[0] for one in timeline if one.holds_on(day))
        expected = next(
            (
                one.discount
                for one in given_spans
                if one.start <= day
                and (one.end is None or day < one.end)
                and applies((price, None), one.discount)
            ),
            None,
        )
        assert [one.value for one in found if one.holds_on(day)] == [(price, expected)]
