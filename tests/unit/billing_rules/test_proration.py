"""Parts of periods, with the worked numbers of the rules."""

from datetime import date, timedelta
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from billing_rules.periods import Interval, Period, Unit, anchor_of, full_period, next_period
from billing_rules.proration import OutsidePeriod, prorate, split_charged
from billing_rules.settling import Charged, Owed, settle

quick = settings(max_examples=50, deadline=None, database=None)

MAY = Period(date(2017, 5, 1), date(2017, 6, 1))
OLD, NEW = Fraction("249.95"), Fraction("599.95")


@pytest.mark.parametrize(
    ("amount", "unit", "billing_day", "start", "part_days", "full_days", "minor"),
    [
        ("249.95", Unit.MONTH, 15, "2017-05-01", 14, 30, 11664),
        ("249.95", Unit.MONTH, 15, "2017-06-01", 14, 31, 11288),
        ("249.95", Unit.MONTH, 10, "2017-07-15", 26, 31, 20964),
        ("2399.95", Unit.YEAR, 10, "2017-05-01", 9, 365, 5918),
        ("249.95", Unit.MONTH, 1, "2017-05-01", 31, 31, 24995),
    ],
)
def test_a_stub_costs_its_days_of_the_full_period(
    amount, unit, billing_day, start, part_days, full_days, minor
):
    first_day = date.fromisoformat(start)
    anchor = anchor_of(first_day, Interval(unit), billing_day=billing_day)
    part, full = next_period(anchor, first_day), full_period(anchor, first_day)

    assert (part.days, full.days) == (part_days, full_days)
    assert prorate(Fraction(amount), part, full, "EUR") == minor
    assert prorate(-Fraction(amount), part, full, "EUR") == -minor


@pytest.mark.parametrize(("currency", "minor"), [("JPY", 117), ("KWD", 116643)])
def test_rounds_to_the_minor_unit_of_the_currency(currency, minor):
    full = Period(date(2017, 4, 15), date(2017, 5, 15))

    assert prorate(OLD, Period(date(2017, 5, 1), date(2017, 5, 15)), full, currency) == minor


def change(old, new, on, period, full, currency):
    """Return the credit and the charge of a change on a day inside a period that was charged."""
    piece = Charged("charge", "old", period, full, old, prorate(old, period, full, currency))
    owed = [Owed("new", Period(on, period.end), full, new)]
    if on > period.start:
        owed.append(Owed("old", Period(period.start, on), full, old))
    made = settle([piece], owed, currency)
    return -sum(one.net_minor for one in made.taken_back), sum(net for _one, net in made.charged)


def test_a_change_credits_the_unused_part_and_charges_the_rest():
    assert change(OLD, NEW, date(2017, 5, 5), MAY, MAY, "EUR") == (-21770, 52254)


def test_a_change_on_the_first_day_credits_everything():
    assert change(OLD, NEW, MAY.start, MAY, MAY, "EUR") == (-24995, 59995)


def test_a_change_after_a_change_starts_from_what_was_charged():
    rest = Period(date(2017, 5, 5), MAY.end)

    assert change(NEW, OLD, date(2017, 5, 20), rest, MAY, "EUR") == (-23224, 9675)


def test_a_charged_period_is_split_without_losing_a_cent():
    day = Fraction("0.01")
    two_days = Period(date(2017, 5, 1), date(2017, 5, 3))

    # Rounded alone, both halves would be 1 cent.
    assert split_charged(1, day, two_days, two_days, "EUR", on=date(2017, 5, 2)) == (1, 0)
    assert split_charged(1, day, two_days, two_days, "EUR", on=date(2017, 5, 1)) == (0, 1)


@pytest.mark.parametrize("on", [date(2017, 4, 30), date(2017, 6, 1)])
def test_refuses_a_day_outside_the_charged_period(on):
    with pytest.raises(OutsidePeriod):
        split_charged(24995, OLD, MAY, MAY, "EUR", on=on)
    with pytest.raises(ValueError, match=r"is not inside|ends after it starts"):
        change(OLD, NEW, on, MAY, MAY, "EUR")


def test_refuses_a_part_outside_the_full_period():
    with pytest.raises(OutsidePeriod):
        prorate(OLD, MAY, Period(date(2017, 5, 2), date(2017, 6, 2)), "EUR")


amounts = st.fractions(-(10**6), 10**6, max_denominator=10**4)
lengths = st.lists(st.integers(1, 60), min_size=2, max_size=8)


@quick
@given(amounts, lengths)
def test_parts_of_a_period_tile_it(amount, lengths):
    full = Period(MAY.start, MAY.start + timedelta(days=sum(lengths)))
    day, parts = full.start, []
    for length in lengths:
        parts.append(Period(day, day + timedelta(days=length)))
        day = parts[-1].end

    alone = [prorate(amount, part, full, "EUR") for part in parts]
    assert abs(sum(alone) - amount * 100) <= Fraction(len(parts), 2)

    # Split one after the other, as changes do, they lose nothing at all.
    rest, charged, pieces = full, prorate(amount, full, full, "EUR"), []
    for part in parts[:-1]:
        piece, charged = split_charged(charged, amount, rest, full, "EUR", on=part.end)
        pieces.append(piece)
        rest = Period(part.end, full.end)
    assert pieces == alone[:-1]
    assert sum(pieces) + charged == prorate(amount, full, full, "EUR")


@quick
@given(amounts, amounts, st.integers(0, 30))
def test_a_change_leaves_the_used_part_of_the_old_price(old, new, day):
    on = MAY.start + timedelta(days=day)
    credit, charge = change(old, new, on, MAY, MAY, "EUR")
    used = prorate(old, Period(MAY.start, on), MAY, "EUR") if day else 0

    assert prorate(old, MAY, MAY, "EUR") + credit == used
    assert charge == prorate(new, Period(on, MAY.end), MAY, "EUR")
