"""A day of a live tenant: what is planned for it, then what falls due on it."""

import math
from datetime import date, datetime

from invoicing.operations.plans.applying import carry_out_due_plans
from invoicing.operations.runs.scheduling import run_scheduled_day
from tenancy.actor import Actor


def do_scheduled_day(
    actor: Actor, *, day: date, today: date, now: datetime, until: float = math.inf
) -> bool:
    """Carry out the plans of a day and bill it, for the timetable.

    Args:
        actor: the timetable.
        day: the day.
        today: the tenant's date.
        now: the instant.
        until: the reading of ``time.monotonic()`` from which on no other batch is begun.

    Returns:
        Whether the day is through; if not, another call goes on with it.
    """
    carry_out_due_plans(actor, day=day, now=now)
    return run_scheduled_day(actor, day=day, today=today, now=now, until=until)
