"""What the scheduler bills: every day since its last, in order, for live tenants alone."""

import logging
import math
from datetime import date, datetime, timedelta

from django.db.models import Q

from invoicing.operations.runs.opening import RunDateBeforeLastIssue, request_run
from invoicing.operations.runs.working import work_on_run
from tenancy.actor import Actor
from tenancy.database import operation, scope
from tenancy.models import Tenant

logger = logging.getLogger(__name__)

MAX_MISSED_DAYS = 62


@operation
def missed_days(actor: Actor, *, today: date) -> list[date]:
    """Return the days that the scheduler has not billed yet, today included, in order.

    A scheduler that was down for nine days makes nine runs. After more than two months it begins
    two months ago: everything older is due on that day and taken with it (R4).
    """
    last = Tenant.objects.values_list("scheduled_until", flat=True).get(pk=actor.tenant_id)
    first = today if last is None else last + timedelta(days=1)
    first = max(first, today - timedelta(days=MAX_MISSED_DAYS))
    return [first + timedelta(days=number) for number in range((today - first).days + 1)]


def run_scheduled_day(
    actor: Actor, *, day: date, today: date, now: datetime, until: float = math.inf
) -> bool:
    """Bill one day for the scheduler and note that it is through.

    A day before the last date of issue can't be billed any more; what was due on it comes with
    the next one (R6).

    Args:
        actor: the timetable.
        day: the day.
        today: the tenant's date.
        now: the instant.
        until: the reading of ``time.monotonic()`` from which on no other batch is begun.

    Returns:
        Whether the day is through; if not, another call goes on with it.
    """
    try:
        with scope(actor.tenant_id):
            run = request_run(actor, run_date=day, within=None, issue=False, today=today, now=now)
    except RunDateBeforeLastIssue:
        logger.info("scheduler.day_passed_over", extra={"day": day.isoformat()})
    else:
        if not work_on_run(actor, run.id, today=today, now=now, until=until).is_complete:
            return False
    _note_scheduled(actor, day)
    return True


@operation
def _note_scheduled(actor: Actor, day: date) -> None:
    # A second scheduler may be a day behind: what is through stays through.
    Tenant.objects.filter(
        Q(scheduled_until__isnull=True) | Q(scheduled_until__lt=day), pk=actor.tenant_id
    ).update(scheduled_until=day)
