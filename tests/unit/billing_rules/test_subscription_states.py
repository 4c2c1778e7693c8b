"""The state of a subscription on a day."""

from datetime import date

import pytest

from billing_rules.subscription_states import State, state_on

START = date(2026, 3, 1)
END = date(2026, 6, 1)


@pytest.mark.parametrize(
    ("day", "end_date", "state"),
    [
        (date(2026, 2, 28), None, State.FUTURE),
        (date(2026, 2, 28), END, State.FUTURE),
        (START, None, State.ACTIVE),
        (date(2099, 1, 1), None, State.ACTIVE),
        (START, END, State.NON_RENEWING),
        (date(2026, 5, 31), END, State.NON_RENEWING),
        (END, END, State.CANCELLED),
        (date(2027, 1, 1), END, State.CANCELLED),
    ],
)
def test_follows_from_start_and_end(day, end_date, state):
    assert state_on(day, START, end_date) == state


@pytest.mark.parametrize(
    ("day", "end_date", "is_paused", "state"),
    [
        (date(2026, 2, 28), None, False, State.FUTURE),
        (START, None, False, State.TRIALING),
        (date(2026, 3, 14), END, True, State.TRIALING),
        (date(2026, 3, 15), None, False, State.ACTIVE),
        (date(2026, 3, 15), None, True, State.PAUSED),
        (date(2026, 3, 15), END, True, State.PAUSED),
        (END, END, True, State.CANCELLED),
    ],
)
def test_a_trial_comes_first_and_a_pause_before_an_end(day, end_date, is_paused, state):
    trial_end = date(2026, 3, 15)
    assert state_on(day, START, end_date, trial_end=trial_end, is_paused=is_paused) == state
