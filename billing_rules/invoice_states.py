"""How it stands with an invoice: one vocabulary, one rule for every place that says or asks it.

What is stored follows from what is paid; overdue and due soon follow from the day, and are told
anew each time. `invoicing.queries.invoice_states` says the same in SQL.
"""

from datetime import date, timedelta
from enum import StrEnum
from typing import Final


class State(StrEnum):
    """Each state of an invoice, in the order of the tabs of a list."""

    TO_APPROVE = "to_approve"
    OPEN = "open"
    DUE_SOON = "due_soon"
    OVERDUE = "overdue"
    PARTLY_PAID = "partly_paid"
    PAID = "paid"
    CORRECTED = "corrected"
    ISSUED = "issued"
    EXTRACT = "extract"


DUE_SOON_DAYS: Final = 7
UNISSUED: Final = (State.TO_APPROVE,)
UNPAID: Final = (State.OPEN, State.PARTLY_PAID)
"""Stored states in which something is owed."""
DERIVED: Final = (State.DUE_SOON, State.OVERDUE)
"""What the day makes of an unpaid invoice."""
ASKED_FOR: Final = tuple(state for state in State if state is not State.EXTRACT)
"""What a list can be narrowed to; an extract has no state that could be asked for (R31)."""
AGREED: Final = ("draft", "void")
"""What integrators may ask for as well: the contract names it, and no invoice can be it yet."""


def payment_state(
    gross_minor: int, paid_minor: int, credited_minor: int = 0, corrected_minor: int = 0
) -> State:
    """Return the state to store for an issued document; nothing to pay is paid from the start.

    Args:
        gross_minor: its total, below 0 for a credit note, on which nobody owes anything.
        paid_minor: what was paid of it.
        credited_minor: what credit notes took off what was open of it.
        corrected_minor: what credit notes took back of it in all, also of what was paid.

    Source: docs/billing-rules.md, States of an invoice.
    """
    if gross_minor < 0:
        return State.ISSUED
    if paid_minor + credited_minor < gross_minor:
        return State.PARTLY_PAID if paid_minor else State.OPEN
    return State.CORRECTED if 0 < gross_minor <= corrected_minor else State.PAID


def owed_minor(stored: str, gross_minor: int, paid_minor: int, credited_minor: int = 0) -> int:
    """Return what is still to be paid: nothing before the invoice is issued."""
    return gross_minor - paid_minor - credited_minor if stored in UNPAID else 0


def last_overdue_day(today: date) -> date:
    """Return the latest due date that has passed: the due date itself is still in time."""
    return today - timedelta(days=1)


def last_soon_day(today: date) -> date:
    """Return the latest due date that is soon."""
    return today + timedelta(days=DUE_SOON_DAYS)


def urgency(stored: str, due_date: date | None, today: date) -> State | None:
    """Return overdue or due soon, None where nothing is owed or there is time.

    Args:
        stored: the stored state, empty for an extract.
        due_date: the day by which it is to be paid, None before it is issued or for an extract.
        today: the day on the tenant's clock.
    """
    if stored not in UNPAID or due_date is None:
        return None
    if due_date <= last_overdue_day(today):
        return State.OVERDUE
    return State.DUE_SOON if due_date <= last_soon_day(today) else None


def state_of(stored: str, due_date: date | None, today: date, *, is_whole: bool = True) -> State:
    """Return the one word for an invoice: what is urgent goes before how much is paid.

    Args:
        stored: the stored state.
        due_date: the day by which it is to be paid, None before it is issued.
        today: the day on the tenant's clock.
        is_whole: whether the reader sees the whole document; whether it is paid is a matter of
            those who do.

    Source: docs/billing-rules.md, States of an invoice.
    """
    if not is_whole:
        return State.EXTRACT
    return urgency(stored, due_date, today) or State(stored)


def answers_to(
    asked: str, stored: str, due_date: date | None, today: date, *, is_whole: bool = True
) -> bool:
    """Return whether a list narrowed to a state holds an invoice.

    An overdue invoice is open as well: it is in both lists. Arguments as of ``state_of``.

    Source: docs/billing-rules.md, States of an invoice.
    """
    return is_whole and asked in {stored, urgency(stored, due_date, today)}
