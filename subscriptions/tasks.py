"""Background work: imports. The table of jobs is the queue; twice does no harm."""

import logging
from datetime import UTC, datetime
from uuid import UUID

from celery import shared_task
from django.db import InterfaceError, OperationalError, transaction
from django.utils.translation import gettext as _

from accounts.queries.jobs import open_job_ids
from subscriptions.operations import import_jobs
from tenancy.actor import Actor
from tenancy.database import scope
from tenancy.database.lookup import tenants_with_open_jobs
from tenancy.models import Job
from tenancy.operations.jobs import fail_job

logger = logging.getLogger(__name__)


@shared_task
def work_on_waiting_imports() -> None:
    """Take up every import that somebody waits for."""
    for tenant_id in tenants_with_open_jobs(Job.Kind.IMPORT):
        with scope(tenant_id):
            job_ids = open_job_ids(Actor.system(tenant_id), Job.Kind.IMPORT)
        for job_id in job_ids:
            work_on_import.delay(tenant_id=str(tenant_id), job_id=str(job_id))


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
