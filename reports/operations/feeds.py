"""Secret addresses of calendars: made, changed, ended, and what is told there."""

import hashlib
import secrets
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final
from uuid import UUID

from django.utils.translation import gettext_lazy as _
from django.utils.translation import override

from reports.declarations import KINDS, Kind
from reports.models import CalendarEntry, CalendarFeed, ToldEvent
from reports.operations.forecasts import refresh_calendar
from reports.operations.making import last_day
from reports.queries.calendar import calendar_entries
from reports.queries.feeds import get_own_feed, own_feeds, owner_of
from reports.queries.forecasts import with_calendar
from reports.words import title_of
from tenancy.actor import Actor
from tenancy.clock import today_of
from tenancy.database import operation
from tenancy.database.inserting import insert_rows
from tenancy.errors import Conflict, Invalid, NotFound
from tenancy.events import Happening, record_event
from tenancy.models import Tenant

MOST_FEEDS: Final = 20
"""So many addresses somebody has at a time."""
MOST_EVENTS: Final = 3_000
"""So many entries are told, the nearest first: whole days, so that none is told by halves."""
BEHIND: Final = timedelta(days=31)
_SECRET_BYTES: Final = 32
_TENANT_LETTERS: Final = 32


class TooManyFeeds(Conflict):
    """Somebody has as many addresses as they may have."""

    code = "too_many_feeds"
    message = _("You have %(most)s calendar addresses already. End one that you no longer use.")


class NoKinds(Invalid):
    """An address of nothing."""

    code = "no_kinds"
    message = _("Choose at least one type of entry.")


@dataclass(frozen=True, slots=True)
class NewFeed:
    """What an address is to show."""

    account_id: UUID | None
    kinds: Collection[Kind]
    shows_amounts: bool
    language: str


@dataclass(frozen=True, slots=True)
class Fed:
    """What a feed tells: its events in order of their days, and when any of it last changed."""

    feed: CalendarFeed
    events: tuple[ToldEvent, ...]
    changed_at: datetime
    tenant: Tenant
    is_staff: bool


@operation
def create_feed(actor: Actor, wanted: NewFeed, *, now: datetime) -> tuple[CalendarFeed, str]:
    """Make an address, and return it with its secret, which is kept nowhere.

    Raises:
        NotFound: the account is out of the actor's sight, or it is no person who asks.
        NoKinds, TooManyFeeds: see their texts.
    """
    if actor.person_id is None:
        raise NotFound
    if wanted.account_id and not with_calendar(actor).filter(pk=wanted.account_id).exists():
        raise NotFound
    if not wanted.kinds:
        raise NoKinds
    if own_feeds(actor).count() >= MOST_FEEDS:
        raise TooManyFeeds(most=MOST_FEEDS)
    secret = _secret(actor)
    feed = CalendarFeed.objects.create(
        tenant_id=actor.tenant_id,
        person_id=actor.person_id,
        account_id=wanted.account_id,
        kinds=[kind.value for kind in KINDS if kind in wanted.kinds],
        shows_amounts=wanted.shows_amounts,
        language=wanted.language,
        digest=digest_of(secret),
        created_at=now,
    )
    _record(actor, feed, "feed.created", now)
    return feed, secret


@operation
def rotate_feed(actor: Actor, feed_id: UUID, *, now: datetime) -> tuple[CalendarFeed, str]:
    """Give an address another secret, and return it; the old one is unknown from now on.

    Raises:
        NotFound: it is none of the actor's own.
    """
    feed = get_own_feed(actor, feed_id, lock=True)
    secret = _secret(actor)
    feed.digest, feed.rotated_at = digest_of(secret), now
    feed.save(update_fields=["digest", "rotated_at"])
    _record(actor, feed, "feed.rotated", now)
    return feed, secret


@operation
def revoke_feed(actor: Actor, feed_id: UUID, *, now: datetime) -> None:
    """End an address, and forget what was told there.

    Raises:
        NotFound: it is none of the actor's own.
    """
    feed = get_own_feed(actor, feed_id, lock=True)
    feed.revoked_at = now
    feed.save(update_fields=["revoked_at"])
    ToldEvent.objects.filter(tenant_id=actor.tenant_id, feed=feed).delete()
    _record(actor, feed, "feed.revoked", now)


def tenant_in(secret: str) -> UUID | None:
    """Return whose a secret says that it is, None for what is no secret.

    The tenant has to be known before anything can be looked up, and row security then shows its
    rows alone.
    """
    try:
        return UUID(hex=secret[:_TENANT_LETTERS])
    except ValueError:
        return None


