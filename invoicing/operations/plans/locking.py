"""Taking a plan to change it, and noting what became of it."""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction
from django.utils.translation import gettext_lazy as _

from accounts import tree
from accounts.versions import ChangedMeanwhile
from invoicing.models import ChangePlan
from invoicing.queries.plans.documents import drafts_with
from invoicing.queries.plans.standing import standing_of
from invoicing.queries.plans.wanted import Wanted
from tenancy.actor import Actor
from tenancy.errors import Conflict, NotFound
from tenancy.events import Happening, record_event


class PlanNotOpen(Conflict):
    """The plan is not where this step begins."""

    code = "plan_not_open"
    message = _("This plan is not in a state for that any more.")


class OverlappingPlan(Conflict):
    """Two changes of one account would get in each other's way."""

    code = "overlapping_plan"
    message = _("Another change of this account is planned already. Withdraw it first.")


class WorldChanged(Conflict):
    """The plan's preview is not what would happen now."""

    code = "world_changed"
    message = _("Since its preview something has changed that the plan depends on.")


def lock_trees(actor: Actor, wanted: Wanted) -> None:
    """Lock every tree that the plan, or a draft of its accounts, is about."""
    standing = standing_of(actor, wanted)
    recipients = drafts_with(standing).values_list("bill_to_id", flat=True)
    tree.lock_families(actor.tenant_id, {*standing.parents, *recipients})


def take_plan(
    actor: Actor, plan_id: UUID, statuses: Collection[str], *, version: str = ""
) -> ChangePlan:
    """Lock a plan that is in one of some states.

    Args:
        actor: whose tenant; the caller asks for the right.
        plan_id: which one.
        statuses: where the step may begin.
        version: as shown to whoever wants it; empty for callers who name none.

    Raises:
        NotFound: there is no such plan.
        PlanNotOpen: it is in another state.
        ChangedMeanwhile: it is not as shown any more.
    """
    plan = (
        ChangePlan.objects.select_for_update(no_key=True)
        .filter(tenant_id=actor.tenant_id, pk=plan_id)
        .first()
    )
    if plan is None:
        raise NotFound
    if plan.status not in statuses:
        raise PlanNotOpen
    if version and version != str(plan.version):
        raise ChangedMeanwhile
    return plan


def keep_plan(actor: Actor, plan: ChangePlan, *names: str) -> None:
    """Store some columns of a locked plan, as a new version of it.

    Raises:
        OverlappingPlan: another change of the account is open.
    """
    plan.version += 1
    values = {name: getattr(plan, name) for name in (*names, "version")}
    try:
        with transaction.atomic():
            ChangePlan.objects.filter(tenant_id=actor.tenant_id, pk=plan.pk).update(**values)
    except IntegrityError as error:
        if "plan_open_once" not in str(error):
            raise
        raise OverlappingPlan from error


def record_step(
    actor: Actor,
    plan: ChangePlan,
    action: str,
    *,
    now: datetime,
    was: str = "",
    data: Mapping[str, Any] | None = None,
) -> None:
    """Write what became of a plan to the audit trail and the event log."""
    facts = {
        "kind": plan.kind,
        "effective_date": plan.effective_date.isoformat(),
        **(data or {}),
    }
    happening = Happening(
        action,
        plan.pk,
        plan.account_id,
        before={"status": was} if was else None,
        after={"status": plan.status, **facts},
        data=facts,
    )
    record_event(actor, happening, now=now)
