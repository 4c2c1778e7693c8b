"""Contract terms: term ends never drift, and notice in time is notice a whole period before."""

from calendar import monthrange
from datetime import date, timedelta
from itertools import islice

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing_rules.contract_terms import (
    ContractTerms,
    Refusal,
    earliest_end,
    notice_deadline,
    refusal_of,
    term_ends,
    term_on,
)
from billing_rules.periods import OutsideCalendar, Period

D = date.fromisoformat
YEARLY = ContractTerms(D("2026-01-01"), 12, 12, notice_months=3)

starts = st.dates(D("2000-01-01"), D("2060-12-31"))
lengths = st.sampled_from([1, 3, 6, 12, 24, 36])


@st.composite
def renewing(draw):
    return ContractTerms(
        draw(starts),
        draw(lengths),
        draw(lengths),
        draw(st.integers(0, 6)),
        draw(st.integers(0, 100)),
    )


def plus(day, months):
    """A day of a later month, as the civil code counts: the last day where the month is short."""
    month = day.year * 12 + day.month - 1 + months
    year, before = divmod(month, 12)
    return date(year, before + 1, min(day.day, monthrange(year, before + 1)[1]))


@pytest.mark.parametrize(
    ("start", "months", "ends"),
    [
        ("2026-01-01", 12, ["2027-01-01", "2028-01-01", "2029-01-01"]),
        ("2026-10-31", 1, ["2026-11-30", "2026-12-31", "2027-01-31", "2027-02-28", "2027-03-31"]),
        ("2024-02-29", 12, ["2025-02-28", "2026-02-28", "2027-02-28", "2028-02-29"]),
    ],
)
def test_ends_keep_the_day_of_the_month(start, months, ends):
    terms = ContractTerms(D(start), months, months)

    assert list(islice(term_ends(terms, D(start)), len(ends))) == [D(one) for one in ends]


@pytest.mark.parametrize(
    ("end", "notice", "deadline"),
    [
        ("2027-01-01", {"notice_months": 3}, "2026-09-30"),
        ("2027-01-01", {"notice_days": 30}, "2026-12-01"),
        ("2027-03-01", {"notice_months": 1}, "2027-01-31"),
        ("2027-03-31", {"notice_months": 1}, "2027-02-28"),
        ("2028-03-31", {"notice_months": 1}, "2028-02-29"),
        ("2027-05-15", {"notice_months": 1, "notice_days": 14}, "2027-03-31"),
        ("2027-01-01", {}, "2026-12-31"),
    ],
)
def test_notice_is_given_a_whole_period_before_the_end(end, notice, deadline):
    terms = ContractTerms(D("2026-01-01"), 12, 12, **notice)

    assert notice_deadline(terms, D(end)) == D(deadline)


@pytest.mark.parametrize(
    ("today", "end"),
    [("2026-03-01", "2027-01-01"), ("2026-09-30", "2027-01-01"), ("2026-10-01", "2028-01-01")],
)
def test_after_the_deadline_it_ends_a_term_later(today, end):
    assert earliest_end(YEARLY, D(today)) == D(end)


@pytest.mark.parametrize(
    ("wanted", "today", "refusal"),
    [
        ("2026-12-31", "2026-03-01", Refusal.MINIMUM_TERM),
        ("2027-01-01", "2026-09-30", None),
        ("2027-01-01", "2026-10-01", Refusal.NOTICE),
        ("2027-06-01", "2026-03-01", Refusal.RENEWED_TERM),
        ("2028-01-01", "2026-10-01", None),
    ],
)
def test_says_why_it_does_not_end_on_a_day(wanted, today, refusal):
    assert refusal_of(YEARLY, D(wanted), D(today)) == refusal


