"""Making the calendars of trees: those that are small while somebody waits, others behind."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final
from uuid import UUID

from accounts import tree
from reports.models import CalendarEntry, Forecast
from reports.operations.making import write_forecast
from reports.queries.forecasts import (
    Standing,
    items_of,
    roots_concerned,
    standings,
    with_calendar,
)
from tenancy.actor import Actor
from tenancy.database import operation
from tenancy.errors import NotFound
from tenancy.models import Tenant

MEMBERS_AT_ONCE: Final = 2_000
"""So many accounts are read while somebody waits."""
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
        ready_until: up to this day that is done, of all trees; None where nothing is yet.
    """

    as_of: datetime | None
    complete_until: date | None
    is_being_made: bool
    ready_until: date | None = None


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
    is_small = len(stale) <= TREES_AT_ONCE and sum(one.members for one in few) <= MEMBERS_AT_ONCE
    if is_small and items_of(actor, _ids(few)) <= ITEMS_AT_ONCE:
        for one in few:
            write_forecast(actor, one.root_id, tenant=tenant, today=today, now=now)
        return _freshness(standings(actor, roots, today))
    wanted = [one for one in stale if not one.is_wanted and _has_rested(one, now)]
    want_forecasts(actor, _ids(wanted), now=now)
    return _freshness(found)


def want_forecasts(actor: Actor, root_ids: Sequence[UUID], *, now: datetime) -> None:
    """Have the calendars of some trees made behind. Two statements, none for none."""
    if not root_ids:
        return
    Forecast.objects.bulk_create(
        [Forecast(tenant_id=actor.tenant_id, root_id=one) for one in root_ids],
        ignore_conflicts=True,
    )
    Forecast.objects.filter(tenant_id=actor.tenant_id, root_id__in=root_ids).update(wanted_at=now)


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
        ready_until=_ready_until([one for one in found if not one.is_fresh]),
    )


def _ready_until(stale: Sequence[Standing]) -> date | None:
    """Return up to which day all that is made anew is done."""
    ready = [one.ready_until for one in stale]
    return None if None in ready else min((one for one in ready if one is not None), default=None)