def digest_of(secret: str) -> str:
    """Return what is kept of a secret."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


@operation
def tell_feed(system: Actor, secret: str, *, now: datetime) -> Fed:
    """Return what a calendar program is told, and keep it as told.

    What is new or different since the last time has a higher sequence, what is gone is cancelled.
    The past stays as it was told. While a calendar is made for the first time, or is written anew
    in part, nothing is compared.

    Args:
        system: the system, of the tenant that the secret names.
        secret: all of it.
        now: the real instant.

    Raises:
        NotFound: there is no such address, it was revoked, or its owner reaches nothing of it
            any more: they are not told apart.
    """
    feed = (
        CalendarFeed.objects.filter(
            tenant_id=system.tenant_id, digest=digest_of(secret), revoked_at=None
        )
        .select_related("person")
        .select_for_update(of=("self",))
        .order_by("pk")
        .first()
    )
    if feed is None or not system.is_system:
        raise NotFound
    tenant = Tenant.objects.get(pk=system.tenant_id)
    today = today_of(tenant)
    reader = owner_of(system, feed, today)
    if not with_calendar(reader).exists():
        raise NotFound
    freshness = refresh_calendar(reader, feed.account_id, tenant=tenant, today=today, now=now)
    told = {one.key: one for one in ToldEvent.objects.filter(tenant_id=system.tenant_id, feed=feed)}
    if freshness.as_of is not None and freshness.ready_until is None:
        with override(feed.language):
            entries, until = _entries(reader, feed, today)
            wanted = {entry.key: (entry.date, _content(entry, feed)) for entry in entries}
        if _compare(feed, told, wanted, today=today, until=until, now=now):
            feed.changed_at = now
    feed.fetched_at = now
    feed.save(update_fields=["fetched_at", "changed_at"])
    events = sorted(told.values(), key=lambda one: (one.date, one.key))
    changed_at = feed.changed_at or feed.created_at
    return Fed(feed, tuple(events), changed_at, tenant, reader.staff_role is not None)


def _entries(
    reader: Actor, feed: CalendarFeed, today: date
) -> tuple[list[CalendarEntry], date | None]:
    """Return what is to be told, and the day from which on nothing is compared: there is more."""
    found = calendar_entries(
        reader,
        within=feed.account_id,
        first=today - BEHIND,
        last=last_day(today),
        kinds=[Kind(kind) for kind in feed.kinds],
    )
    rows = list(found[: MOST_EVENTS + 1])
    if len(rows) <= MOST_EVENTS:
        return rows, None
    until = rows[-1].date
    return [row for row in rows if row.date < until], until


def _content(entry: CalendarEntry, feed: CalendarFeed) -> dict[str, Any]:
    amount = None if not feed.shows_amounts else entry.amount_minor
    return {
        "kind": entry.kind,
        "title": title_of(entry),
        "amount_minor": amount,
        "currency": entry.currency if amount is not None else "",
        "subject": entry.subject,
    }


def _compare(
    feed: CalendarFeed,
    told: dict[str, ToldEvent],
    wanted: Mapping[str, tuple[date, dict[str, Any]]],
    *,
    today: date,
    until: date | None,
    now: datetime,
) -> bool:
    """Bring what was told up to date, and return whether anything of it is different."""
    new, changed = [], []
    for key, (day, content) in wanted.items():
        known = told.get(key)
        if known is None:
            row = ToldEvent(
                tenant_id=feed.tenant_id,
                feed=feed,
                key=key,
                date=day,
                content=content,
                changed_at=now,
            )
            new.append(row)
            told[key] = row
        elif known.is_cancelled or (known.date, known.content) != (day, content):
            known.date, known.content, known.is_cancelled = day, content, False
            changed.append(known)
    gone = []
    for key, known in list(told.items()):
        if known.date < today - BEHIND:
            gone.append(known.pk)
            del told[key]
        elif key not in wanted and not known.is_cancelled and _is_over(known, today, until):
            known.is_cancelled = True
            changed.append(known)
    for known in changed:
        known.sequence += 1
        known.changed_at = now
    insert_rows(new)
    ToldEvent.objects.bulk_update(
        changed, ["date", "content", "is_cancelled", "sequence", "changed_at"], batch_size=500
    )
    if gone:
        ToldEvent.objects.filter(tenant_id=feed.tenant_id, pk__in=gone).delete()
    return bool(new or changed or gone)


def _is_over(known: ToldEvent, today: date, until: date | None) -> bool:
    """Return whether what is not found any more is cancelled: it is not merely past or too far."""
    if until is not None and known.date >= until:
        return False
    return known.date > today or known.content.get("kind") != Kind.RENEWAL


def _secret(actor: Actor) -> str:
    return actor.tenant_id.hex + secrets.token_urlsafe(_SECRET_BYTES)


def _record(actor: Actor, feed: CalendarFeed, action: str, now: datetime) -> None:
    record_event(
        actor,
        Happening(action, feed.pk, account_id=feed.account_id, after={"kinds": feed.kinds}),
        now=now,
    )
