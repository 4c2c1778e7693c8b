"""How many people it takes to issue what a billing run has drafted."""

from datetime import datetime

from django.utils.translation import gettext_lazy as _

from accounts import access
from accounts.access import Action
from accounts.versions import require_version
from tenancy.actor import Actor
from tenancy.database import operation
from tenancy.errors import Invalid
from tenancy.events import Happening, record_event
from tenancy.models import Tenant


class FourEyesWithoutApproval(Invalid):
    """Where nobody approves, there is no second person."""

    code = "four_eyes_without_approval"
    message = _("Two people need an approval: runs must not issue by themselves then.")


@operation
def set_approval(
    actor: Actor,
    *,
    approval_required: bool,
    four_eyes: bool,
    version: str = "",
    now: datetime,
) -> Tenant:
    """Say whether drafts wait for approval, and whether by somebody else than who asked for them.

    Args:
        actor: who changes it.
        approval_required: whether runs of the timetable and of pages stop at drafts.
        four_eyes: whether who asked for a run may not issue what it made.
        version: of what was shown, as ``version_of`` says it; empty overwrites anyway.
        now: the instant.

    Raises:
        Forbidden: the actor may not change the tenant.
        FourEyesWithoutApproval: see its text.
        ChangedMeanwhile: it is not as shown any more.

    Source: docs/billing-rules.md, R8.
    """
    access.require_everywhere(actor, Action.MANAGE_TENANT)
    if four_eyes and not approval_required:
        raise FourEyesWithoutApproval
    tenant = Tenant.objects.select_for_update(no_key=True).get(pk=actor.tenant_id)
    before = {"approval_required": tenant.approval_required, "four_eyes": tenant.four_eyes}
    after = {"approval_required": approval_required, "four_eyes": four_eyes}
    require_version(version, before, after)
    if before == after:
        return tenant
    tenant.approval_required, tenant.four_eyes = approval_required, four_eyes
    tenant.save(update_fields=[*after])
    happening = Happening(
        "tenant.approval_changed", tenant.id, before=before, after=after, data=after
    )
    record_event(actor, happening, now=now)
    return tenant
