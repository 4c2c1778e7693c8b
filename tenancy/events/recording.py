"""What happened is written beside what changed, in the same transaction."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from tenancy.actor import Actor
from tenancy.database.inserting import insert_rows
from tenancy.events.catalogue import Declared, NotDeclared, declared
from tenancy.events.paths import paths_of
from tenancy.events.readers import readers_of
from tenancy.ids import uuid7
from tenancy.models import AuditEntry, Event, OutboxEntry


@dataclass(frozen=True, slots=True)
class Happening:
    """One thing done to one object, for the audit trail and, if declared so, as an event.

    Attributes:
        action: a declared name, as ``invoice.issued``.
        object_id: what it was done to.
        account_id: the account it concerns, None for the tenant as a whole.
        before, after: the changed values as plain JSON, for the audit trail.
        data: the payload of the event, as declared.
    """

    action: str
    object_id: UUID
    account_id: UUID | None = None
    before: Mapping[str, object] | None = None
    after: Mapping[str, object] | None = None
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
    """A row of the event log, but for who and when."""

    id: UUID
    kind: str
    version: int
    account_id: UUID | None
    path: Sequence[UUID]
    subject_type: str
    subject_id: UUID
    data: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class _ToTell:
    """A row of the outbox, but for what is so of all new ones."""

    id: UUID
    reader: str
    event_id: UUID


def record_events(actor: Actor, happenings: Iterable[Happening], *, now: datetime) -> None:
    """Write many happenings in the name of whoever wanted them.

    Statements: the audit trail, the event log, where the accounts stand, and the outbox if
    anybody listens; one of each however many happenings there are.

    Raises:
        NotDeclared: a name or a payload is not in the catalogue; nothing is written then.
    """
    found = [(_checked(one), one) for one in happenings]
    if not found:
        return
    told = [(kind, one) for kind, one in found if kind.is_told]
    paths = paths_of(actor.tenant_id, {one.account_id for _, one in told if one.account_id})
    events = [_event(kind, one, paths) for kind, one in told]
    who = actor.requester
    insert_rows(
        [_entry(one) for _type, one in found],
        into=AuditEntry,
        tenant_id=actor.tenant_id,
        at=now,
        actor_kind=who.kind,
        actor_id=who.id,
        actor_label=who.label,
        origin=who.origin,
        request_id=who.request_id,
    )
    insert_rows(
        events,
        into=Event,
        tenant_id=actor.tenant_id,
        at=now,
        actor_kind=who.kind,
        actor_id=who.id,
        actor_label=who.label,
    )
    insert_rows(
        [_ToTell(uuid7(), name, one.id) for one in events for name in readers_of(one.kind)],
        into=OutboxEntry,
        tenant_id=actor.tenant_id,
        status=OutboxEntry.Status.WAITING.value,
        attempts=0,
        claim=None,
        next_at=None,
        problem="",
    )


def _checked(happening: Happening) -> Declared:
    kind = declared(happening.action)
    kind.check(happening.data)
    return kind


def _entry(one: Happening) -> _Entry:
    return _Entry(
        uuid7(),
        one.action,
        one.account_id,
        one.action.partition(".")[0],
        one.object_id,
        one.before,
        one.after,
    )


def _event(kind: Declared, one: Happening, paths: Mapping[UUID, Sequence[UUID]]) -> _Told:
    path: Sequence[UUID] = ()
    if one.account_id is not None:
        path = paths.get(one.account_id, ())
        if not path:
            raise NotDeclared(f"{one.action}: its account stands nowhere in the tree")
    return _Told(
        uuid7(),
        one.action,
        kind.version,
        one.account_id,
        path,
        kind.about,
        one.object_id,
        one.data,
    )
