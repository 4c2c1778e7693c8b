"""The audit trail, as far as somebody may read it."""

from collections.abc import Iterable
from typing import Final
from uuid import UUID

from django.db.models import Q

from accounts import access
from accounts.access import Action
from tenancy.actor import Actor
from tenancy.models import AuditEntry
from tenancy.models.log import PEOPLE_TYPES

_TOLD_TO_CUSTOMERS: Final = ("invoice.issued",)
"""The rest is how the tenant works inside."""


def entries_about(
    actor: Actor, object_ids: Iterable[UUID], *, people_of: UUID | None = None, limit: int
) -> list[AuditEntry]:
    """Return what happened to objects that the actor was shown, the latest first. One statement.

    Whoever does not see the whole tenant is told what concerns customers alone.

    Args:
        actor: who asks.
        object_ids: what queries have returned to the same actor.
        people_of: an account that was shown to the actor as well: what happened to its contacts
            and their roles, also of those that are removed.
        limit: how many at most.
    """
    about = Q(object_id__in=list(object_ids))
    if people_of is not None:
        about |= Q(account_id=people_of, object_type__in=PEOPLE_TYPES)
    entries = AuditEntry.objects.filter(about, tenant_id=actor.tenant_id)
    if not access.allows_everywhere(actor, Action.VIEW_ACCOUNT):
        entries = entries.filter(action__in=_TOLD_TO_CUSTOMERS)
    return list(entries.order_by("-at", "-id")[:limit])