def test_what_does_not_renew_ends_with_its_term_without_notice():
    terms = ContractTerms(D("2026-01-01"), 12, notice_months=3)

    assert terms.fixed_end == D("2027-01-01")
    assert earliest_end(terms, D("2026-12-30")) == D("2027-01-01")
    assert refusal_of(terms, D("2027-01-01"), D("2026-12-30")) is None
    assert refusal_of(terms, D("2027-02-01"), D("2026-12-30")) == Refusal.RENEWED_TERM
    assert earliest_end(terms, D("2027-01-01")) is None
    assert term_on(terms, D("2027-01-01")) is None


def test_without_a_term_only_the_notice_period_binds():
    terms = ContractTerms(D("2026-01-01"), notice_days=30)

    assert earliest_end(terms, D("2026-11-29")) == D("2026-12-30")
    assert earliest_end(terms, D("2026-11-29"), D("2027-02-03")) == D("2027-02-03")
    assert refusal_of(terms, D("2026-12-29"), D("2026-11-29")) == Refusal.NOTICE
    assert (terms.fixed_end, term_on(terms, D("2026-05-05"))) == (None, None)
    assert list(term_ends(terms, D("2026-05-05"))) == []


def test_the_term_that_contains_a_day():
    assert term_on(YEARLY, D("2025-05-05")) == Period(D("2026-01-01"), D("2027-01-01"))
    assert term_on(YEARLY, D("2026-12-31")) == Period(D("2026-01-01"), D("2027-01-01"))
    assert term_on(YEARLY, D("2028-01-01")) == Period(D("2028-01-01"), D("2029-01-01"))


@pytest.mark.parametrize(
    "values",
    [
        {"minimum_months": 0},
        {"minimum_months": 12, "renewal_months": 0},
        {"renewal_months": 12},
        {"notice_months": -1},
    ],
)
def test_refuses_lengths_that_say_nothing(values):
    with pytest.raises(ValueError, match=r"term|notice"):
        ContractTerms(D("2026-01-01"), **values)


def test_stays_within_the_calendar():
    with pytest.raises(OutsideCalendar):
        notice_deadline(ContractTerms(date.min, 1), date.min)
    with pytest.raises(OutsideCalendar):
        notice_deadline(ContractTerms(date.min, 1, 1, notice_days=400), date(1, 2, 1))


@given(renewing(), st.integers(0, 4000))
def test_terms_follow_each_other_without_a_gap(terms, ahead):
    day = terms.start + timedelta(ahead)
    term = term_on(terms, day)

    assert term.contains(day)
    assert term_on(terms, term.end).start == term.end
    assert term_on(terms, term.last_day) == term
    assert term.end in list(islice(term_ends(terms, day), 2))


@given(renewing(), st.integers(0, 2000))
def test_notice_keeps_its_whole_period_and_no_day_more(terms, ahead):
    end = next(term_ends(terms, terms.start + timedelta(ahead)))
    deadline = notice_deadline(terms, end)
    served = end - timedelta(1)

    def is_over(given_on):
        return plus(given_on + timedelta(terms.notice_days), terms.notice_months) <= served

    assert is_over(deadline)
    assert not is_over(deadline + timedelta(1)) or terms.notice_months


@given(renewing(), st.integers(-50, 2000))
def test_the_earliest_end_is_allowed_and_no_earlier_one_is(terms, ahead):
    today = terms.start + timedelta(ahead)
    end = earliest_end(terms, today)

    assert refusal_of(terms, end, today) is None
    earlier = [today + timedelta(days) for days in range(1, min((end - today).days, 400))]
    assert all(refusal_of(terms, day, today) is not None for day in earlier)


@given(starts, st.integers(0, 6), st.integers(0, 100), st.integers(0, 1000))
def test_without_a_term_the_earliest_end_is_the_first_allowed(start, months, days, ahead):
    terms = ContractTerms(start, notice_months=months, notice_days=days)
    today = start + timedelta(ahead)
    end = earliest_end(terms, today)

    assert refusal_of(terms, end, today) is None
    assert end == today + timedelta(1) or refusal_of(terms, end - timedelta(1), today)
