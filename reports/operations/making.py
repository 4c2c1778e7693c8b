"""Making the calendar of a tree: days at a time, so that a large one is never whole in memory."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from time import monotonic
from typing import Any, Final
from uuid import UUID

from django.db import connection

from accounts import access, tree
from accounts.access import Action
from invoicing.queries.foreseeing import ForeseenInvoice, foreseen_days
from reports.declarations import Kind
from reports.models import CalendarEntry, Forecast
from reports.queries.forecasts import Standing, settled_event, standings
from reports.queries.sources import (
    ContractDays,
    EntriesToCome,
    Entry,
    TreeToTell,
    stored_entries,
)
from tenancy.actor import Actor
from tenancy.collecting import collecting_afterwards
from tenancy.database import operation
from tenancy.database.inserting import array_of, insert_rows
from tenancy.ids import uuid7, uuid7s
from tenancy.models import Tenant

AHEAD_DAYS: Final = 396
"""So far ahead a calendar goes: thirteen months."""
BEHIND_DAYS: Final = 92
"""So far back, and to the first of that month."""
PART: Final = 20_000
"""So many entries are written at once: a second or two, and some ten MiB."""
_MANY_CONTRACTS: Final = 1_000
_DAYS_OF_MANY: Final = 31
"""Where so many contracts renew, a part has no more days than these."""
_LEASE: Final = timedelta(minutes=5)
"""So long nobody else takes up what somebody makes and of which nothing was heard."""


def first_day(today: date) -> date:
    """Return the first day that calendars have on a day."""
    return (today - timedelta(days=BEHIND_DAYS)).replace(day=1)


def last_day(today: date) -> date:
    """Return the last day that calendars have on a day."""
    return today + timedelta(days=AHEAD_DAYS)


@dataclass(frozen=True, slots=True)
class _Part:
    """Days of a calendar, with all that falls on them; ``late`` is added to days before them."""

    first: date
    last: date
    entries: Sequence[Entry]
    late: Sequence[Entry] = ()


@dataclass(slots=True)
class _Tree:
    """A tree whose calendar is made: all that it is made of has been read."""

    told: TreeToTell
    standing: Standing
    runs: Iterator[tuple[date, tuple[ForeseenInvoice, ...]]]
    to_come: EntriesToCome
    contracts: ContractDays
    waiting: list[Entry] = field(default_factory=list)

    def parts(self) -> Iterator[_Part]:
        """Yield the calendar in order of days, a part as soon as there are many entries."""
        start, many = self.told.first, 0
        for day, invoices in self.runs:
            for part in self._until(start, day, is_full=many >= PART):
                start, many = part.last + timedelta(days=1), 0
                yield part
            found = self.to_come.of(invoices)
            many += len(found)
            self.waiting += found
        while start <= self.told.last:
            part = self._part(start, self._end(start, self.told.last))
            start = part.last + timedelta(days=1)
            yield part

    def _until(self, start: date, day: date, *, is_full: bool) -> Iterator[_Part]:
        """Yield the parts that can be written before the run of a day is looked at."""
        before = day - timedelta(days=1)
        while start <= before and (is_full or self._end(start, before) < before):
            part = self._part(start, self._end(start, before))
            start = part.last + timedelta(days=1)
            yield part

    def _end(self, start: date, last: date) -> date:
        if len(self.contracts) <= _MANY_CONTRACTS:
            return last
        return min(last, start + timedelta(days=_DAYS_OF_MANY - 1))

    def _part(self, first: date, last: date) -> _Part:
        """Take what waits for some days."""
        found: dict[str, Entry] = {}
        late: dict[str, Entry] = {}
        left = []
        for entry in (*self.waiting, *self.contracts.within(first, last)):
            if entry.date > last:
                left.append(entry)
                continue
            group = found if entry.date >= first else late
            known = group.setdefault(entry.key, entry)
            if known is not entry and entry.kind == Kind.RENEWAL:
                # Several runs charge for one period, as where a part of it is in arrears.
                known.amount_minor = (known.amount_minor or 0) + (entry.amount_minor or 0)
        self.waiting = left
        return _Part(first, last, list(found.values()), list(late.values()))


def write_forecast(
    actor: Actor, root_id: UUID, *, tenant: Tenant, today: date, now: datetime
) -> None:
    """Write the calendar of one tree anew, whoever has asked for it; not if somebody does already.

    It is made of the whole tree, whatever its reader may see: reading leaves out the rest. Some 35
    statements, and few more for each 20,000 entries.

    Source: docs/billing-rules.md, Calendar.
    """
    begun = monotonic()
    system = Actor.system(actor.tenant_id, origin=actor.origin)
    forecast = _locked(system, root_id)
    if forecast is None:
        return
    with collecting_afterwards():
        found = _read(system, forecast, tenant, today)
        if found is None:
            return
        for part in found.parts():
            _write(system, forecast, found.told, part)
    _finish(system, forecast, found, begun, now)


def make_wanted_forecast(
    actor: Actor, root_id: UUID, *, tenant: Tenant, today: date, now: datetime
) -> bool:
    """Make the calendar of a tree that somebody wanted, part by part. Return whether it is made.

    Each part is there for readers as soon as it is written. Two at once do no harm: the second
    finds it claimed, or nobody wanting it any more. What was broken off is begun again by whoever
    comes after some minutes.

    Raises:
        Forbidden: the actor may not see all invoices.
    """
    begun, claim = monotonic(), uuid7()
    system = Actor.system(actor.tenant_id, origin=actor.origin)
    with collecting_afterwards():
        claimed = _claim(actor, root_id, claim, tenant=tenant, today=today, now=now)
        if claimed is None:
            return False
        forecast, found = claimed
        for part in found.parts():
            passed = timedelta(seconds=monotonic() - begun)
            if not _write_claimed(system, forecast, found, part, until=now + passed + _LEASE):
                return False
    return _finish_claimed(system, forecast, found, begun, now)


@operation
def _claim(
    actor: Actor, root_id: UUID, claim: UUID, *, tenant: Tenant, today: date, now: datetime
) -> tuple[Forecast, _Tree] | None:
    """Put a claim on a calendar that is wanted and read its tree; None if there is nothing to do.

    Some 30 statements, whatever the tree's size.
    """
    access.require_everywhere(actor, Action.VIEW_INVOICE)
    wanted = Forecast.objects.filter(
        tenant_id=actor.tenant_id, root_id=root_id, wanted_at__isnull=False
    ).exclude(claimed_until__gt=now)
    forecast = wanted.select_for_update(skip_locked=True).order_by("pk").first()
    if forecast is None:
        return None
    system = Actor.system(actor.tenant_id, origin=actor.origin)
    forecast.claim, forecast.claimed_until, forecast.ready_until = claim, now + _LEASE, None
    forecast.save(update_fields=["claim", "claimed_until", "ready_until"])
    found = _read(system, forecast, tenant, today)
    return None if found is None else (forecast, found)


@operation
def _write_claimed(
    system: Actor, forecast: Forecast, found: _Tree, part: _Part, *, until: datetime
) -> bool:
    """Write a part, if nobody else has begun meanwhile. Return whether it is written."""
    if not _is_claimed(system, forecast):
        return False
    _write(system, forecast, found.told, part)
    Forecast.objects.filter(tenant_id=system.tenant_id, pk=forecast.pk).update(
        ready_until=part.last, claimed_until=until
    )
    return True


@operation
def _finish_claimed(
    system: Actor, forecast: Forecast, found: _Tree, begun: float, now: datetime
) -> bool:
    if not _is_claimed(system, forecast):
        return False
    _finish(system, forecast, found, begun, now)
    return True


def _is_claimed(system: Actor, forecast: Forecast) -> bool:
    """Return whether a claim still stands, and let nobody take it before this commits."""
    found = Forecast.objects.filter(
        tenant_id=system.tenant_id, pk=forecast.pk, claim=forecast.claim
    )
    return found.select_for_update().order_by("pk").first() is not None


def _locked(system: Actor, root_id: UUID) -> Forecast | None:
    """Return the row of a tree's calendar, locked; None where somebody else has it."""
    Forecast.objects.bulk_create(
        [Forecast(tenant_id=system.tenant_id, root_id=root_id)], ignore_conflicts=True
    )
    found = Forecast.objects.filter(tenant_id=system.tenant_id, root_id=root_id)
    return found.select_for_update(skip_locked=True).order_by("pk").first()


