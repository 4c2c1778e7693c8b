"""Deciding on a plan: asked for, approved by somebody else, agreed to by whoever comes to pay."""

from datetime import date, datetime, timedelta
from typing import Any, Final
from uuid import UUID

from django.utils.translation import gettext_lazy as _

from accounts import access
from accounts.access import Action
from accounts.models import Account
from invoicing.models import ChangePlan
from invoicing.operations.plans.applying import AcceptanceExpired, carry_out_if_due
from invoicing.operations.plans.locking import keep_plan, record_step, take_plan
from invoicing.queries.plans.checking import require_day
from invoicing.queries.plans.preview import require_deciding
from invoicing.queries.plans.standing import standing_of
from invoicing.queries.plans.together import require_no_circle
from invoicing.queries.plans.wanted import Wanted
from invoicing.queries.plans.world import changed_parts, world_digests
from tenancy.actor import Actor
from tenancy.database import operation
from tenancy.errors import Conflict, Forbidden, Invalid
from tenancy.models import Tenant

ACCEPTANCE_DAYS: Final = 14
REASON_LENGTH: Final = 500


class PlanOutdated(Conflict):
    """What was previewed is not so any more."""

    code = "plan_outdated"
    message = _(
        "Something that this plan depends on has changed since its preview."
        " Please withdraw it and plan it again."
    )


class OwnPlan(Forbidden):
    """Somebody would approve their own plan."""

    code = "four_eyes"
    message = _("You planned this yourself. Somebody else has to approve it.")


class ForcingNeedsReason(Invalid):
    """Whoever answers for somebody else has to say why."""

    code = "reason_needed"
    message = _(
        "You answer in place of the customer. Please give a reason of at most %(most)s characters."
    )


@operation
def submit_plan(
    actor: Actor,
    plan_id: UUID,
    *,
    ask_approval: bool = False,
    version: str = "",
    today: date,
    now: datetime,
) -> ChangePlan:
    """Ask for a draft to be carried out on its day; at once if that has come.

    It waits for somebody else's approval where the tenant wants two people, or the actor wishes;
    then for the acceptance of whoever comes to be invoiced or to pay in another family.

    Args:
        actor: who asks.
        plan_id: a draft.
        ask_approval: whether somebody is to approve it in any case.
        version: of the plan as shown; empty for callers who name none.
        today: the tenant's date.
        now: the instant.

    Raises:
        NotFound, Forbidden: there is none, or the actor may not change settings.
        PlanNotOpen, ChangedMeanwhile, OverlappingPlan, PlanOutdated, PlansMakeCircle,
            PlanInPast: see their texts.

    Source: docs/billing-rules.md, Change plans.
    """
    access.require_everywhere(actor, Action.EDIT_SETTINGS)
    plan = take_plan(actor, plan_id, (ChangePlan.Status.DRAFT,), version=version)
    require_deciding(actor, plan.kind)
    require_day(plan.effective_date, today)
    standing = standing_of(actor, Wanted.of(plan))
    if changed_parts(plan.world, world_digests(standing)):
        raise PlanOutdated
    # Locked, so that of two plans that are asked for at once the second sees the first.
    tenant = Tenant.objects.select_for_update(no_key=True).get(pk=actor.tenant_id)
    require_no_circle(standing)
    needs_two = tenant.four_eyes and actor.actor_id is not None
    if ask_approval or needs_two:
        plan.status = ChangePlan.Status.WAITING_APPROVAL
        keep_plan(actor, plan, "status")
        record_step(actor, plan, "plan.approval_asked", was=ChangePlan.Status.DRAFT, now=now)
        return plan
    return _go_on(actor, plan, today=today, now=now)


