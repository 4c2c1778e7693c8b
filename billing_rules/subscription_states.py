"""What state a subscription is in on a day: its dates say it."""

from datetime import date
from enum import StrEnum


class State(StrEnum):
    """Where in its life a subscription is."""

    FUTURE = "future"
    ACTIVE = "active"
    NON_RENEWING = "non_renewing"
    CANCELLED = "cancelled"


def state_on(day: date, start_date: date, end_date: date | None) -> State:
    """Return the state on a day.

    Args:
        day: the day that is asked for.
        start_date: the first day of service.
        end_date: the first day no longer served, None while it is open.

    Returns:
        ``cancelled`` from the end date on, ``future`` before the start, ``non_renewing`` while it
        runs towards an end, else ``active``.

    Source: docs/billing-rules.md, The states of a subscription.
    """
    if end_date is not None and day >= end_date:
        return State.CANCELLED
    if day < start_date:
        return State.FUTURE
    return State.ACTIVE if end_date is None else State.NON_RENEWING
