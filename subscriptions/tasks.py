"""Background work: imports. The table of jobs is the queue; twice does no harm."""

import logging
from datetime import UTC, datetime
from uuid import UUID

from celery import shared_task
from django.db import InterfaceError, OperationalError, transaction
from django.utils.translation import gettext as _

from subscriptions.operations import import_jobs
from tenancy.actor import Actor
from tenancy.database.work import WorkQueue, register_queue
from tenancy.models import Job
from tenancy.operations.jobs import fail_job
from tenancy.tasks import STALE_SECONDS, jobs_waiting

logger = logging.getLogger(__name__)


def import_soon(actor: Actor, job_id: UUID) -> None:
    """Have an import worked on as soon as it is committed, else by the timetable."""

    def call() -> None:
        work_on_import.delay(tenant_id=str(actor.tenant_id), job_id=str(job_id))

    transaction.on_commit(call, robust=True)


@shared_task
def work_on_import(*, tenant_id: str, job_id: str) -> None:
    """Check or import one file; what nobody foresaw ends the job, not the worker."""
    actor, key, now = Actor.system(UUID(tenant_id)), UUID(job_id), datetime.now(UTC)
    try:
        import_jobs.work_on_import(actor, key, now=now)
    except (OperationalError, InterfaceError):
        raise
    except Exception:
        logger.exception("import.failed", extra={"job": job_id})
        detail = _("Something unexpected stopped the import. Nothing of it was stored.")
        fail_job(actor, key, code="internal_error", detail=detail, now=now)


def _begin_import(tenant_id: UUID, job_id: str) -> None:
    values = {"tenant_id": str(tenant_id), "job_id": job_id}
    work_on_import.apply_async(kwargs=values, expires=STALE_SECONDS)


register_queue(WorkQueue("imports", jobs_waiting(Job.Kind.IMPORT), _begin_import))
