"""Background work of reports: calendars that are too large to be made while somebody waits."""

from datetime import UTC, datetime
from uuid import UUID

from celery import shared_task

from reports.operations.making import make_wanted_forecast
from reports.queries.waiting import FORECASTS_WAITING
from tenancy.actor import Actor
from tenancy.clock import today_of
from tenancy.database import scope
from tenancy.database.statistics import refresh_outdated_statistics
from tenancy.database.work import WorkQueue, register_queue
from tenancy.models import Tenant


@shared_task
def make_forecast(*, tenant_id: str, root_id: str) -> None:
    """Make the calendar of one tree, if somebody wants it still."""
    actor = Actor.system(UUID(tenant_id))
    with scope(actor.tenant_id):
        tenant = Tenant.objects.get(pk=actor.tenant_id)
    today, now = today_of(tenant), datetime.now(UTC)
    if make_wanted_forecast(actor, UUID(root_id), tenant=tenant, today=today, now=now):
        refresh_outdated_statistics()


def _begin(tenant_id: UUID, root_id: str) -> None:
    make_forecast.delay(tenant_id=str(tenant_id), root_id=root_id)


register_queue(WorkQueue("calendars", FORECASTS_WAITING, _begin))
