"""Making the calendars of trees: those that are small while somebody waits, others behind."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from time import monotonic
from typing import Final
from uuid import UUID

from accounts import access, tree
from accounts.access import Action
from invoicing.queries.foreseeing import ForeseenInvoice, TreesTooLarge, foresee_invoices
from reports.models import CalendarEntry, Forecast
from reports.queries.forecasts import (
    Standing,
    items_of,
    roots_concerned,
    settled_event,
    standings,
    with_calendar,
)
from reports.queries.sources import TreeToTell, entries_of
from tenancy.actor import Actor
from tenancy.collecting import collecting_afterwards
from tenancy.database import operation
from tenancy.database.inserting import insert_rows
from tenancy.errors import NotFound
from tenancy.models import Tenant

AHEAD_DAYS: Final = 396
"""So far ahead a calendar goes: thirteen months."""
BEHIND_DAYS: Final = 92
"""So far back, and to the first of that month."""
ITEMS_AT_ONCE: Final = 150
"""So many items are followed while somebody waits, some 0.3 ms for each of their periods."""
TREES_AT_ONCE: Final = 10
_REST: Final = 20
"""A calendar that took long is not made again before so many times as long have passed."""


@dataclass(frozen=True, slots=True)
class Freshness:
    """What a calendar that somebody looks at says.

    Attributes:
        as_of: when the oldest part of it was made, None while a part was never made.
        complete_until: the last day of which everything to come is known, None where unknown.
        is_being_made: something has happened since, which is worked in behind.
        problem: the code of why invoices to come are missing, of some tree.
    """

    as_of: datetime | None
    complete_until: date | None
    is_being_made: bool
    problem: str = ""


def first_day(today: date) -> date:
    """Return the first day that calendars have on a day."""
    return (today - timedelta(days=BEHIND_DAYS)).replace(day=1)


def last_day(today: date) -> date:
    """Return the last day that calendars have on a day."""
    return today + timedelta(days=AHEAD_DAYS)


@operation
def refresh_calendar(
    actor: Actor, within: UUID | None, *, tenant: Tenant, today: date, now: datetime
) -> Freshness:
    """Bring the calendar up to date that somebody is about to look at, or have that done behind.

    What is stale and small is made at once; of larger trees the stored calendar is shown, and a
    newer one is wanted. Three statements where nothing has happened.

    Args:
        actor: who looks.
        within: the account whose calendar it is, None for all that the actor reaches.
        tenant: the actor's.
        today: the tenant's day.
        now: the real instant.

    Raises:
        NotFound: the account is out of the actor's sight.
    """
    if within is not None and not with_calendar(actor).filter(pk=within).exists():
        raise NotFound
    roots = roots_concerned(actor, within)
    found = standings(actor, roots, today)
    stale = [one for one in found if not one.is_fresh]
    if not stale:
        return _freshness(found)
    _drop_former_roots(actor)
    few = stale[:TREES_AT_ONCE]
    if len(stale) <= TREES_AT_ONCE and items_of(actor, _ids(few)) <= ITEMS_AT_ONCE:
        for one in few:
            write_forecast(actor, one.root_id, tenant=tenant, today=today, now=now)
        return _freshness(standings(actor, roots, today))
    wanted = [one for one in stale if not one.is_wanted and _has_rested(one, now)]
    want_forecasts(actor, _ids(wanted), now=now)
    return _freshness(found)


@operation
def make_wanted_forecast(
    actor: Actor, root_id: UUID, *, tenant: Tenant, today: date, now: datetime
) -> bool:
    """Make the calendar of a tree that somebody wanted. Return whether it was wanted still.

    Two at once do no harm: the second finds the row locked, or nobody wanting it any more.
    """
    access.require_everywhere(actor, Action.VIEW_INVOICE)
    wanted = Forecast.objects.filter(
        tenant_id=actor.tenant_id, root_id=root_id, wanted_at__isnull=False
    )
    if not wanted.select_for_update(skip_locked=True).order_by("pk").exists():
        return False
    write_forecast(actor, root_id, tenant=tenant, today=today, now=now)
    return True


def write_forecast(
    actor: Actor, root_id: UUID, *, tenant: Tenant, today: date, now: datetime
) -> None:
    """Write the calendar of one tree anew, whoever has asked for it; not if somebody does already.

    It is made of the whole tree, whatever its reader may see: reading leaves out the rest. Some 35
    statements, whatever its size.

    Source: docs/billing-rules.md, Calendar.
    """
    begun = monotonic()
    system = Actor.system(actor.tenant_id, origin=actor.origin)
    forecast = _locked(system, root_id)
    if forecast is None:
        return
    settled = settled_event(system)
    forecast.settled = settled
    forecast.save(update_fields=["settled"])
    standing = next(iter(standings(system, [root_id], today)), None)
    if standing is None:
        # It stands below another now, whose calendar has it.
        _drop_former_roots(system)
        return
    told, until, problem = _told(system, root_id, tenant, today)
    with collecting_afterwards():
        entries = entries_of(told)
    CalendarEntry.objects.filter(tenant_id=system.tenant_id, forecast=forecast).delete()
    insert_rows(entries, into=CalendarEntry, tenant_id=system.tenant_id, forecast_id=forecast.pk)
    Forecast.objects.filter(tenant_id=system.tenant_id, pk=forecast.pk).update(
        today=today,
        complete_until=until,
        members=standing.members,
        seen=standing.events,
        problem=problem,
        made_at=now,
        took_seconds=round(monotonic() - begun),
        wanted_at=None,
    )


def want_forecasts(actor: Actor, root_ids: Sequence[UUID], *, now: datetime) -> None:
    """Have the calendars of some trees made behind. Two statements, none for none."""
    if not root_ids:
        return
    Forecast.objects.bulk_create(
        [Forecast(tenant_id=actor.tenant_id, root_id=one) for one in root_ids],
        ignore_conflicts=True,
    )
    Forecast.objects.filter(tenant_id=actor.tenant_id, root_id__in=root_ids).update(wanted_at=now)


def _told(
    system: Actor, root_id: UUID, tenant: Tenant, today: date
) -> tuple[TreeToTell, date | None, str]:
    """Return what a calendar is made from, up to when it is complete, and what is missing."""
    members = frozenset(key for key, _parent in tree.families(system.tenant_id, [root_id])[root_id])
    first, last = first_day(today), last_day(today)
    coming: tuple[ForeseenInvoice, ...] = ()
    until, problem = None, ""
    try:
        foresight = foresee_invoices(
            system, [root_id], first=today, last=last, tenant=tenant, with_lines=True
        )
        coming, until = foresight.stored, foresight.until
    except TreesTooLarge as error:
        problem = error.code
    return TreeToTell(system, members, first, last, today, coming), until, problem


def _locked(system: Actor, root_id: UUID) -> Forecast | None:
    """Return the row of a tree's calendar, locked; None where somebody else has it."""
    Forecast.objects.bulk_create(
        [Forecast(tenant_id=system.tenant_id, root_id=root_id)], ignore_conflicts=True
    )
    found = Forecast.objects.filter(tenant_id=system.tenant_id, root_id=root_id)
    return found.select_for_update(skip_locked=True).order_by("pk").first()


