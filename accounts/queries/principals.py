"""Who is knocking: the only look-ups that come before an actor is known, and who it then is.

Row security shows nothing before the tenant is known, so a key or a person is found through
``accounts_find_principal``, a function of the database that returns ids and nothing else.
"""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.contrib.auth.backends import ModelBackend
from django.db import connection
from django.db.models import JSONField, OuterRef, Q, Subquery
from django.db.models.expressions import RawSQL

from accounts.models import ApiKey, Membership, Person
from tenancy import database
from tenancy.actor import Actor
from tenancy.errors import NotFound
from tenancy.models import Tenant


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


class PeopleBackend(ModelBackend):
    """Finds the person of a session together with where they belong, in one statement."""

    def get_user(self, user_id: UUID) -> Person | None:
        """Return the person with ``places`` as rows, None where the login is off."""
        people = Person.objects.annotate(places=RawSQL(_PLACES, (), JSONField()))  # noqa: S611 - constant text
        person = people.filter(pk=user_id).order_by("pk").first()
        return person if person is not None and self.user_can_authenticate(person) else None


_PLACES = """(
    SELECT coalesce(jsonb_agg(jsonb_build_array(tenant_id, principal_kind, principal_id)), '[]')
    FROM accounts_find_principal('person', accounts_person.id::text)
)"""


def find_places(person: Person) -> list[Principal]:
    """Return where a person belongs, one per tenant, staff before customer.

    The oldest tenant comes first. No statement for the person of a session, else one.
    """
    rows: list[tuple[str, str, str]] | None = getattr(person, "places", None)
    if rows is None:
        return _one_each(_find("person", str(person.pk)))
    return _one_each(Principal(UUID(tenant), kind, UUID(key)) for tenant, kind, key in rows)


def _one_each(places: Iterable[Principal]) -> list[Principal]:
    found: dict[UUID, Principal] = {}
    for place in sorted(places, key=lambda p: (p.tenant_id, p.kind != "staff", p.id)):
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
        with database.scope(place.tenant_id):
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


def tenant_and_role(place: Principal) -> tuple[Tenant, str | None]:
    """Return the tenant of a place, and the role there of a staff member, of others None.

    One statement, in the tenant's scope.
    """
    tenants = Tenant.objects.filter(pk=place.tenant_id)
    if place.kind != "staff":
        return tenants.get(), None
    member = Membership.objects.filter(tenant_id=OuterRef("pk"), pk=place.id)
    tenant = tenants.annotate(role=Subquery(member.order_by("pk").values("role")[:1])).get()
    return tenant, tenant.role


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
