"""What waits to be done, of all tenants at once: asked by the timetable, by the maintenance role.

An app that has a queue says in one statement what waits in it, and how somebody begins with it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import connections

Begin = Callable[[UUID, str], None]


@dataclass(frozen=True, slots=True)
class WaitingWork:
    """Something of one tenant that waits: ``key`` is what its queue calls it."""

    queue: str
    tenant_id: UUID
    key: str


@dataclass(frozen=True, slots=True)
class WorkQueue:
    """A queue of one app.

    Attributes:
        name: what it is called.
        waiting: a SELECT of tenant and key, as text, of what nobody works on. It is asked every
            few seconds over all tenants: an index has to know the answer.
        begin: sends a message that has somebody work on it; two of them do no harm.
    """

    name: str
    waiting: str
    begin: Begin


_QUEUES: dict[str, WorkQueue] = {}


def register_queue(queue: WorkQueue) -> None:
    """Let the timetable look into a queue."""
    _QUEUES[queue.name] = queue


def begin_waiting_work() -> list[WaitingWork]:
    """Have somebody work on everything that waits, and return it. One statement."""
    found = waiting_work()
    for work in found:
        _QUEUES[work.queue].begin(work.tenant_id, work.key)
    return found


def waiting_work() -> list[WaitingWork]:
    """Return what waits in all queues, of all tenants. One statement."""
    if not settings.DATABASES["maintenance"].get("USER"):
        raise ImproperlyConfigured(
            "Work across tenants needs DATABASE_MAINTENANCE_URL, the role with BYPASSRLS."
        )
    names = sorted(_QUEUES)
    if not names:
        return []
    parts = " UNION ALL ".join(
        f"SELECT %s, waiting.* FROM ({_QUEUES[name].waiting}) AS waiting (tenant_id, key)"  # noqa: S608
        for name in names
    )
    with connections["maintenance"].cursor() as cursor:
        cursor.execute(parts, names)
        return [WaitingWork(*row) for row in cursor.fetchall()]