def _drop_former_roots(actor: Actor) -> None:
    """Forget the calendars of accounts that stand below another now."""
    former = Forecast.objects.filter(tenant_id=actor.tenant_id).exclude(
        root_id__in=tree.roots(actor.tenant_id).order_by().values("account_id")
    )
    if keys := list(former.order_by("pk").values_list("pk", flat=True)):
        CalendarEntry.objects.filter(tenant_id=actor.tenant_id, forecast_id__in=keys).delete()
        Forecast.objects.filter(tenant_id=actor.tenant_id, pk__in=keys).delete()


def _has_rested(one: Standing, now: datetime) -> bool:
    """Return whether a calendar may be made again: one that took long is not, all the time."""
    return one.made_at is None or now - one.made_at >= timedelta(seconds=_REST * one.took_seconds)


def _ids(found: Sequence[Standing]) -> list[UUID]:
    return [one.root_id for one in found]


def _freshness(found: Sequence[Standing]) -> Freshness:
    made = [one.made_at for one in found]
    known = [one.complete_until for one in found if one.complete_until is not None]
    return Freshness(
        as_of=None if not made or None in made else min(one for one in made if one is not None),
        complete_until=min(known, default=None),
        is_being_made=any(not one.is_fresh for one in found),
        problem=next((one.problem for one in found if one.problem), ""),
    )
