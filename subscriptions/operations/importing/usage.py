"""Importing what was used, event by event."""

from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Final
from zoneinfo import ZoneInfo

from django.db import transaction
from django.utils.translation import gettext as _

from accounts import access
from accounts.access import Action
from accounts.operations.importing import ImportReport, one_at_a_time
from billing_rules.metering import day_of
from subscriptions.models import Meter, Subscription, UsageDay, UsageEvent
from subscriptions.models.limits import QUANTITY_DECIMALS, QUANTITY_DIGITS
from subscriptions.operations.importing.columns import USAGE_COLUMNS
from subscriptions.operations.usage.reporting import LONGEST, Zones, key_faults
from subscriptions.operations.usage.storing import Entry, Metered, note_reported, store_usage
from tenancy.actor import Actor
from tenancy.collecting import collecting_afterwards
from tenancy.database import operation
from tenancy.database.statistics import WORTH_IT, refresh_statistics
from tenancy.files import EARLIEST, LATEST, FileRow, Problems, RowFile, Source
from tenancy.files.reports import all_or_nothing

_AT_ONCE: Final = 20_000
"""So many events are stored at a time: the more, the fewer days are written more than once."""
_KEPT: Final = 10_000


@operation
@collecting_afterwards()
def import_usage(
    actor: Actor, content: Source, *, is_dry_run: bool, today: date, now: datetime
) -> ImportReport:
    """Store the events of a file, each id once.

    A row whose ``event_id`` is there already counts as unchanged; where it says something else
    than what is stored, a warning says so, and what is stored holds.

    Args:
        actor: whose tenant.
        content: the file's bytes, or where it is.
        is_dry_run: check everything, store nothing.
        today: the tenant's date.
        now: when they came in.

    Raises:
        Forbidden: the actor may not report usage everywhere.

    Source: docs/data-formats.md; docs/billing-rules.md, Usage.
    """
    access.require_everywhere(actor, Action.REPORT_USAGE)
    file = RowFile(content, USAGE_COLUMNS)
    one_at_a_time(actor)
    warned, accepted, reader = Problems(), 0, _Reader(actor)
    with all_or_nothing(file):
        for rows in file.slices(_AT_ONCE):
            new = _store(actor, reader, rows, warned, today, now)
            if accepted < WORTH_IT <= accepted + new:
                refresh_statistics([UsageEvent, UsageDay])
            accepted += new
        if not file.problems.count:
            note_reported(actor, accepted, file.count - accepted, now)
        if is_dry_run:
            transaction.set_rollback(True)
    if file.problems.count:
        return ImportReport.refused("usage", file, is_dry_run=is_dry_run)
    return ImportReport(
        "usage",
        is_dry_run,
        file.count,
        accepted,
        0,
        file.count - accepted,
        encoding=file.encoding,
        warnings=tuple(warned.in_order()),
        warning_count=warned.count,
    )


class _Reader:
    """Reads the rows of a file; what stands in many rows is read once."""

    def __init__(self, actor: Actor) -> None:
        self._actor = actor
        self._subscriptions: dict[str, Metered] = {}
        self._meters: dict[str, Meter] = {}
        self._quantities: dict[str, Decimal] = {}
        self._zones = Zones(actor)

    def entries(self, rows: Sequence[FileRow]) -> list[Entry]:
        """Return the events of some rows; what is wrong with a row is noted with it."""
        self._find({row.cells["subscription_external_id"] for row in rows})
        self._find_meters({row.cells["meter"] for row in rows})
        found = (self._understood(place, row) for place, row in enumerate(rows))
        return [entry for entry in found if entry is not None]

    def _find(self, keys: set[str]) -> None:
        new = list(keys - self._subscriptions.keys())
        found = Subscription.objects.filter(tenant_id=self._actor.tenant_id, external_id__in=new)
        for key, pk, account_id, start, end in found.values_list(
            "external_id", "pk", "account_id", "start_date", "end_date"
        ):
            self._subscriptions[key or ""] = Metered(pk, account_id, start, end)
        self._zones.read({one.account_id for one in self._subscriptions.values()})

    def _find_meters(self, keys: set[str]) -> None:
        new = list(keys - self._meters.keys())
        found = Meter.objects.filter(tenant_id=self._actor.tenant_id, external_id__in=new)
        self._meters |= {meter.external_id: meter for meter in found}

    def _understood(self, place: int, row: FileRow) -> Entry | None:
        cells = row.cells
        subscription = self._subscriptions.get(cells["subscription_external_id"])
        meter = self._meters.get(cells["meter"])
        event_id, unique_key = cells["event_id"], cells.get("unique_key", "")
        quantity = self._quantity(row)
        if not 0 < len(event_id) <= LONGEST or len(unique_key) > LONGEST:
            event_id, unique_key = row.required("event_id"), row.text("unique_key")
        if subscription is None and row.required("subscription_external_id"):
            detail = _("There is no such subscription.")
            row.refuse("subscription_external_id", "unknown_subscription", detail)
        if meter is None and row.required("meter"):
            row.refuse("meter", "unknown_meter", _("There is no such meter."))
        if meter is None or subscription is None:
            return None
        faults = key_faults(place, meter, unique_key)
        for fault in faults:
            row.refuse(fault.member, fault.code, fault.detail)
        zone = self._zones.of(subscription.account_id)
        at = _instant(row, zone)
        if not event_id or quantity is None or at is None or faults:
            return None
        day = day_of(at, zone)
        return Entry(place, event_id, subscription, meter.pk, at, day, quantity, unique_key)

    def _quantity(self, row: FileRow) -> Decimal | None:
        text = row.cells["quantity"]
        known = self._quantities.get(text)
        if known is not None or not row.required("quantity"):
            return known
        number = row.decimal("quantity", digits=QUANTITY_DIGITS, decimals=QUANTITY_DECIMALS)
        if number is not None and len(self._quantities) < _KEPT:
            self._quantities[text] = number
        return number


def _store(
    actor: Actor,
    reader: _Reader,
    rows: Sequence[FileRow],
    warned: Problems,
    today: date,
    now: datetime,
) -> int:
    """Check some rows and store what is new of them; return how many are."""
    stored = store_usage(actor, reader.entries(rows), today=today, now=now)
    for fault in stored.faults:
        rows[fault.place].refuse(fault.member, fault.code, fault.detail)
    for place in stored.reused:
        detail = _("There is an event of this id already that says something else. That one holds.")
        warned.add(rows[place].number, "event_id", "event_reused", detail)
    return stored.accepted


def _instant(row: FileRow, zone: ZoneInfo) -> datetime | None:
    """Return when it was; a day alone begins where the account is."""
    text = row.cells["at"]
    if "T" not in text:
        day = row.day("at") if row.required("at") else None
        return None if day is None else datetime(day.year, day.month, day.day, tzinfo=zone)
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        at = None
    if at is None or at.tzinfo is None or not EARLIEST <= at.date() < LATEST:
        detail = _("“%(value)s” is no instant. Write it like 2026-11-05T14:30:00Z.")
        row.refuse("at", "not_an_instant", detail % {"value": text[:40]})
        return None
    return at
