"""What state a subscription is in on a day: its dates say it."""

from datetime import date
from enum import StrEnum


class State(StrEnum):
    """Where in its life a subscription is."""

    FUTURE = "future"
    TRIALING = "trialing"
    ACTIVE = "active"
    PAUSED = "paused"
    NON_RENEWING = "non_renewing"
    CANCELLED = "cancelled"


def state_on(
    day: date,
    start_date: date,
    end_date: date | None,
    *,
    trial_end: date | None = None,
    is_paused: bool = False,
    non_renewing_since: date | None = None,
) -> State:
    """Return the state on a day.

    Args:
        day: the day that is asked for.
        start_date: the first day of service.
        end_date: the first day no longer served, None while it is open.
        trial_end: the first day after the trial, None without one.
        is_paused: whether it is paused on that day.
        non_renewing_since: the day from which its end is news, None for at any time: what ends
            with its term runs as ever until its notice period begins.

    Returns:
        ``cancelled`` from the end date on, ``future`` before the start, ``trialing`` up to the end
        of the trial, ``paused`` while it is, ``non_renewing`` while it runs towards an end, else
        ``active``.

    Source: docs/billing-rules.md, The states of a subscription.
    """
    if end_date is not None and day >= end_date:
        return State.CANCELLED
    if day < start_date:
        return State.FUTURE
    if trial_end is not None and day < trial_end:
        return State.TRIALING
    if is_paused:
        return State.PAUSED
    is_news = non_renewing_since is None or day >= non_renewing_since
    return State.NON_RENEWING if end_date is not None and is_news else State.ACTIVE
