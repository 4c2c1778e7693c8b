"""What the timetable does for all tenants: the one look into their queues, and tidying up."""

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

_WAITING: Final = """
    SELECT tenant_id, id::text FROM accounts_job
    WHERE kind = '{kind}' AND (status = 'waiting'
        OR status = 'running' AND beat_at <= now() - make_interval(secs => {silence}))
"""


def jobs_waiting(kind: str) -> str:
    """Return the statement that finds the jobs of a kind, for a ``WorkQueue``."""
    return _WAITING.format(kind=kind, silence=SILENCE.total_seconds())


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
