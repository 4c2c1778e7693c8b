"""Plans as lists and one by one."""

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any
from uuid import UUID

from django.contrib.postgres.expressions import ArraySubquery
from django.db import connection
from django.db.models import F, OuterRef, Q, QuerySet
from django.db.models.functions import JSONObject

from accounts import access
from accounts.access import Action
from accounts.models import Account
from accounts.queries.placements import lies_below
from invoicing.models import ChangePlan, PlanComment
from tenancy.actor import Actor
from tenancy.errors import NotFound
from tenancy.models import Job


def plans(
    actor: Actor,
    *,
    within: UUID | None = None,
    status: str | None = None,
    kind: str | None = None,
    subscription: UUID | None = None,
) -> QuerySet[ChangePlan]:
    """Return plans, the latest first. One statement.

    Whoever does not see the settings of the whole tenant sees the plans that wait, or waited, for
    an answer on an account of theirs.

    Args:
        actor: who asks.
        within: only those about this account or one below it.
        status: only those in this state.
        kind: only those of this kind.
        subscription: only those about this subscription.
    """
    found = ChangePlan.objects.filter(tenant_id=actor.tenant_id).select_related(
        "account", "receiver"
    )
    if not access.allows_everywhere(actor, Action.VIEW_SETTINGS):
        reached = access.reach(actor, Action.EDIT_SETTINGS).order_by().values("pk")
        found = found.filter(acceptance_until__isnull=False, receiver_id__in=reached)
    if within is not None:
        seen = access.reach(actor, Action.VIEW_ACCOUNT).filter(lies_below(actor, within, None))
        found = found.filter(account_id__in=seen.order_by().values("pk"))
    exact = {"status": status, "kind": kind, "subscription_id": subscription}
    found = found.filter(**{name: value for name, value in exact.items() if value is not None})
    return found.order_by("-created_at", "-id")


def get_plan(actor: Actor, plan_id: UUID) -> ChangePlan:
    """Return one plan. One statement.

    Raises:
        NotFound: it does not exist, is out of sight or another tenant's.
    """
    plan = plans(actor).filter(pk=plan_id).first()
    if plan is None:
        raise NotFound
    return plan


def open_plans_of(actor: Actor, account_ids: Iterable[UUID]) -> dict[UUID, ChangePlan]:
    """Return, for each account that has one, the plan that is open. One statement."""
    found = plans(actor).filter(status__in=ChangePlan.OPEN, account_id__in=list(account_ids))
    return {plan.account_id: plan for plan in found}


def open_plans_beside(actor: Actor, *, limit: int) -> ArraySubquery:
    """Return what reads the open plans of each account along with it, the next one first.

    No statement by itself: ``beside`` of ``path_of`` takes it, ``plan_read_beside`` reads it.
    """
    found = plans(actor).filter(status__in=ChangePlan.OPEN, account_id=OuterRef("pk"))
    named = {name: F(f"preview__{name}") for name in ("target", "subscription", "merge__into")}
    shown = JSONObject(
        id="id",
        kind="kind",
        effective_date="effective_date",
        parameters="parameters",
        move=F("preview__moves__0"),
        **named,
    )
    return ArraySubquery(
        found.order_by("effective_date", "created_at", "id").values(shown=shown)[:limit]
    )


def plan_read_beside(account: Account, shown: Mapping[str, Any]) -> ChangePlan:
    """Return a plan that was read along with its account, as far as its title needs it."""
    return ChangePlan(
        id=UUID(shown["id"]),
        tenant_id=account.tenant_id,
        account=account,
        kind=shown["kind"],
        effective_date=date.fromisoformat(shown["effective_date"]),
        parameters=shown["parameters"],
        preview={
            "moves": [shown["move"]] if shown["move"] else [],
            "target": shown["target"],
            "subscription": shown["subscription"],
            "merge": {"into": shown["merge__into"]},
        },
    )


def comments_of(actor: Actor, plan: ChangePlan) -> list[PlanComment]:
    """Return what was said about a plan that was read, in order. One statement.

    It is said among the tenant's own people.
    """
    if not access.allows_everywhere(actor, Action.VIEW_SETTINGS):
        return []
    comments = PlanComment.objects.filter(tenant_id=actor.tenant_id, plan_id=plan.pk)
    return list(comments.order_by("at", "id"))


def job_of(actor: Actor, plan: ChangePlan) -> Job | None:
    """Return the job that carries a plan out that was read, None of most. One statement, if that.

    It is shown to the tenant's own people.
    """
    if plan.job_id is None or not access.allows_everywhere(actor, Action.VIEW_SETTINGS):
        return None
    return Job.objects.filter(tenant_id=actor.tenant_id, pk=plan.job_id).first()


def reverse_of(actor: Actor, plan: ChangePlan) -> ChangePlan | None:
    """Return the plan that reverses one, None where there is none. One statement."""
    gone = Q(status__in=(ChangePlan.Status.FAILED, ChangePlan.Status.WITHDRAWN))
    return plans(actor).filter(~gone, reverse_of_id=plan.pk).first()


# The first day after the last on which somebody may accept a plan is one on which it ends.
_NEXT_PLAN = """
    SELECT least(
        (SELECT min(effective_date) FROM invoicing_changeplan
            WHERE tenant_id = %s AND status = 'scheduled'),
        (SELECT min(acceptance_until) + 1 FROM invoicing_changeplan
            WHERE tenant_id = %s AND status = 'waiting_acceptance')
    )
"""


def next_plan_date(actor: Actor) -> date | None:
    """Return the first day on which a plan is due or nobody may accept it any more.

    One statement, made of first entries of indexes.

    Raises:
        Forbidden: the actor may neither see settings nor move the clock.
    """
    if not access.allows_everywhere(actor, Action.MOVE_CLOCK):
        access.require_everywhere(actor, Action.VIEW_SETTINGS)
    with connection.cursor() as cursor:
        cursor.execute(_NEXT_PLAN, [actor.tenant_id, actor.tenant_id])
        found: date | None = cursor.fetchone()[0]
    return found
