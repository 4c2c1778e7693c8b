"""The time zone of a tenant: when its days begin."""

from datetime import date, datetime

from django.utils.translation import gettext_lazy as _

from accounts import access
from accounts.access import Action
from accounts.declarations import SettingName
from accounts.operations.settings import Change, write_changes
from accounts.versions import require_version, time_zone_shown
from tenancy.actor import Actor
from tenancy.database import operation
from tenancy.errors import Invalid
from tenancy.events import Happening, record_event
from tenancy.files.cells import time_zones
from tenancy.models import Tenant


class UnknownTimeZone(Invalid):
    """The tz database has no zone of this name."""

    code = "unknown_time_zone"
    message = _("This is no time zone, such as Europe/Berlin.")


@operation
def set_time_zone(
    actor: Actor, *, time_zone: str, today: date, version: str = "", now: datetime
) -> Tenant:
    """Say in which time zone the days of a tenant begin, and those of accounts without their own.

    What was billed and dated stays. A day that the timetable has billed is not billed again, also
    where the clock of the new zone shows the day before.

    Args:
        actor: who changes it.
        time_zone: a name of the tz database.
        today: the day from which accounts inherit it.
        version: of what was shown, as ``version_of`` says it; empty overwrites anyway.
        now: the instant.

    Raises:
        Forbidden: the actor may not change the tenant.
        UnknownTimeZone: see its text.
        ChangedMeanwhile: it is not as shown any more.

    Source: docs/billing-rules.md, Days and time zones.
    """
    access.require_everywhere(actor, Action.MANAGE_TENANT)
    if time_zone not in time_zones():
        raise UnknownTimeZone
    tenant = Tenant.objects.select_for_update(no_key=True).get(pk=actor.tenant_id)
    require_version(version, time_zone_shown(tenant), {"time_zone": time_zone})
    if tenant.time_zone == time_zone:
        return tenant
    before, tenant.time_zone = tenant.time_zone, time_zone
    tenant.save(update_fields=["time_zone"])
    _inherit(actor, time_zone, today)
    happening = Happening(
        "tenant.time_zone_changed",
        tenant.id,
        before={"time_zone": before},
        after={"time_zone": time_zone},
        data={"time_zone": time_zone},
    )
    record_event(actor, happening, now=now)
    return tenant


def _inherit(actor: Actor, time_zone: str, today: date) -> None:
    """Let accounts inherit it from today on."""
    change = Change(None, SettingName.TIME_ZONE.value, None, time_zone)
    write_changes(actor, [change], today=today)
