"""The outbox: claiming what a reader still has to do, and saying how it went.

A claim is committed before the work begins, because the work talks to the network. Whoever is
killed leaves rows that are claimed and silent; after ``LEASE`` somebody else takes them up. So
every event is told at least once, and a reader has to bear a second time.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db.models import F, Q, QuerySet

from tenancy.actor import Actor
from tenancy.database import operation
from tenancy.events.readers import reader_named
from tenancy.ids import uuid7
from tenancy.models import Event, OutboxEntry

LEASE = timedelta(minutes=5)
USED_UP = "Nobody who took it up came to an end."


@dataclass(frozen=True, slots=True)
class Task:
    """One event to tell: the row of the outbox, and the how-manieth attempt this is."""

    id: UUID
    event: Event
    attempt: int


@dataclass(frozen=True, slots=True)
class Claim:
    """What somebody has taken up; without tasks nothing was there."""

    id: UUID
    reader: str
    tasks: tuple[Task, ...]


@operation
def claim_events(actor: Actor, reader: str, *, limit: int, now: datetime) -> Claim:
    """Take up events that a reader has to tell, the oldest first.

    What others have taken up is passed over. What was taken up as often as the reader tries, and
    never ended, is given up.

    Args:
        actor: the reader's task.
        reader: its registered name.
        limit: as many at most.
        now: the instant of the real clock.
    """
    claim_id, most = uuid7(), reader_named(reader).most_attempts
    rows = list(
        OutboxEntry.objects.select_for_update(skip_locked=True, of=("self",))
        .select_related("event")
        .filter(
            Q(next_at=None) | Q(next_at__lte=now),
            tenant_id=actor.tenant_id,
            reader=reader,
            status=OutboxEntry.Status.WAITING,
        )
        .order_by("id")[:limit]
    )
    lost = [row.pk for row in rows if row.attempts >= most]
    taken = [row for row in rows if row.attempts < most]
    _rows(actor, lost).update(status=OutboxEntry.Status.FAILED, problem=USED_UP)
    _rows(actor, [row.pk for row in taken]).update(
        claim=claim_id, attempts=F("attempts") + 1, next_at=now + LEASE
    )
    return Claim(
        claim_id, reader, tuple(Task(row.pk, row.event, row.attempts + 1) for row in taken)
    )


@operation
def finish_events(actor: Actor, claim: Claim, done: Collection[UUID]) -> int:
    """Note that tasks of a claim are through.

    Returns:
        How many; what somebody else has taken up since is left to them.
    """
    return _claimed(actor, claim, done).update(status=OutboxEntry.Status.DONE, problem="")


@operation
def postpone_event(actor: Actor, claim: Claim, task: Task, *, problem: str, now: datetime) -> bool:
    """Note that a task of a claim went wrong: it is tried again later, or given up.

    Returns:
        Whether it was still this claim's to say.
    """
    pauses = reader_named(claim.reader).pauses
    rows = _claimed(actor, claim, [task.id])
    if task.attempt > len(pauses):
        return bool(rows.update(status=OutboxEntry.Status.FAILED, problem=problem[:200]))
    next_at = now + pauses[task.attempt - 1]
    return bool(rows.update(next_at=next_at, claim=None, problem=problem[:200]))


def _claimed(actor: Actor, claim: Claim, ids: Collection[UUID]) -> QuerySet[OutboxEntry]:
    return _rows(actor, ids).filter(claim=claim.id, status=OutboxEntry.Status.WAITING)


def _rows(actor: Actor, ids: Collection[UUID]) -> QuerySet[OutboxEntry]:
    return OutboxEntry.objects.filter(tenant_id=actor.tenant_id, pk__in=list(ids))
