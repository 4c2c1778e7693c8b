"""The reverse of a plan that was carried out: a new plan of its own."""

from dataclasses import replace
from datetime import date, datetime
from uuid import UUID

from django.db import IntegrityError, transaction
from django.utils.translation import gettext_lazy as _

from accounts import access
from accounts.access import Action
from invoicing.models import ChangePlan
from invoicing.operations.plans.locking import take_plan
from invoicing.operations.plans.planning import previewed, store_plan
from invoicing.queries.plans.wanted import Wanted
from tenancy.actor import Actor
from tenancy.database import operation
from tenancy.errors import Conflict


class ReversedAlready(Conflict):
    """One reverse plan is enough."""

    code = "reversed_already"
    message = _("There is a plan already that reverses this one.")


class MergeStays(Conflict):
    """What two accounts had is told apart by nobody any more."""

    code = "merge_not_reversible"
    message = _("A merge cannot be reversed: what the two accounts had is one now.")


@operation
def reverse_plan(
    actor: Actor, plan_id: UUID, *, effective_date: date, today: date, now: datetime
) -> ChangePlan:
    """Make a draft that brings back what a plan has changed.

    Args:
        actor: who plans it.
        plan_id: a plan that was carried out.
        effective_date: since when.
        today: the tenant's date.
        now: the instant.

    Raises:
        NotFound, Forbidden: there is none, or the actor may not change settings.
        PlanNotOpen: it was not carried out.
        ReversedAlready, MergeStays: see their texts.
        NothingToChange and the others that ``create_plan`` names: see their texts.
    """
    access.require_everywhere(actor, Action.EDIT_SETTINGS)
    plan = take_plan(actor, plan_id, (ChangePlan.Status.APPLIED,))
    if plan.kind == ChangePlan.Kind.MERGE:
        raise MergeStays
    undo = ChangePlan(
        kind=plan.kind,
        account_id=plan.account_id,
        effective_date=effective_date,
        parameters=plan.result["undo"],
    )
    wanted = replace(Wanted.of(undo), day=effective_date)
    preview = previewed(actor, wanted, today=today)
    try:
        with transaction.atomic():
            return store_plan(actor, preview, reverse_of=plan.pk, now=now)
    except IntegrityError as error:
        if "plan_reversed_once" not in str(error):
            raise
        raise ReversedAlready from error