@operation
def approve_plan(
    actor: Actor, plan_id: UUID, *, version: str = "", today: date, now: datetime
) -> ChangePlan:
    """Approve a plan that waits for it; where two people are wanted, not one's own.

    Args:
        actor: who approves.
        plan_id: which one.
        version: of the plan as shown; empty for callers who name none.
        today: the tenant's date.
        now: the instant.

    Raises:
        NotFound, Forbidden: there is none, or the actor may not change settings.
        OwnPlan: see its text.
        PlanNotOpen, ChangedMeanwhile, PlanInPast: see their texts.
    """
    access.require_everywhere(actor, Action.EDIT_SETTINGS)
    plan = take_plan(actor, plan_id, (ChangePlan.Status.WAITING_APPROVAL,), version=version)
    require_deciding(actor, plan.kind)
    tenant = Tenant.objects.get(pk=actor.tenant_id)
    is_author = actor.actor_id is not None and plan.author.get("id") == str(actor.actor_id)
    if tenant.four_eyes and is_author:
        raise OwnPlan
    require_day(plan.effective_date, today)
    plan.approver = actor.requester.stored()
    record_step(actor, plan, "plan.approved", now=now)
    return _go_on(actor, plan, today=today, now=now)


@operation
def answer_plan(
    actor: Actor,
    plan_id: UUID,
    *,
    accepts: bool,
    reason: str = "",
    version: str = "",
    today: date,
    now: datetime,
) -> ChangePlan:
    """Accept or decline what a plan hands over, for the account that receives it.

    The receiver's own people and keys answer. The tenant's staff may answer in their place, and
    say why.

    Args:
        actor: who answers.
        plan_id: which one.
        accepts: or declines.
        reason: why; needed of the tenant's own.
        version: of the plan as shown; empty for callers who name none.
        today: the tenant's date.
        now: the instant.

    Raises:
        NotFound, Forbidden: the receiver is out of sight, or not the actor's to decide for.
        ForcingNeedsReason, PlanNotOpen, ChangedMeanwhile: see their texts.

    Source: docs/billing-rules.md, Change plans.
    """
    waiting = ChangePlan.Status.WAITING_ACCEPTANCE
    plan = take_plan(actor, plan_id, ChangePlan.Status.values, version=version)
    receiver = Account.objects.get(
        tenant_id=actor.tenant_id, pk=plan.receiver_id or plan.account_id
    )
    access.require(actor, Action.EDIT_SETTINGS, receiver)
    plan = take_plan(actor, plan_id, (waiting,))
    is_forced = access.allows_everywhere(actor, Action.EDIT_SETTINGS)
    said = reason.strip()
    if len(said) > REASON_LENGTH or "\x00" in said or (is_forced and not said):
        raise ForcingNeedsReason(most=REASON_LENGTH)
    plan.acceptance = {
        "accepts": accepts,
        "forced": is_forced,
        "reason": said,
        "by": actor.requester.stored(),
        "at": now.isoformat(),
    }
    if accepts:
        if plan.acceptance_until is not None and plan.acceptance_until < today:
            raise AcceptanceExpired(until=plan.acceptance_until)
        record_step(actor, plan, "plan.accepted", data={"forced": is_forced}, now=now)
        return _go_on(actor, plan, today=today, now=now)
    plan.status = ChangePlan.Status.WITHDRAWN
    keep_plan(actor, plan, "status", "acceptance")
    record_step(actor, plan, "plan.declined", was=waiting, data={"forced": is_forced}, now=now)
    return plan


def _go_on(actor: Actor, plan: ChangePlan, *, today: date, now: datetime) -> ChangePlan:
    """Take a plan as far as it goes: to whoever has to agree, to its day, or through."""
    was = plan.status
    changed: dict[str, Any] = {"approver": plan.approver, "acceptance": plan.acceptance}
    if plan.receiver_id is not None and not plan.acceptance:
        plan.status = ChangePlan.Status.WAITING_ACCEPTANCE
        plan.acceptance_until = min(today + timedelta(days=ACCEPTANCE_DAYS), plan.effective_date)
        keep_plan(actor, plan, "status", "acceptance_until", *changed)
        record_step(actor, plan, "plan.acceptance_asked", was=was, now=now)
        return plan
    plan.status = ChangePlan.Status.SCHEDULED
    keep_plan(actor, plan, "status", *changed)
    record_step(actor, plan, "plan.scheduled", was=was, now=now)
    return carry_out_if_due(actor, plan, today=today, now=now)
