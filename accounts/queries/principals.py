"""Who is knocking: the only look-ups that come before an actor is known, and who it then is.

Row security shows nothing before the tenant is known, so a key or a person is found through
``accounts_find_principal``, a function of the database that returns ids and nothing else.
"""

import hashlib
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import connection
from django.db.models import Q

from accounts import tenancy
from accounts.actor import Actor
from accounts.errors import NotFound
from accounts.models import ApiKey, Membership, Tenant


@dataclass(frozen=True, slots=True)
class Principal:
    """A key, or a person's place in one tenant: a staff membership, or a customer's contact."""

    tenant_id: UUID
    kind: str
    id: UUID


def find_key(secret: str) -> Principal | None:
    """Return the API key with this secret, None when there is none. One statement."""
    digest = hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()
    return next(iter(_find("key", digest)), None)


def find_places(person_id: UUID) -> list[Principal]:
    """Return where a person belongs, one per tenant, staff before customer. One statement.

    The oldest tenant comes first.
    """
    found: dict[UUID, Principal] = {}
    for place in sorted(
        _find("person", str(person_id)), key=lambda p: (p.tenant_id, p.kind != "staff", p.id)
    ):
        found.setdefault(place.tenant_id, place)
    return list(found.values())


def _find(kind: str, value: str) -> list[Principal]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT tenant_id, principal_kind, principal_id FROM accounts_find_principal(%s, %s)",
            [kind, value],
        )
        return [Principal(*row) for row in cursor.fetchall()]


def tenants_of(places: list[Principal]) -> list[Tenant]:
    """Return the tenants of these places, each read in a short transaction of its own.

    Two statements for each; called outside of any tenant's transaction.
    """
    found = []
    for place in places:
        with tenancy.scope(place.tenant_id):
            found.append(Tenant.objects.get(pk=place.tenant_id))
    return found


def usable_key(key_id: UUID, tenant_id: UUID, *, now: datetime) -> ApiKey | None:
    """Return a key that is neither revoked nor expired. One statement, in its tenant's scope."""
    return (
        ApiKey.objects.filter(
            Q(revoked_at=None) | Q(revoked_at__gt=now),
            Q(expires_at=None) | Q(expires_at__gt=now),
            tenant_id=tenant_id,
            pk=key_id,
        )
        .order_by("pk")
        .first()
    )


def staff_role(membership_id: UUID, tenant_id: UUID) -> str | None:
    """Return the role of a staff member. One statement, in the tenant's scope."""
    return (
        Membership.objects.filter(tenant_id=tenant_id, pk=membership_id)
        .order_by("pk")
        .values_list("role", flat=True)
        .first()
    )


def own_key(actor: Actor) -> ApiKey:
    """Return the key that asks, with the account it is limited to. One statement.

    Raises:
        NotFound: it is no key that asks.
    """
    if actor.key_id is None:
        raise NotFound
    key = (
        ApiKey.objects.filter(tenant_id=actor.tenant_id, pk=actor.key_id)
        .select_related("reach")
        .order_by("pk")
        .first()
    )
    if key is None:
        raise NotFound
    return key
