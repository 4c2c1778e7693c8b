"""Who acts: a person, a program's key or the system itself, always for one tenant."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any, Final
from uuid import UUID

NO_DAY: Final = date.min
"""The date of who has none: nothing is valid, due or late on it."""


@dataclass(frozen=True, slots=True)
class Requester:
    """Who asked for work that somebody else does later, as the audit trail names them.

    Attributes:
        kind: ``system``, ``person`` or ``key``.
        id: the person or key, None for the system.
        label: their name.
        origin: where they asked, as of an ``Actor``.
        request_id: the request with which they asked.
    """

    kind: str
    id: UUID | None
    label: str
    origin: str
    request_id: str = ""

    def stored(self) -> dict[str, Any]:
        """Return it as plain JSON, for a column beside the work."""
        return {
            "kind": self.kind,
            "id": None if self.id is None else str(self.id),
            "label": self.label,
            "origin": self.origin,
            "request_id": self.request_id,
        }

    @classmethod
    def read(cls, stored: Mapping[str, Any]) -> "Requester | None":
        """Return who ``stored`` names; None where nothing was kept, as in rows of old."""
        if not stored:
            return None
        who = stored.get("id")
        return cls(
            kind=stored["kind"],
            id=UUID(who) if who else None,
            label=stored["label"],
            origin=stored["origin"],
            request_id=stored.get("request_id", ""),
        )


@dataclass(frozen=True, slots=True)
class Actor:
    """The first argument of every public query and operation.

    Attributes:
        tenant_id: the tenant it acts for; nothing of another is ever read or written.
        kind: ``system``, ``person`` or ``key``.
        label: how the audit trail names it.
        origin: where it came from: ``command``, ``task``, ``api``, ``dashboard``, ``portal``.
        person_id: the login, for people.
        staff_role: the role of the tenant's own people, None for customers and keys.
        scopes: what a key may do, as ``accounts:read``.
        reach_id: the account whose subtree a key is limited to, None for all.
        key_id: the key, for programs.
        today: the tenant's date when it came in; grants are read as of it. The system has none:
            what it does is handed the day.
        request_id: ties log lines, audit entries and answers together.
        on_behalf_of: who asked for the work that a task does; the audit trail names them.
    """

    tenant_id: UUID
    kind: str
    label: str
    origin: str
    person_id: UUID | None = None
    staff_role: str | None = None
    scopes: frozenset[str] = field(default_factory=frozenset)
    reach_id: UUID | None = None
    key_id: UUID | None = None
    today: date = field(kw_only=True)
    request_id: str = ""
    on_behalf_of: Requester | None = None

    @classmethod
    def system(cls, tenant_id: UUID, *, origin: str = "task", label: str = "system") -> "Actor":
        """Return the actor of commands and scheduled work: it may do everything in its tenant."""
        return cls(tenant_id=tenant_id, kind="system", label=label, origin=origin, today=NO_DAY)

    @property
    def is_system(self) -> bool:
        """Whether it is the system itself."""
        return self.kind == "system"

    @property
    def actor_id(self) -> UUID | None:
        """The person or key, None for the system."""
        return self.person_id or self.key_id

    @property
    def requester(self) -> Requester:
        """Who wanted what it does: whoever it acts on behalf of, else itself."""
        return self.on_behalf_of or Requester(
            self.kind, self.actor_id, self.label, self.origin, self.request_id
        )

    def acting_for(self, requester: Requester | None) -> "Actor":
        """Return it with its own rights, acting on behalf of somebody; of itself for None."""
        return self if requester is None else replace(self, on_behalf_of=requester)
