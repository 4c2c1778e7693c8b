"""The audit trail, as far as somebody may read it."""

from collections.abc import Iterable
from typing import Final
from uuid import UUID

from accounts import access
from accounts.access import Action
from tenancy.actor import Actor
from tenancy.models import AuditEntry

_TOLD_TO_CUSTOMERS: Final = ("invoice.issued",)
"""The rest is how the tenant works inside."""


def entries_about(actor: Actor, object_ids: Iterable[UUID], *, limit: int) -> list[AuditEntry]:
    """Return what happened to objects that the actor was shown, the latest first. One statement.

    Whoever does not see the whole tenant is told what concerns customers alone.

    Args:
        actor: who asks.
        object_ids: what queries have returned to the same actor.
        limit: how many at most.
    """
    entries = AuditEntry.objects.filter(tenant_id=actor.tenant_id, object_id__in=list(object_ids))
    if not access.allows_everywhere(actor, Action.VIEW_ACCOUNT):
        entries = entries.filter(action__in=_TOLD_TO_CUSTOMERS)
    return list(entries.order_by("-at", "-id")[:limit])
