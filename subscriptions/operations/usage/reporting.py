"""Reporting what was used, up to a thousand events at a time."""

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Final, TypeVar
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db import OperationalError
from django.db.models import Q
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts import access
from accounts.access import RIGHTS, Action, NotAllowed
from accounts.models import SettingName
from accounts.queries.account_values import account_values
from billing_rules.metering import Aggregation, day_of
from subscriptions.models import Meter, Subscription
from subscriptions.models.limits import QUANTITY_DECIMALS, QUANTITY_DIGITS, fits
from subscriptions.operations.usage.holding import Holding, Metered
from subscriptions.operations.usage.storing import Entry, Fault, note_reported, store_usage
from tenancy.actor import Actor
from tenancy.database import operation
from tenancy.errors import FieldError, Invalid
from tenancy.files.cells import EARLIEST, LATEST
from tenancy.ids import parse_public_id

MOST_EVENTS: Final = 1_000
LONGEST: Final = 200
_DEADLOCK_TRIES: Final = 4

R = TypeVar("R")


class InvalidUsage(Invalid):
    """Some events can't be; ``errors`` names each, and none of the request is stored."""

    code = "invalid_usage"
    message = gettext_lazy("This usage is not valid; nothing of it was stored.")


@dataclass(frozen=True, slots=True)
class NewUsage:
    """Something used, as somebody reports it.

    ``subscription`` is ``sub_…`` or ``ext:…``, ``meter`` is ``mtr_…`` or ``ext:…``. ``unique_key``
    is whom or what a unique count counts; other meters have none.
    """

    event_id: str
    subscription: str
    meter: str
    quantity: Decimal
    at: datetime
    unique_key: str = ""


@dataclass(frozen=True, slots=True)
class Reported:
    """What became of a report.

    Attributes:
        accepted: how many events are new.
        duplicates: how many were there already, or came twice; they count once.
        reused: the ids of those that said something else than what is stored; what was stored
            first holds.
    """

    accepted: int
    duplicates: int
    reused: Sequence[str]


def report_usage(
    actor: Actor, events: Sequence[NewUsage], *, today: date, now: datetime
) -> Reported:
    """Store what was used: all of a report or, if something is wrong with it, nothing.

    An event whose id is known is ignored and counted: sending a report again is safe. What falls
    in a period that has been charged is made good by the next run, up to the day on which the
    period is closed.

    Args:
        actor: who reports it.
        events: at most ``MOST_EVENTS``.
        today: the tenant's day.
        now: the instant at which they came in.

    Raises:
        Forbidden: the actor may report usage nowhere.
        InvalidUsage: what is wrong with each event; those of subscriptions out of the actor's
            reach are unknown.

    Source: docs/billing-rules.md, Usage.
    """
    return _patiently(lambda: _report(actor, events, today=today, now=now))


def _patiently(work: Callable[[], R]) -> R:
    """Do the work again when the database broke off one of two that waited for each other."""
    for attempt in range(1, _DEADLOCK_TRIES + 1):
        try:
            return work()
        except OperationalError as error:
            is_deadlock = getattr(error.__cause__, "pgcode", None) == "40P01"
            if not is_deadlock or attempt == _DEADLOCK_TRIES:
                raise
            time.sleep(0.05 * 2**attempt)
    raise AssertionError("unreachable")  # pragma: no cover


@operation
def _report(actor: Actor, events: Sequence[NewUsage], *, today: date, now: datetime) -> Reported:
    reached = access.reach(actor, Action.REPORT_USAGE)
    if not access.allows_everywhere(actor, Action.REPORT_USAGE) and not reached.exists():
        raise NotAllowed(right=RIGHTS[Action.REPORT_USAGE])
    if not 1 <= len(events) <= MOST_EVENTS:
        detail = _("1 to %(most)s events are expected.") % {"most": f"{MOST_EVENTS}"}
        raise InvalidUsage(errors=[FieldError("out_of_range", detail)])
    known = _Known(actor, events)
    faults: list[Fault] = []
    entries = []
    for place, event in enumerate(events):
        found = known.understood(place, event)
        if isinstance(found, Entry):
            entries.append(found)
        else:
            faults += found
    if faults:
        raise InvalidUsage(errors=_errors(faults, len(events)))
    stored = store_usage(actor, entries, holding=Holding(actor), today=today, now=now)
    if stored.faults:
        raise InvalidUsage(errors=_errors(stored.faults, len(events)))
    note_reported(actor, stored.accepted, stored.duplicates, now)
    reused = [events[place].event_id for place in stored.reused]
    return Reported(stored.accepted, stored.duplicates, tuple(dict.fromkeys(reused)))


def _errors(faults: Sequence[Fault], count: int) -> list[FieldError]:
    """Return faults as they go out: of one event alone its members, of several with its place."""
    return [
        FieldError(
            fault.code,
            fault.detail,
            f"/{fault.member}" if count == 1 else f"/{fault.place}/{fault.member}",
        )
        for fault in sorted(faults, key=lambda one: one.place)
    ]


