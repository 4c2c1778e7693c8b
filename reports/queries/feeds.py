"""The secret addresses of calendars: one's own, and the one that a secret belongs to."""

from datetime import date
from typing import Final
from uuid import UUID

from django.db.models import OuterRef, Q, QuerySet, Subquery

from accounts.models import Contact, Grant, Membership
from reports.models import CalendarFeed
from tenancy.actor import Actor
from tenancy.errors import NotFound

ORIGIN: Final = "feed"


def own_feeds(actor: Actor) -> QuerySet[CalendarFeed]:
    """Return the addresses of whoever asks that still hold, the latest first. One statement.

    Nobody sees another's, of whatever rank: an address shows what its owner reaches.
    """
    if actor.is_system or actor.person_id is None:
        return CalendarFeed.objects.none()
    found = CalendarFeed.objects.filter(
        tenant_id=actor.tenant_id, person_id=actor.person_id, revoked_at=None
    )
    return found.select_related("account").order_by("-created_at", "-id")


def get_own_feed(actor: Actor, feed_id: UUID, *, lock: bool = False) -> CalendarFeed:
    """Return one of one's own. One statement.

    Raises:
        NotFound: it does not exist, was revoked, or is another's.
    """
    found = own_feeds(actor).filter(pk=feed_id)
    if lock:
        found = found.select_related(None).select_for_update()
    feed = found.first()
    if feed is None:
        raise NotFound
    return feed


def owner_of(system: Actor, feed: CalendarFeed, today: date) -> Actor:
    """Return who reads a feed: its owner, with the rights they have now. One statement.

    Args:
        system: the system; it has found the feed by its secret.
        feed: with its person.
        today: the tenant's day, by which roles hold.

    Raises:
        NotFound: they can't sign in any more, or belong to the tenant no longer.
    """
    staff = Membership.objects.filter(tenant_id=system.tenant_id, person_id=OuterRef("person_id"))
    held = Grant.objects.filter(
        Q(ends_on__isnull=True) | Q(ends_on__gt=today),
        tenant_id=system.tenant_id,
        contact_id__in=Contact.objects.filter(
            tenant_id=system.tenant_id, person_id=OuterRef(OuterRef("person_id"))
        ).values("pk"),
    )
    found = (
        CalendarFeed.objects.filter(tenant_id=system.tenant_id, pk=feed.pk)
        .annotate(
            role=Subquery(staff.order_by("pk").values("role")[:1]),
            held=Subquery(held.order_by("pk").values("pk")[:1]),
        )
        .values_list("role", "held")
    )
    role, grant = found.get()
    if not feed.person.is_active or (role is None and grant is None):
        raise NotFound
    return Actor(
        tenant_id=system.tenant_id,
        kind="person",
        label=feed.person.name or feed.person.email,
        origin=ORIGIN,
        person_id=feed.person_id,
        staff_role=role,
        today=today,
    )
