"""Who signed in, and who tried to, in the audit trail of each tenant of theirs."""

from datetime import datetime
from uuid import UUID

from tenancy.actor import Actor
from tenancy.database import operation
from tenancy.events import Happening, record_event


@operation
def note_sign_in(
    actor: Actor, person_id: UUID, *, succeeded: bool, client: str, now: datetime
) -> None:
    """Write that a person signed in, or that somebody tried to in their name.

    Args:
        actor: the person; of a failed try the system, as nobody knows who it was.
        person_id: whose name it was.
        succeeded: whether the password was right.
        client: the network address it came from.
        now: the instant.

    Source: docs/operating.md, Signing in.
    """
    action = "person.signed_in" if succeeded else "person.sign_in_failed"
    happening = Happening(action, person_id, after={"client": client})
    record_event(actor, happening, now=now)
