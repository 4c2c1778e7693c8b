"""How it stands with invoices, in SQL: the same as `billing_rules.invoice_states` says.

Nothing else asks the database whether something is due, overdue or paid. Conditions name the
fields that `with_shown_amounts` adds, so that they never find an extract (R31).
"""

from datetime import date
from typing import Any

from django.db.models import BigIntegerField, Case, CharField, F, Q, Value, When

from billing_rules.invoice_states import (
    UNPAID,
    State,
    last_overdue_day,
    last_soon_day,
    state_of,
)

_OWED = F("gross_minor") - F("paid_minor") - F("credited_minor")


def is_unpaid() -> Q:
    """Return the condition on shown invoices of which something is owed."""
    return Q(shown_status__in=UNPAID)


def is_overdue(today: date) -> Q:
    """Return the condition on shown invoices whose due date has passed unpaid."""
    return is_unpaid() & Q(shown_due_date__lte=last_overdue_day(today))


def is_due_soon(today: date) -> Q:
    """Return the condition on shown unpaid invoices that are due today or within a week."""
    return is_unpaid() & Q(
        shown_due_date__gt=last_overdue_day(today), shown_due_date__lte=last_soon_day(today)
    )


def is_in_time(today: date) -> Q:
    """Return the condition on shown unpaid invoices whose due date has not passed."""
    return is_unpaid() & Q(shown_due_date__gt=last_overdue_day(today))


def answers_to(asked: str, today: date) -> Q:
    """Return the condition on shown invoices that a list narrowed to a state holds."""
    if asked == State.OVERDUE:
        return is_overdue(today)
    if asked == State.DUE_SOON:
        return is_due_soon(today)
    return Q(shown_status=asked)


def urgency(today: date) -> Case:
    """Return overdue, due soon or the empty text, of shown invoices."""
    return Case(
        When(is_overdue(today), then=Value(State.OVERDUE.value)),
        When(is_due_soon(today), then=Value(State.DUE_SOON.value)),
        default=Value(""),
        output_field=CharField(),
    )


def owed() -> Case:
    """Return what is still to be paid of invoices that carry ``whole``, NULL for an extract."""
    return Case(
        When(whole=True, status__in=UNPAID, then=_OWED),
        When(whole=True, then=Value(0)),
        output_field=BigIntegerField(),
    )


def owed_in_sql(invoice: str) -> str:
    """Return what is still to be paid of an unpaid invoice, as an expression on its table."""
    return f"({invoice}.gross_minor - {invoice}.paid_minor - {invoice}.credited_minor)"


def unpaid_in_sql(invoice: str) -> str:
    """Return the condition on a table of invoices of which something is owed."""
    words = ", ".join(f"'{state.value}'" for state in UNPAID)
    return f"{invoice}.status IN ({words})"


def overdue_in_sql(invoice: str) -> str:
    """Return the condition on a table of unpaid invoices; its parameter: ``last_overdue_day``."""
    return f"{invoice}.due_date <= %s"


def shown_state(invoice: Any, today: date) -> State:
    """Return the one word for an invoice of ``with_shown_amounts``."""
    return state_of(invoice.status, invoice.due_date, today, is_whole=invoice.whole)
