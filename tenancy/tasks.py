"""What the timetable does for all tenants: the one look into their queues, and tidying up."""

import itertools
from datetime import UTC, datetime
from importlib import import_module
from typing import Final
from uuid import UUID

from celery import shared_task
from django.conf import settings

from tenancy.actor import Actor
from tenancy.database.lookup import all_tenant_ids
from tenancy.database.work import begin_waiting_work
from tenancy.operations.answers import forget_answers
from tenancy.operations.jobs import SILENCE

# Whoever has tasks imports this: from here on all of them are sent to the same place.
import_module(settings.TASK_APPLICATION)

STALE_SECONDS: Final = 15
"""A message of the timetable that nobody has taken by then is dropped: the next one is there."""

TURN_SECONDS: Final = 2
"""So long a message keeps a worker, but for the step it is at; then others have their turn."""
GOES_ON: Final = 6
"""The priority of a message of work that has had a turn; of one for what is new it is 0, the first.

So a run of one invoice waits for those that are at their turn, not for all that wait for another.
"""
TURNS_IN_ALL: Final = 4
"""After one turn in so many, what is left goes on as if it were new: it must not stand still for
as long as something new comes every moment."""
_turns = itertools.count(1)
_WAITING: Final = """
    SELECT tenant_id, id::text FROM accounts_job
    WHERE kind = '{kind}' AND (status = 'waiting'
        OR status = 'running' AND beat_at <= now() - make_interval(secs => {silence}))
"""


def jobs_waiting(kind: str) -> str:
    """Return the statement that finds the jobs of a kind, for a ``WorkQueue``."""
    return _WAITING.format(kind=kind, silence=SILENCE.total_seconds())


def priority_of_rest() -> int:
    """Return the priority of the message for what is left after a turn."""
    return GOES_ON if next(_turns) % TURNS_IN_ALL else 0


@shared_task
def look_for_work() -> None:
    """Have everything that waits worked on, whoever asked for it and whatever got lost."""
    begin_waiting_work()


@shared_task
def forget_old_answers() -> None:
    """Forget each tenant's answers to requests with an ``Idempotency-Key`` after 30 days."""
    for tenant_id in all_tenant_ids():
        forget_answers_of.delay(tenant_id=str(tenant_id))


@shared_task
def forget_answers_of(*, tenant_id: str) -> None:
    """Forget one tenant's old answers."""
    forget_answers(Actor.system(UUID(tenant_id)), now=datetime.now(UTC))
