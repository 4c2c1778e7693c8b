"""How it stands with an invoice: one word, what lists hold it, and what is owed."""

from datetime import date, timedelta

import pytest

from billing_rules.invoice_states import (
    ASKED_FOR,
    DERIVED,
    UNPAID,
    State,
    answers_to,
    last_overdue_day,
    last_soon_day,
    owed_minor,
    payment_state,
    state_of,
    urgency,
)

DUE = date(2026, 12, 15)


@pytest.mark.parametrize(
    ("gross", "paid", "state", "owed"),
    [
        (11_900, 0, "open", 11_900),
        (11_900, 1, "partly_paid", 11_899),
        (11_900, 11_899, "partly_paid", 1),
        (11_900, 11_900, "paid", 0),
        (0, 0, "paid", 0),
    ],
)
def test_follows_from_what_is_paid(gross, paid, state, owed):
    assert payment_state(gross, paid) == state
    assert owed_minor(state, gross, paid) == owed


@pytest.mark.parametrize(
    ("gross", "paid", "credited", "corrected", "state", "owed"),
    [
        (11_900, 0, 900, 900, "open", 11_000),
        (11_900, 1_000, 900, 900, "partly_paid", 10_000),
        (11_900, 11_000, 900, 900, "paid", 0),
        (11_900, 11_900, 0, 900, "paid", 0),
        (11_900, 0, 11_900, 11_900, "corrected", 0),
        (11_900, 11_900, 0, 11_900, "corrected", 0),
        (11_900, 5_000, 6_900, 11_899, "paid", 0),
        (-11_900, 0, 0, 0, "issued", 0),
    ],
)
def test_follows_from_what_is_taken_back(gross, paid, credited, corrected, state, owed):
    assert payment_state(gross, paid, credited, corrected) == state
    assert owed_minor(state, gross, paid, credited) == owed


def test_owes_nothing_before_it_is_issued_nor_in_an_extract():
    assert owed_minor("to_approve", 11_900, 0) == 0
    assert owed_minor("", 11_900, 0) == 0


@pytest.mark.parametrize(
    ("days_left", "expected"),
    [(-1, "overdue"), (0, "due_soon"), (7, "due_soon"), (8, None), (-400, "overdue")],
)
@pytest.mark.parametrize("stored", UNPAID)
def test_is_overdue_after_its_due_date_and_due_soon_a_week_before(stored, days_left, expected):
    today = DUE - timedelta(days=days_left)

    assert urgency(stored, DUE, today) == expected
    assert state_of(stored, DUE, today) == (expected or stored)
    assert (last_overdue_day(today) >= DUE) == (expected == "overdue")
    assert (last_soon_day(today) >= DUE) == (expected is not None)


@pytest.mark.parametrize("days_left", [-400, -1, 0, 7, 8])
def test_is_never_urgent_where_nothing_is_owed(days_left):
    today = DUE - timedelta(days=days_left)

    assert state_of("paid", DUE, today) is State.PAID
    assert state_of("to_approve", None, today) is State.TO_APPROVE
    assert urgency("", None, today) is None


@pytest.mark.parametrize("days_left", [-1, 0, 8])
@pytest.mark.parametrize("stored", ["to_approve", "open", "partly_paid", "paid"])
def test_tells_readers_of_an_extract_nothing(stored, days_left):
    today = DUE - timedelta(days=days_left)

    assert state_of(stored, DUE, today, is_whole=False) is State.EXTRACT
    assert not any(answers_to(one, stored, DUE, today, is_whole=False) for one in State)


def test_is_in_the_list_of_its_stored_state_and_in_that_of_its_urgency():
    late = DUE + timedelta(days=1)

    assert [one for one in State if answers_to(one, "partly_paid", DUE, late)] == [
        State.OVERDUE,
        State.PARTLY_PAID,
    ]
    assert [one for one in State if answers_to(one, "paid", DUE, late)] == [State.PAID]


def test_asks_for_every_state_but_extract():
    assert [*ASKED_FOR, State.EXTRACT] == [*State]
    assert set(DERIVED).isdisjoint(UNPAID)