def _read(system: Actor, forecast: Forecast, tenant: Tenant, today: date) -> _Tree | None:
    """Read what a calendar is made of; forget it where its tree is part of another now."""
    forecast.settled = settled_event(system)
    forecast.save(update_fields=["settled"])
    root_id = forecast.root_id
    standing = next(iter(standings(system, [root_id], today)), None)
    if standing is None:
        # It stands below another now, whose calendar has it.
        CalendarEntry.objects.filter(tenant_id=system.tenant_id, forecast=forecast).delete()
        Forecast.objects.filter(tenant_id=system.tenant_id, pk=forecast.pk).delete()
        return None
    members = frozenset(key for key, _parent in tree.families(system.tenant_id, [root_id])[root_id])
    told = TreeToTell(system, root_id, members, first_day(today), last_day(today), today)
    runs = foreseen_days(system, [root_id], first=today, last=told.last, tenant=tenant)
    stored = stored_entries(told)
    return _Tree(told, standing, runs, EntriesToCome(told), ContractDays(told), stored)


def _write(system: Actor, forecast: Forecast, told: TreeToTell, part: _Part) -> None:
    """Put a part in the place of what its days had. Five statements, more for very many entries.

    Days before the calendar go with its first part, those behind it with its last.
    """
    old = CalendarEntry.objects.filter(tenant_id=system.tenant_id, forecast_id=forecast.pk)
    if part.last < told.last:
        # What is told of a later day so far may be of one of these now.
        keys = [one.key for one in part.entries if one.kind in _MOVABLE]
        _delete_later(system, forecast, part.last, keys)
        days = old.filter(date__lte=part.last)
    else:
        days = old
    if part.first > told.first:
        days = days.filter(date__gte=part.first)
    days.delete()
    late = _without_known(system, forecast, part.late)
    new = [*part.entries, *late]
    for entry, key in zip(new, uuid7s(len(new)), strict=True):
        entry.id = key
    insert_rows(new, into=CalendarEntry, tenant_id=system.tenant_id, forecast_id=forecast.pk)


