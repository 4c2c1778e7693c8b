"""What happened is written beside what changed, in the same transaction."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from tenancy.actor import Actor
from tenancy.database.inserting import insert_rows
from tenancy.ids import uuid7
from tenancy.models import AuditEntry, Event


@dataclass(frozen=True, slots=True)
class Happening:
    """One thing done to one object, for the audit trail and, if others may care, as an event.

    Attributes:
        action: as ``invoice.issued``; the object's type is the part before the dot.
        object_id: what it was done to.
        account_id: the account it concerns, None for the tenant as a whole.
        before, after: the changed values as plain JSON.
        tells: whether it is an event too.
    """

    action: str
    object_id: UUID
    account_id: UUID | None = None
    before: Mapping[str, object] | None = None
    after: Mapping[str, object] | None = None
    tells: bool = True
    data: Mapping[str, object] = field(default_factory=dict)


def record_event(actor: Actor, happening: Happening, *, now: datetime) -> None:
    """Write one happening to the audit trail and the event log."""
    record_events(actor, [happening], now=now)


@dataclass(frozen=True, slots=True)
class _Entry:
    """A row of the audit trail, but for who, when and from where."""

    id: UUID
    action: str
    account_id: UUID | None
    object_type: str
    object_id: UUID
    before: Mapping[str, object] | None
    after: Mapping[str, object] | None


@dataclass(frozen=True, slots=True)
class _Told:
    """A row of the event log, but for when."""

    id: UUID
    kind: str
    account_id: UUID | None
    subject_type: str
    subject_id: UUID
    data: Mapping[str, object]


def record_events(actor: Actor, happenings: Iterable[Happening], *, now: datetime) -> None:
    """Write many happenings in two statements, in the name of whoever wanted them."""
    who = actor.requester
    entries, events = [], []
    for happening in happenings:
        object_type, object_id = happening.action.partition(".")[0], happening.object_id
        about = (happening.account_id, object_type, object_id)
        entries.append(_Entry(uuid7(), happening.action, *about, happening.before, happening.after))
        if happening.tells:
            events.append(_Told(uuid7(), happening.action, *about, happening.data))
    insert_rows(
        entries,
        into=AuditEntry,
        tenant_id=actor.tenant_id,
        at=now,
        actor_kind=who.kind,
        actor_id=who.id,
        actor_label=who.label,
        origin=who.origin,
        request_id=who.request_id,
    )
    insert_rows(events, into=Event, tenant_id=actor.tenant_id, at=now)
