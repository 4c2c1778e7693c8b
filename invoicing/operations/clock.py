"""Moving a sandbox's clock: every day in order, and everything due on it."""

from calendar import monthrange
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db import connection
from django.utils.translation import gettext_lazy as _

from accounts import access
from accounts.access import Action
from invoicing.operations.plans.applying import carry_out_due_plans
from invoicing.operations.runs import RunDateBeforeLastIssue, run_billing
from invoicing.queries.plans.listing import next_plan_date
from invoicing.queries.run_preview import next_due_date
from tenancy.actor import Actor
from tenancy.clock import today_of
from tenancy.database import operation
from tenancy.errors import Conflict, Invalid
from tenancy.events import Happening, record_event
from tenancy.files import LATEST
from tenancy.queries.tenants import locked_tenant, own_tenant

MAX_DAYS = 3_700


class NotSandbox(Conflict):
    """A live tenant's clock is the real one."""

    code = "not_sandbox"
    message = _("Only a sandbox tenant's clock can be moved.")


class ClockBackwards(Invalid):
    """What has happened has happened."""

    code = "clock_backwards"
    message = _("The clock stands at %(now)s; it only moves forward.")


class ClockTooFar(Invalid):
    """More days than anybody waits for."""

    code = "clock_too_far"
    message = _("The clock moves at most %(days)s days at a time.")


class ClockMoves(Conflict):
    """One move at a time."""

    code = "clock_is_moving"
    message = _("The clock is moving to %(to)s already. Wait until it stands.")


@dataclass(frozen=True, slots=True)
class ClockAdvanced:
    """How far the clock has moved, what was billed on the way, and how many plans were due."""

    from_date: date
    to_date: date
    days: int
    runs: int
    invoices: int
    run_ids: tuple[UUID, ...]
    plans: int = 0


def advance_clock(
    actor: Actor, *, to_date: date, now: datetime, billed_until: date | None = None
) -> ClockAdvanced:
    """Move the clock day by day; carry out what is planned for each, bill and issue what is due.

    A day on which nothing new falls due has no run: what could not be billed is tried again with
    the next day that has something, not every day. Each day is complete before the clock shows
    it, so that an interrupted move goes on where it stopped.

    Args:
        actor: who moves it.
        to_date: the day it shows afterwards, at noon.
        now: the real instant, for the audit trail.
        billed_until: the day up to which this move has tried everything before; None at its
            beginning.

    Raises:
        Forbidden: the actor may not move the clock.
        NotSandbox, ClockBackwards, ClockTooFar: see their texts.

    Source: docs/billing-rules.md, R4, R7, R8.
    """
    start = require_movable(actor, to_date)
    invoices, run_ids, plans = 0, list[UUID](), 0
    day = start
    due, planned = _next_days(actor, day + timedelta(days=1), billed_until)
    while True:
        day = min(due, planned)
        if day > to_date:
            break
        if planned == day:
            # What is planned for a day holds when the day's run bills it.
            plans += len(carry_out_due_plans(actor, day=day, now=now))
            due, _planned = _next_days(actor, day, billed_until)
        if due == day:
            try:
                report = run_billing(actor, run_date=day, issue=True, today=day, now=now)
            except RunDateBeforeLastIssue:
                # A run was made ahead of the clock, and took everything due up to its date (R6).
                pass
            else:
                run_ids.append(report.run.id)
                invoices += len(report.invoice_ids)
            billed_until = day
        due, planned = _set_clock(actor, day, billed_until, now=now)
    _set_clock(actor, to_date, billed_until, now=now)
    days = (to_date - start).days
    return ClockAdvanced(start, to_date, days, len(run_ids), invoices, tuple(run_ids), plans)


def month_end_after(day: date) -> date:
    """Return the last day of a month: of the next one where the day is a last one itself."""
    after = day + timedelta(days=1)
    return after.replace(day=monthrange(after.year, after.month)[1])


def month_after(day: date) -> date:
    """Return the same day of the next month, or its last day where it has no such day."""
    first = (day.replace(day=1) + timedelta(days=31)).replace(day=1)
    return first.replace(day=min(day.day, monthrange(first.year, first.month)[1]))


@operation
def require_movable(actor: Actor, to_date: date) -> date:
    """Return where the clock stands if it may be moved to a day.

    Raises:
        Forbidden: the actor may not move the clock.
        NotSandbox, ClockBackwards, ClockTooFar: see their texts.
    """
    access.require_everywhere(actor, Action.MOVE_CLOCK)
    tenant = own_tenant(actor)
    if not tenant.is_sandbox:
        raise NotSandbox
    start = today_of(tenant)
    if to_date < start:
        raise ClockBackwards(now=start)
    if (to_date - start).days > MAX_DAYS or to_date >= LATEST:
        raise ClockTooFar(days=MAX_DAYS)
    return start


@operation
def _next_days(actor: Actor, earliest: date, billed_until: date | None) -> tuple[date, date]:
    return _find_next_days(actor, earliest, billed_until)


def _find_next_days(actor: Actor, earliest: date, billed_until: date | None) -> tuple[date, date]:
    """Return the next day on which something falls due, and the next on which a plan is due.

    Far ahead where nothing will. What a plan is late for is due on the earliest day.
    """
    due, planned = (
        LATEST if day is None else max(day, earliest)
        for day in (next_due_date(actor, after=billed_until), next_plan_date(actor))
    )
    return due, planned


@operation
def _set_clock(
    actor: Actor, day: date, billed_until: date | None, *, now: datetime
) -> tuple[date, date]:
    """Let the clock show a day, and return what ``_next_days`` says of the days after it."""
    tenant = locked_tenant(actor)
    before = today_of(tenant)
    if before < day:  # else somebody moved it further meanwhile
        tenant.test_clock_at = datetime.combine(day, time(12), tzinfo=ZoneInfo(tenant.time_zone))
        with connection.cursor() as cursor:
            cursor.execute(_STORE, [tenant.test_clock_at, tenant.id])
        record_event(
            actor,
            Happening(
                "tenant.clock_moved",
                tenant.id,
                before={"today": before.isoformat()},
                after={"today": day.isoformat()},
                data={"today": day.isoformat()},
            ),
            now=now,
        )
    return _find_next_days(actor, day + timedelta(days=1), billed_until)


_STORE = "UPDATE accounts_tenant SET test_clock_at = %s WHERE id = %s"
