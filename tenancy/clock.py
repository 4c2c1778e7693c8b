"""The clock of a tenant: the real one, or in a sandbox a test clock that stands until moved.

Read by interfaces only; operations are handed ``today`` and ``now``.
"""

from datetime import UTC, date, datetime
from typing import Protocol
from zoneinfo import ZoneInfo


class HasClock(Protocol):
    """What of a tenant the clock needs."""

    time_zone: str
    test_clock_at: datetime | None


def now_of(tenant: HasClock) -> datetime:
    """Return the tenant's present instant, in UTC."""
    return tenant.test_clock_at or datetime.now(UTC)


def today_of(tenant: HasClock) -> date:
    """Return the tenant's present date, in its own time zone."""
    return now_of(tenant).astimezone(ZoneInfo(tenant.time_zone)).date()
