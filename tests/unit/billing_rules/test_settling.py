"""What should be charged minus what was: the worked numbers, and random changes day by day."""

from datetime import date, timedelta
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from billing_rules.periods import Period
from billing_rules.settling import Charged, Credited, Owed, Settlement, settle, since, standing

quick = settings(max_examples=60, deadline=None, database=None)

MAY = Period(date(2017, 5, 1), date(2017, 6, 1))
OLD, NEW = Fraction("249.95"), Fraction("599.95")
FIFTH = Period(date(2017, 5, 5), MAY.end)


def charged(period, amount, minor, *, terms="old", full=MAY, charge=1):
    return Charged(charge, terms, period, full, amount, minor)


def owed(period, amount, terms="new", full=MAY):
    return Owed(terms, period, full, amount)


def test_a_change_credits_the_unused_part_and_charges_the_rest_at_the_same_fraction():
    first = owed(Period(MAY.start, FIFTH.start), OLD, "old")

    made = settle([charged(MAY, OLD, 24995)], [first, owed(FIFTH, NEW)], "EUR")

    assert [(one.period, one.net_minor) for one in made.taken_back] == [(FIFTH, 21770)]
    assert [(one.period, minor) for one, minor in made.charged] == [(FIFTH, 52254)]


def test_since_a_day_the_rest_of_what_was_charged_is_left():
    """10.75 of 33.33 are the first ten days; 22.58 are left, where 21 days alone cost as much."""
    odd = charged(MAY, Fraction("33.33"), 3333)
    earlier, later = Period(date(2017, 4, 1), MAY.start), Period(MAY.end, date(2017, 7, 1))
    around = [charged(later, OLD, 5, charge=3), odd, charged(earlier, OLD, 7, charge=2)]

    left = since(around, date(2017, 5, 11), "EUR")

    assert [(one.period.start, one.net_minor) for one in left] == [
        (date(2017, 5, 11), 2258),
        (MAY.end, 5),
    ]


@quick
@given(st.integers(0, 10**7), st.integers(1, 30))
def test_what_is_left_and_what_went_before_add_up(minor, days):
    day = MAY.start + timedelta(days=days)
    whole = charged(MAY, Fraction(minor, 100), minor)

    (left,) = since([whole], day, "EUR")
    taken = standing([whole, Credited(1, left.period)], "EUR")

    assert left.net_minor + sum(one.net_minor for one in taken) == minor


def test_nothing_is_made_good_where_what_is_charged_is_owed():
    made = settle([charged(MAY, OLD, 24995)], [owed(MAY, OLD, "old")], "EUR")

    assert made == Settlement((), ())


def test_what_is_owed_no_longer_is_only_credited():
    """A stretch in the midst is taken back; what remains on both sides adds up with it."""
    pause = Period(date(2017, 5, 10), date(2017, 5, 20))
    sides = [
        owed(Period(MAY.start, pause.start), OLD, "old"),
        owed(Period(pause.end, MAY.end), OLD, "old"),
    ]

    made = settle([charged(MAY, OLD, 24995)], sides, "EUR")

    assert [(one.period, one.net_minor) for one in made.taken_back] == [(pause, 8063)]
    assert made.charged == ()


def test_what_was_never_charged_is_charged():
    made = settle([], [owed(FIFTH, NEW)], "EUR")

    assert [minor for _one, minor in made.charged] == [52254]


def test_what_stands_after_a_credit_is_what_it_left():
    left = standing([charged(MAY, OLD, 24995), Credited(1, FIFTH)], "EUR")

    assert [(one.period, one.net_minor) for one in left] == [(Period(MAY.start, FIFTH.start), 3225)]


@pytest.mark.parametrize(
    "credits",
    [
        pytest.param([Credited(2, FIFTH)], id="of another charge"),
        pytest.param([Credited(1, FIFTH), Credited(1, FIFTH)], id="twice"),
    ],
)
def test_what_is_not_charged_cannot_be_credited(credits):
    with pytest.raises(ValueError, match="credits what was not charged"):
        standing([charged(MAY, OLD, 24995), *credits], "EUR")


YEAR = [Period(date(2026, month, 1), date(2026, month + 1, 1)) for month in range(1, 12)]
PRICES = {name: Fraction(number) for name, number in
          {"a": "249.95", "b": "0.01", "c": "599.95", "d": "33.33"}.items()}  # fmt: skip


@st.composite
def changes(draw):
    days = st.integers(0, 333).map(lambda n: YEAR[0].start + timedelta(days=n))
    terms = st.sampled_from([*PRICES, None])
    return draw(st.lists(st.tuples(days, terms), max_size=6))


def terms_on(said, day):
    """Return what the latest word for a day is: each change holds from its day on."""
    return [terms for since, terms in [(date.min, "a"), *said] if since <= day][-1]


def owed_by(said):
    """Return what each day should be charged for, in stretches of one period and one terms."""
    found = []
    for period in YEAR:
        day = period.start
        while day < period.end:
            end = day
            while end < period.end and terms_on(said, end) == terms_on(said, day):
                end += timedelta(days=1)
            terms = terms_on(said, day)
            if terms is not None:
                found.append(Owed(terms, Period(day, end), period, PRICES[terms]))
            day = end
    return found


@quick
@given(changes())
def test_after_any_changes_each_day_stands_for_what_it_should(said):
    events, number = [], 0
    for known in range(len(said) + 1):
        made = settle(standing(events, "EUR"), owed_by(said[:known]), "EUR")
        events += [Credited(one.charge, one.period) for one in made.taken_back]
        before = sum(one.net_minor for one in standing(events, "EUR"))
        for part, minor in made.charged:
            number += 1
            events.append(Charged(number, part.terms, part.period, part.full, part.amount, minor))
        after = standing(events, "EUR")
        assert sum(one.net_minor for one in after) == before + sum(m for _, m in made.charged)

    stands = {
        piece.period.start + timedelta(days=n): piece.terms
        for piece in after
        for n in range(piece.period.days)
    }
    for n in range(333):
        day = YEAR[0].start + timedelta(days=n)
        assert stands.get(day) == terms_on(said, day)
    exact = sum(one.amount * Fraction(one.period.days, one.full.days) for one in owed_by(said))
    # Each stretch is rounded once, and the rest of a split one is the difference.
    assert abs(sum(one.net_minor for one in after) - exact * 100) <= len(after) + len(said)
    assert settle(after, owed_by(said), "EUR") == Settlement((), ())
