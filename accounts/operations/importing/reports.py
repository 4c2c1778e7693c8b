"""What every import shares: its report, and that two at once are like two in a row."""

from dataclasses import dataclass

from accounts.actor import Actor
from accounts.errors import FieldError
from accounts.models import Tenant


@dataclass(frozen=True, slots=True)
class ImportReport:
    """What an import did, or would do; with errors it did nothing."""

    kind: str
    is_dry_run: bool
    rows: int
    created: int = 0
    updated: int = 0
    unchanged: int = 0
    errors: tuple[FieldError, ...] = ()


def one_at_a_time(actor: Actor) -> None:
    """Wait for other imports of the same tenant, so that twice at once is like twice in a row."""
    Tenant.objects.select_for_update(no_key=True).get(pk=actor.tenant_id)
