"""What happened is written beside what changed, in the same transaction."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from accounts.actor import Actor
from accounts.models import AuditEntry, Event
from accounts.tenancy.inserting import insert_rows


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


def record_events(actor: Actor, happenings: Iterable[Happening], *, now: datetime) -> None:
    """Write many happenings in two statements."""
    entries, events = [], []
    for happening in happenings:
        object_type = happening.action.partition(".")[0]
        entries.append(
            AuditEntry(
                tenant_id=actor.tenant_id,
                at=now,
                actor_kind=actor.kind,
                actor_id=actor.actor_id,
                actor_label=actor.label,
                origin=actor.origin,
                request_id=actor.request_id,
                action=happening.action,
                account_id=happening.account_id,
                object_type=object_type,
                object_id=happening.object_id,
                before=happening.before,
                after=happening.after,
            )
        )
        if happening.tells:
            events.append(
                Event(
                    tenant_id=actor.tenant_id,
                    kind=happening.action,
                    account_id=happening.account_id,
                    subject_type=object_type,
                    subject_id=happening.object_id,
                    data=happening.data,
                    at=now,
                )
            )
    insert_rows(entries)
    insert_rows(events)
