"""Who acts: a person, a program's key or the system itself, always for one tenant."""

from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from uuid import UUID


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
        today: the tenant's date when it came in; grants are read as of it.
        request_id: ties log lines, audit entries and answers together.
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
    today: date = field(default_factory=lambda: datetime.now(UTC).date())
    request_id: str = ""

    @classmethod
    def system(cls, tenant_id: UUID, *, origin: str = "task", label: str = "system") -> "Actor":
        """Return the actor of commands and scheduled work: it may do everything in its tenant."""
        return cls(tenant_id=tenant_id, kind="system", label=label, origin=origin)

    @property
    def is_system(self) -> bool:
        """Whether it is the system itself."""
        return self.kind == "system"

    @property
    def actor_id(self) -> UUID | None:
        """The person or key, None for the system."""
        return self.person_id or self.key_id
