"""A thousand tenants with nothing to do: what the timetable costs meanwhile, of one core."""

import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from functools import partial

from django.db import connection, connections

from benchmarks.figures import Figure
from invoicing.operations.runs.changed import refresh_drafts
from invoicing.operations.runs.scheduling import missed_days
from tenancy.actor import Actor
from tenancy.clock import today_of
from tenancy.database import scope
from tenancy.database.work import waiting_work
from tenancy.models import Tenant
from tests.databases import clone
from tests.world import Vendor, make_vendor

TENANTS = 1_000
_LOOK_SECONDS, _REFRESH_SECONDS, _DAILY_SECONDS = 5, 900, 3_600
_SAMPLE = 50


def measure(*, is_quick: bool) -> Iterator[Figure]:
    """Yield the share of a core, database included; a quick one has a tenth of the tenants."""
    count = TENANTS // 10 if is_quick else TENANTS
    with clone():
        vendors = [make_vendor(f"idle-{number}", sandbox=False) for number in range(count)]
        with connections["owner"].cursor() as cursor:
            cursor.execute("ANALYZE")
        some = vendors[:_SAMPLE]
        look = _seconds(waiting_work, 20)
        refresh = _seconds(partial(_each, _refresh, some), 1) / len(some)
        daily = _seconds(partial(_each, _look_for_missed, some), 1) / len(some)
        share = look / _LOOK_SECONDS
        share += count * (refresh / _REFRESH_SECONDS + daily / _DAILY_SECONDS)
        yield Figure("idle tenants", f"{count} tenants", share * 100, "% of a core",
                     bound="value <= 2")  # fmt: skip
        connection.close()
        connections["maintenance"].close()


def _seconds(work: Callable[[], object], times: int) -> float:
    """Return how long it takes, waiting for the database included, once it is warm."""
    work()
    start = time.monotonic()
    for _number in range(times):
        work()
    return (time.monotonic() - start) / times


def _each(work: Callable[[Vendor], None], vendors: list[Vendor]) -> None:
    for vendor in vendors:
        work(vendor)


def _refresh(vendor: Vendor) -> None:
    refresh_drafts(Actor.system(vendor.tenant_id), now=datetime.now(UTC))


def _look_for_missed(vendor: Vendor) -> None:
    with scope(vendor.tenant_id):
        today = today_of(Tenant.objects.get(pk=vendor.tenant_id))
        missed_days(vendor.actor, today=today)