class _Known:
    """The subscriptions, meters and time zones that a report is about. Four statements."""

    def __init__(self, actor: Actor, events: Sequence[NewUsage]) -> None:
        self._subscriptions = _subscriptions(actor, {event.subscription for event in events})
        self._meters = meters_named(actor, {event.meter for event in events})
        self._zones = Zones(actor)
        self._zones.read(one.account_id for one in self._subscriptions.values())

    def understood(self, place: int, event: NewUsage) -> Entry | list[Fault]:
        """Return an event as it is stored, or what is wrong with it."""
        subscription = self._subscriptions.get(event.subscription)
        meter = self._meters.get(event.meter)
        faults = []
        if subscription is None:
            detail = _("There is no such subscription.")
            faults.append(Fault(place, "subscription", "unknown_subscription", detail))
        if meter is None:
            detail = _("There is no such meter.")
            faults.append(Fault(place, "meter", "unknown_meter", detail))
        if not 0 < len(event.event_id) <= LONGEST or not event.event_id.isprintable():
            detail = _("An id of 1 to 200 characters is expected.")
            faults.append(Fault(place, "event_id", "invalid", detail))
        if not fits(event.quantity, QUANTITY_DIGITS, QUANTITY_DECIMALS) or event.quantity < 0:
            detail = _(
                "A quantity of 0 or more is expected, with at most 12 digits before and 6 after"
                " the point."
            )
            faults.append(Fault(place, "quantity", "out_of_range", detail))
        if not EARLIEST <= event.at.date() < LATEST:
            detail = _("A date between 1970 and 2200 is expected.")
            faults.append(Fault(place, "at", "out_of_range", detail))
        if meter is not None:
            faults += key_faults(place, meter, event.unique_key)
        if faults or subscription is None or meter is None:
            return faults
        return Entry(
            place,
            event.event_id,
            subscription,
            meter.pk,
            event.at,
            day_of(event.at, self._zones.of(subscription.account_id)),
            event.quantity,
            event.unique_key,
        )


def key_faults(place: int, meter: Meter, unique_key: str) -> list[Fault]:
    """Return what is wrong with whom or what an event counts."""
    counts = meter.aggregation == Aggregation.UNIQUE_COUNT
    if counts and not (0 < len(unique_key) <= LONGEST and unique_key.isprintable()):
        detail = _("This meter counts different keys: 1 to 200 characters are expected.")
        return [Fault(place, "unique_key", "unique_key_required", detail)]
    if unique_key and not counts:
        detail = _("This meter counts no keys.")
        return [Fault(place, "unique_key", "unique_key_not_allowed", detail)]
    return []


class Zones:
    """The time zones of accounts."""

    def __init__(self, actor: Actor) -> None:
        """Read nothing yet."""
        self._actor = actor
        self._zones: dict[UUID, ZoneInfo] = {}

    def read(self, account_ids: Iterable[UUID]) -> None:
        """Read what accounts set or inherit today. Two statements, none if all are known."""
        new = set(account_ids) - self._zones.keys()
        if new:
            name = SettingName.TIME_ZONE
            values = account_values(self._actor, new, [name])[name]
            for key in new:
                own = values.on(key, self._actor.today)
                self._zones[key] = ZoneInfo(str(own or "UTC"))

    def of(self, account_id: UUID) -> ZoneInfo:
        """Return the time zone of an account that was read."""
        return self._zones[account_id]


def _subscriptions(actor: Actor, references: set[str]) -> dict[str, Metered]:
    """Return the subscriptions in the actor's reach by how they are named. One statement."""
    ids, keys = _parted("sub", references)
    found = Subscription.objects.filter(
        Q(pk__in=list(ids)) | Q(external_id__in=list(keys)), tenant_id=actor.tenant_id
    )
    if not access.allows_everywhere(actor, Action.REPORT_USAGE):
        reached = access.reach(actor, Action.REPORT_USAGE)
        found = found.filter(account__in=reached.order_by().values("pk"))
    named: dict[str, Metered] = {}
    for key, external_id, account_id, start, end in found.values_list(
        "pk", "external_id", "account_id", "start_date", "end_date"
    ):
        metered = Metered(key, account_id, start, end)
        for reference in (ids.get(key), keys.get(external_id or "")):
            if reference is not None:
                named[reference] = metered
    return named


def meters_named(actor: Actor, references: set[str]) -> dict[str, Meter]:
    """Return meters by how they are named: ``mtr_…`` or ``ext:…``. One statement."""
    ids, keys = _parted("mtr", references)
    found = Meter.objects.filter(
        Q(pk__in=list(ids)) | Q(external_id__in=list(keys)), tenant_id=actor.tenant_id
    )
    named: dict[str, Meter] = {}
    for meter in found:
        for reference in (ids.get(meter.pk), keys.get(meter.external_id)):
            if reference is not None:
                named[reference] = meter
    return named


def _parted(prefix: str, references: set[str]) -> tuple[Mapping[UUID, str], Mapping[str, str]]:
    """Return which references name an id, and which an external id."""
    ids: dict[UUID, str] = {}
    keys: dict[str, str] = {}
    for reference in references:
        kind, _sep, external_id = reference.partition(":")
        key: Any = parse_public_id(prefix, reference)
        if key is not None:
            ids[key] = reference
        elif kind == "ext" and "\x00" not in external_id:
            keys[external_id] = reference
    return ids, keys
