"""Background work: changes of very many accounts. The table of jobs is the queue."""

import logging
import time
from datetime import UTC, datetime
from uuid import UUID

from celery import shared_task
from django.db import InterfaceError, OperationalError, transaction
from django.utils.translation import gettext as _

from accounts.operations.accounts import editing_jobs
from tenancy.actor import Actor
from tenancy.database.work import WorkQueue, register_queue
from tenancy.models import Job
from tenancy.operations.jobs import fail_job
from tenancy.tasks import STALE_SECONDS, TURN_SECONDS, jobs_waiting, priority_of_rest

logger = logging.getLogger(__name__)


def edit_soon(actor: Actor, job_id: UUID) -> None:
    """Have a change worked on as soon as it is committed, else by the timetable."""

    def call() -> None:
        work_on_edit.delay(tenant_id=str(actor.tenant_id), job_id=str(job_id))

    transaction.on_commit(call, robust=True)


@shared_task
def work_on_edit(*, tenant_id: str, job_id: str) -> None:
    """Change accounts piece by piece for a turn; what nobody foresaw ends the job."""
    actor, key = Actor.system(UUID(tenant_id)), UUID(job_id)
    until = time.monotonic() + TURN_SECONDS
    try:
        while editing_jobs.work_on_edit(actor, key, now=datetime.now(UTC)):
            if time.monotonic() >= until:
                values = {"tenant_id": tenant_id, "job_id": job_id}
                work_on_edit.apply_async(kwargs=values, priority=priority_of_rest())
                return
    except (OperationalError, InterfaceError):
        raise
    except Exception:
        logger.exception("edit.failed", extra={"job": job_id})
        detail = _("Something unexpected stopped the change. What was changed until then holds.")
        fail_job(actor, key, code="internal_error", detail=detail, now=datetime.now(UTC))


def _begin_edit(tenant_id: UUID, job_id: str) -> None:
    values = {"tenant_id": str(tenant_id), "job_id": job_id}
    work_on_edit.apply_async(kwargs=values, expires=STALE_SECONDS)


register_queue(WorkQueue("edits", jobs_waiting(Job.Kind.EDIT), _begin_edit))
