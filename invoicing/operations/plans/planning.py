"""Planning a change: drafts, what is said about them, and taking them back."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Final
from uuid import UUID

from django.utils.translation import gettext_lazy as _

from accounts import access
from accounts.access import Action
from accounts.models import Account
from invoicing.models import ChangePlan, PlanComment
from invoicing.operations.plans.locking import keep_plan, record_step, take_plan
from invoicing.queries.plans.checking import require_answered
from invoicing.queries.plans.preview import PlanPreview, preview_plan
from invoicing.queries.plans.wanted import Wanted
from tenancy.actor import Actor
from tenancy.database import operation
from tenancy.errors import Conflict, Invalid, NotFound
from tenancy.models import Tenant

COMMENT_LENGTH: Final = 2_000


class CommentNeeded(Invalid):
    """Somebody said nothing, or a novel."""

    code = "comment_needed"
    message = _("Please write at most %(most)s characters.")


class OneRefused(Invalid):
    """One of several changes cannot be planned; ``errors`` say what of it."""

    code = "one_refused"
    message = _("Nothing was planned. %(account)s: %(reason)s")


@operation
def create_plan(actor: Actor, wanted: Wanted, *, today: date, now: datetime) -> ChangePlan:
    """Store a change with its preview as a draft, which does nothing by itself.

    Args:
        actor: who plans it.
        wanted: the change.
        today: the tenant's date.
        now: the instant.

    Raises:
        NotFound, Forbidden: as ``preview_plan`` says.
        SettingsOutsidePath: something is left unanswered.
        AccountInUse, PlanInPast, PlanTooFar, AccountArchived, NotOnPath, NothingToChange,
            NothingAbove, TreeCycle, TreeTooDeep: see their texts.

    Source: docs/billing-rules.md, Change plans.
    """
    preview = previewed(actor, wanted, today=today)
    return store_plan(actor, preview, now=now)


@operation
def create_plans(
    actor: Actor, wanted: Sequence[Wanted], *, today: date, now: datetime
) -> list[ChangePlan]:
    """Store several changes as drafts, each a plan of its own: all of them or none.

    Args:
        actor: who plans them.
        wanted: the changes.
        today: the tenant's date.
        now: the instant.

    Raises:
        Forbidden: the actor may not change settings.
        OneRefused: one of them cannot be planned.

    Source: docs/billing-rules.md, Change plans.
    """
    access.require_everywhere(actor, Action.EDIT_SETTINGS)
    plans = []
    for one in wanted:
        try:
            plans.append(create_plan(actor, one, today=today, now=now))
        except (Invalid, Conflict) as refusal:
            account = Account.objects.get(tenant_id=actor.tenant_id, pk=one.account_id)
            raise OneRefused(
                account=account.name, reason=refusal.detail, errors=refusal.errors
            ) from refusal
    return plans


def previewed(actor: Actor, wanted: Wanted, *, today: date) -> PlanPreview:
    """Return the preview of a change that leaves nothing open.

    Raises:
        As ``create_plan`` says.
    """
    tenant = Tenant.objects.get(pk=actor.tenant_id)
    preview = preview_plan(actor, wanted, today=today, tenant=tenant)
    require_answered(preview.unanswered)
    return preview


def store_plan(
    actor: Actor, preview: PlanPreview, *, reverse_of: UUID | None = None, now: datetime
) -> ChangePlan:
    """Store a change that was previewed as a draft; the caller has asked for the right."""
    wanted = preview.wanted
    plan = ChangePlan.objects.create(
        tenant_id=actor.tenant_id,
        kind=wanted.kind,
        account_id=wanted.account_id,
        subscription_id=wanted.subscription_id,
        parameters=wanted.stored(),
        effective_date=wanted.day,
        world=preview.world,
        preview=preview.shown,
        author=actor.requester.stored(),
        receiver_id=preview.receiver_id,
        reverse_of_id=reverse_of,
        created_at=now,
    )
    record_step(actor, plan, "plan.created", now=now)
    return plan


@operation
def withdraw_plan(
    actor: Actor, plan_id: UUID, *, reason: str = "", version: str = "", now: datetime
) -> ChangePlan:
    """Take a plan back that has not been carried out.

    Args:
        actor: who does it.
        plan_id: which one.
        reason: why, in the actor's words; may be empty.
        version: of the plan as shown; empty for callers who name none.
        now: the instant.

    Raises:
        NotFound, Forbidden: there is none, or the actor may not change settings.
        PlanNotOpen, ChangedMeanwhile: see their texts.
    """
    access.require_everywhere(actor, Action.EDIT_SETTINGS)
    plan = take_plan(actor, plan_id, ChangePlan.CHANGEABLE, version=version)
    was, plan.status = plan.status, ChangePlan.Status.WITHDRAWN
    keep_plan(actor, plan, "status")
    if reason.strip():
        _say(actor, plan, reason, now)
    record_step(actor, plan, "plan.withdrawn", was=was, now=now)
    return plan


@operation
def comment_on_plan(actor: Actor, plan_id: UUID, *, text: str, now: datetime) -> PlanComment:
    """Say something about a plan, whatever state it is in.

    Raises:
        NotFound, Forbidden: there is none, or the actor may not change settings.
        CommentNeeded: see its text.
    """
    access.require_everywhere(actor, Action.EDIT_SETTINGS)
    plan = ChangePlan.objects.filter(tenant_id=actor.tenant_id, pk=plan_id).first()
    if plan is None:
        raise NotFound
    comment = _say(actor, plan, text, now)
    record_step(actor, plan, "plan.commented", now=now)
    return comment


def _say(actor: Actor, plan: ChangePlan, text: str, now: datetime) -> PlanComment:
    said = text.strip()
    if not said or len(said) > COMMENT_LENGTH or "\x00" in said:
        raise CommentNeeded(most=COMMENT_LENGTH)
    return PlanComment.objects.create(
        tenant_id=actor.tenant_id,
        plan_id=plan.pk,
        text=said,
        author=actor.requester.stored(),
        at=now,
    )
