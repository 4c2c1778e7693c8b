"""What a move of the test clock would bring, before it is made; nothing is stored."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from invoicing.operations.clock import require_movable
from invoicing.operations.runs import RunPreview, preview_run
from invoicing.queries.clock_events import PlansDue, plans_due
from invoicing.queries.run_preview import change_days, next_due_date, waiting_days
from tenancy.actor import Actor
from tenancy.database import operation
from tenancy.models import Tenant


@dataclass(frozen=True, slots=True)
class ClockPreview:
    """A move of the clock that was not made.

    Attributes:
        from_date: where the clock stands.
        to_date: where it would stand.
        run_dates: the days on which a run would be made, in order.
        found: what one run on the last day would make; the move makes it in several.
        plans: the change plans that would be carried out on the way.
    """

    from_date: date
    to_date: date
    run_dates: tuple[date, ...]
    found: RunPreview
    plans: PlansDue

    @property
    def days(self) -> int:
        """By how many days the clock would move."""
        return (self.to_date - self.from_date).days


@operation
def preview_clock_move(
    actor: Actor, *, to_date: date, tenant: Tenant, now: datetime, is_whole: bool = False
) -> ClockPreview:
    """Return which runs a move of the clock would make, and what of.

    A run is made on each day on which a period begins or falls due, a charge comes to its billing
    day, or what is held back is free again; while something cannot be billed, also on each day on
    which a setting, a place in the tree or a tax rate begins or ends.

    Args:
        actor: who asks.
        to_date: the day the clock would show.
        tenant: the actor's.
        now: the real instant.
        is_whole: go on until all customers are counted, not only for two seconds.

    Raises:
        Forbidden: the actor may not move the clock.
        NotSandbox, ClockBackwards, ClockTooFar: as ``advance_clock``.

    Source: docs/billing-rules.md, R4, R7, R8.
    """
    start = require_movable(actor, to_date)
    earliest, found = start + timedelta(days=1), RunPreview()
    while True:
        found = preview_run(
            actor, run_date=to_date, within=None, tenant=tenant, now=now, issue=True, so_far=found
        )
        if found.is_whole or not is_whole:
            break
    due = found.days | waiting_days(actor, until=to_date)
    first = next_due_date(actor)  # that of customers who are not counted as well
    run_dates = {max(day, earliest) for day in (*due, first) if day is not None}
    if found.held_since is not None:
        run_dates |= change_days(actor, after=max(found.held_since, earliest), until=to_date)
    return ClockPreview(
        start,
        to_date,
        tuple(sorted(day for day in run_dates if day <= to_date)),
        found,
        plans_due(actor, until=to_date),
    )