_MOVABLE: Final = frozenset(
    {Kind.DUE, Kind.DEBIT, Kind.TRIAL_END, Kind.END, Kind.NOTICE, Kind.PLAN}
)
"""Kinds whose entries keep their keys when they fall on another day."""


def _delete_later(system: Actor, forecast: Forecast, last: date, keys: Sequence[str]) -> None:
    if not keys:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            "DELETE FROM reports_calendarentry WHERE tenant_id = %s AND forecast_id = %s"
            " AND key = ANY (%s::text[]) AND date > %s",
            [system.tenant_id, forecast.pk, array_of(keys), last],
        )


def _without_known(system: Actor, forecast: Forecast, late: Sequence[Entry]) -> list[Entry]:
    """Add amounts to entries of days that are written already, and return those not there yet."""
    if not late:
        return []
    values: list[Any] = [
        array_of([one.key for one in late]),
        array_of([one.amount_minor for one in late]),
        system.tenant_id,
        forecast.pk,
    ]
    with connection.cursor() as cursor:
        cursor.execute(_ADD, values)
        known = {key for (key,) in cursor.fetchall()}
    return [one for one in late if one.key not in known]


_ADD: Final = """
    UPDATE reports_calendarentry AS entry SET amount_minor = entry.amount_minor + late.amount_minor
    FROM unnest(%s::text[], %s::bigint[]) AS late (key, amount_minor)
    WHERE entry.tenant_id = %s AND entry.forecast_id = %s AND entry.key = late.key
    RETURNING entry.key
"""


def _finish(system: Actor, forecast: Forecast, found: _Tree, begun: float, now: datetime) -> None:
    Forecast.objects.filter(tenant_id=system.tenant_id, pk=forecast.pk).update(
        today=found.told.today,
        complete_until=found.told.last,
        members=found.standing.members,
        seen=found.standing.events,
        made_at=now,
        took_seconds=round(monotonic() - begun),
        wanted_at=None,
        claim=None,
        claimed_until=None,
        ready_until=None,
    )
