"""Jobs, for those who wait for them."""

from datetime import datetime
from uuid import UUID

from django.db.models import QuerySet

from accounts import access
from accounts.access import Action
from tenancy.actor import Actor
from tenancy.clock import today_of
from tenancy.errors import NotFound
from tenancy.models import Job, Tenant


def jobs(actor: Actor, kind: str) -> QuerySet[Job]:
    """Return the tenant's jobs of one kind without their files, the latest first. One statement.

    Raises:
        Forbidden: the actor is none of the tenant's own people or programs.
    """
    _require(actor, kind)
    found = Job.objects.filter(tenant_id=actor.tenant_id, kind=kind)
    return found.order_by("-created_at", "-id")


def _require(actor: Actor, kind: str) -> None:
    """Return if the actor may see jobs of a kind: of the clock also who moves or watches it."""
    if kind == Job.Kind.CLOCK and any(
        access.allows_everywhere(actor, action) for action in (Action.MOVE_CLOCK, Action.VIEW_RUNS)
    ):
        return
    access.require_everywhere(actor, Action.VIEW_ACCOUNT)


def get_job(actor: Actor, kind: str, job_id: UUID) -> Job:
    """Return one job. One statement.

    Raises:
        NotFound: there is none of this kind.
        Forbidden: see ``jobs``.
    """
    job = jobs(actor, kind).filter(pk=job_id).first()
    if job is None:
        raise NotFound
    return job


def open_job_ids(actor: Actor, kind: str) -> list[UUID]:
    """Return the jobs that wait or run, the oldest first. One statement."""
    _require(actor, kind)
    return list(
        Job.objects.filter(
            tenant_id=actor.tenant_id,
            kind=kind,
            status__in=[Job.Status.WAITING, Job.Status.RUNNING],
        )
        .order_by("id")
        .values_list("id", flat=True)
    )


def clock_shown(actor: Actor) -> dict[str, str]:
    """Return all that the form of the test clock shows: where it stands, and where it moves."""
    _require(actor, Job.Kind.CLOCK)
    tenant = Tenant.objects.get(pk=actor.tenant_id)
    job = (
        Job.objects.filter(
            tenant_id=actor.tenant_id,
            kind=Job.Kind.CLOCK,
            status__in=[Job.Status.WAITING, Job.Status.RUNNING],
        )
        .order_by("id")
        .first()
    )
    moving_to = "" if job is None else job.params["to"]
    return {"today": today_of(tenant).isoformat(), "moving_to": moving_to}


def has_been_silent(actor: Actor, job: Job, *, seconds: int, now: datetime) -> bool:
    """Return whether nobody has worked on an open job for so long. No statement."""
    last = job.beat_at or job.created_at
    return job.tenant_id == actor.tenant_id and (now - last).total_seconds() >= seconds
