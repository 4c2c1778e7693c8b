"""What a test clock comes to next: the days on which a run or a change plan is due."""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from django.db.models import Count, QuerySet

from accounts import access
from accounts.access import Action
from invoicing.models import ChangePlan
from invoicing.queries.plans.listing import next_plan_date
from invoicing.queries.run_preview import next_due_date
from tenancy.actor import Actor

PLANS_NAMED: Final = 20
"""So many change plans are named; of more their number is said."""
_PLANS_SEEN_BY: Final = (Action.MOVE_CLOCK, Action.VIEW_SETTINGS)


@dataclass(frozen=True, slots=True)
class PlansDue:
    """Change plans that are carried out up to a day: the first of them, and how many there are."""

    first: tuple[ChangePlan, ...] = ()
    count: int = 0


def next_event_date(actor: Actor) -> date | None:
    """Return the next day after today on which a run or a change plan is due, None for never.

    What is late already is left out: whichever day comes next has it. Plans are left out for who
    may not see them. Three statements at most.

    Raises:
        Forbidden: the actor may neither see runs nor move the clock.
    """
    today = actor.today
    due = next_due_date(actor)
    if due is not None and due <= today:
        due = next_due_date(actor, after=today)
    sees_plans = any(access.allows_everywhere(actor, action) for action in _PLANS_SEEN_BY)
    planned = next_plan_date(actor) if sees_plans else None
    if planned is not None:
        planned = max(planned, today + timedelta(days=1))
    return min((day for day in (due, planned) if day is not None), default=None)


def plans_due(actor: Actor, *, until: date) -> PlansDue:
    """Return the change plans that are carried out up to a day, in their order.

    Two statements, one where there are none.

    Raises:
        Forbidden: the actor may neither see settings nor move the clock.
    """
    if not access.allows_everywhere(actor, Action.MOVE_CLOCK):
        access.require_everywhere(actor, Action.VIEW_SETTINGS)
    found: QuerySet[ChangePlan] = ChangePlan.objects.filter(
        tenant_id=actor.tenant_id,
        status=ChangePlan.Status.SCHEDULED,
        effective_date__lte=until,
    )
    count = found.aggregate(count=Count("pk"))["count"]
    if not count:
        return PlansDue()
    ordered = found.select_related("account").order_by("effective_date", "created_at", "id")
    return PlansDue(tuple(ordered[:PLANS_NAMED]), count)
