"""The queue of jobs: asking for one, claiming it, saying how far it is, ending it.

A worker first claims a job, in a short transaction, so that everybody sees that it runs. If it is
killed, its row stays ``running`` and silent; after ``SILENCE`` somebody else takes it up.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db.models import Q

from tenancy.actor import Actor
from tenancy.database import operation
from tenancy.events import Happening, record_event
from tenancy.models import Job, JobPiece

SILENCE = timedelta(seconds=30)
PIECE = 4 * 1024 * 1024
"""So much of a file is in memory at a time and in one row, in bytes."""
_ID_BYTES = 16


@operation
def request_job(
    actor: Actor,
    kind: str,
    *,
    params: Mapping[str, Any],
    total: int = 0,
    now: datetime,
) -> Job:
    """Put a job into the queue; the caller has made sure that the actor may do what it does."""
    job = Job.objects.create(
        tenant_id=actor.tenant_id,
        kind=kind,
        params=dict(params),
        total=total,
        created_by_id=actor.person_id,
        created_by_label=actor.label,
        requested_by=actor.requester.stored(),
        created_at=now,
    )
    note_request(actor, job, "job.requested", now=now)
    return job


def note_request(actor: Actor, job: Job, action: str, *, now: datetime) -> None:
    """Write into the audit trail who asked for a job, or joined one that is under way."""
    after = {"kind": str(job.kind), **{k: v for k, v in job.params.items() if k != "today"}}
    record_event(actor, Happening(action, job.pk, after=after), now=now)


@operation
def claim_job(actor: Actor, job_id: UUID, *, now: datetime) -> Job | None:
    """Take a job that waits, or whose worker has fallen silent; None if there is nothing to take.

    A row that somebody holds for the duration of the work is passed over.
    """
    job = (
        Job.objects.select_for_update(skip_locked=True, of=("self",))
        .filter(
            Q(status=Job.Status.WAITING) | Q(status=Job.Status.RUNNING, beat_at__lte=now - SILENCE),
            tenant_id=actor.tenant_id,
            pk=job_id,
        )
        .first()
    )
    if job is None:
        return None
    job.status, job.beat_at = Job.Status.RUNNING, now
    job.started_at = job.started_at or now
    job.save(update_fields=["status", "beat_at", "started_at"])
    return job


def hold_job(actor: Actor, job_id: UUID) -> Job | None:
    """Lock a running job until the transaction ends; None if another worker has it."""
    return (
        Job.objects.select_for_update(skip_locked=True, of=("self",))
        .filter(tenant_id=actor.tenant_id, pk=job_id, status=Job.Status.RUNNING)
        .first()
    )


@operation
def keep_input(actor: Actor, job_id: UUID, number: int, piece: bytes) -> None:
    """Keep bytes of the file of a job that is being asked for: the piece of this number."""
    JobPiece.objects.create(tenant_id=actor.tenant_id, job_id=job_id, number=number, content=piece)


def input_of(actor: Actor, job_id: UUID) -> Iterator[bytes]:
    """Return the file of a job piece by piece, one of them in memory at a time."""
    pieces = JobPiece.objects.filter(tenant_id=actor.tenant_id, job_id=job_id)
    for number in list(pieces.order_by("number").values_list("number", flat=True)):
        yield bytes(pieces.values_list("content", flat=True).get(number=number))


def piece_of(actor: Actor, job_id: UUID, number: int) -> bytes:
    """Return one piece of what a job works on. One statement."""
    pieces = JobPiece.objects.filter(tenant_id=actor.tenant_id, job_id=job_id, number=number)
    return bytes(pieces.values_list("content", flat=True).get())


def keep_ids(actor: Actor, job_id: UUID, pieces: Iterable[Sequence[UUID]]) -> int:
    """Keep the ids that a job works on, piece by piece; return how many pieces there are."""
    count = 0
    for count, some in enumerate(pieces, start=1):
        keep_input(actor, job_id, count - 1, b"".join(one.bytes for one in some))
    return count


def ids_of(actor: Actor, job_id: UUID, number: int) -> list[UUID]:
    """Return the ids that ``keep_ids`` has kept in a piece. One statement."""
    content = piece_of(actor, job_id, number)
    starts = range(0, len(content), _ID_BYTES)
    return [UUID(bytes=content[start : start + _ID_BYTES]) for start in starts]


@operation
def drop_input(actor: Actor, job_id: UUID) -> None:
    """Forget the file of a job: nobody needs it any more."""
    JobPiece.objects.filter(tenant_id=actor.tenant_id, job_id=job_id).delete()


@operation
def give_back(
    actor: Actor, job_id: UUID, *, done: int, result: Mapping[str, Any], now: datetime
) -> None:
    """Say how far a job is after one of its steps, and let anybody take the next."""
    Job.objects.filter(tenant_id=actor.tenant_id, pk=job_id, status=Job.Status.RUNNING).update(
        status=Job.Status.WAITING, done=done, result=dict(result), beat_at=now
    )


@operation
def finish_job(
    actor: Actor,
    job_id: UUID,
    *,
    result: Mapping[str, Any],
    problems: Sequence[Mapping[str, Any]] = (),
    changes: Mapping[str, Any],
    now: datetime,
) -> None:
    """Note that a job is through, and what came of it; ``changes`` are further columns."""
    Job.objects.filter(tenant_id=actor.tenant_id, pk=job_id).update(
        status=Job.Status.DONE,
        result=dict(result),
        problems=list(problems),
        finished_at=now,
        **changes,
    )


def stop_job(actor: Actor, job: Job, *, now: datetime) -> None:
    """Stop a job that waits or runs; the caller has locked it and asked. Of others nothing comes.

    What is done by then stays done.
    """
    if job.is_open:
        job.status, job.finished_at = Job.Status.STOPPED, now
        job.save(update_fields=["status", "finished_at"])
        note_request(actor, job, "job.stopped", now=now)


def go_on(actor: Actor, job: Job, *, now: datetime) -> None:
    """Put a job into the queue again, in the actor's name; the caller has locked it and asked."""
    job.status, job.beat_at, job.problems, job.finished_at = Job.Status.WAITING, None, [], None
    job.created_by_id, job.created_by_label = actor.person_id, actor.label
    job.requested_by = actor.requester.stored()
    job.save()
    note_request(actor, job, "job.requested", now=now)


@operation
def fail_job(actor: Actor, job_id: UUID, *, code: str, detail: str, now: datetime) -> None:
    """Note that a job can't be done, and why."""
    Job.objects.filter(tenant_id=actor.tenant_id, pk=job_id).update(
        status=Job.Status.FAILED,
        problems=[{"row": None, "column": None, "code": code, "detail": detail}],
        finished_at=now,
    )
