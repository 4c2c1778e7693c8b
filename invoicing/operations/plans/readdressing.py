"""Invoicing one subscription to somebody else: a plan that goes as far as nobody holds it up."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from accounts import access, tree
from accounts.access import Action
from invoicing.models import ChangePlan
from invoicing.operations.plans.deciding import submit_plan
from invoicing.operations.plans.planning import create_plan
from invoicing.queries.plans.checking import NothingToChange
from invoicing.queries.plans.wanted import STAY, Wanted
from subscriptions.models import Subscription
from tenancy.actor import Actor
from tenancy.database import operation
from tenancy.errors import NotFound


@dataclass(frozen=True, slots=True)
class NewRecipient:
    """Whom a subscription is invoiced to from a day on; None for whoever its account says.

    ``prepaid`` says what becomes of what is charged for later days: ``stay`` or ``credit``.
    """

    bill_to_id: UUID | None
    day: date
    prepaid: str = STAY


def wanted_recipient(subscription: Subscription, new: NewRecipient) -> Wanted:
    """Return it as a plan."""
    return Wanted(
        kind=str(ChangePlan.Kind.SUBSCRIPTION),
        account_id=subscription.account_id,
        day=new.day,
        target_id=new.bill_to_id,
        prepaid=new.prepaid,
        overrides={subscription.pk: new.bill_to_id},
    )


@operation
def readdress_subscription(
    actor: Actor,
    subscription_id: UUID,
    new: NewRecipient,
    *,
    require_seen: Callable[[], object] | None = None,
    today: date,
    now: datetime,
) -> ChangePlan | None:
    """Plan another recipient of a subscription, and carry it out if nothing holds it up.

    Args:
        actor: who does it.
        subscription_id: which.
        new: to whom, and since when.
        require_seen: refuses if it is not as the caller has seen it; asked under the locks.
        today: the tenant's date.
        now: the instant.

    Returns:
        The plan: carried out, or waiting for its day, an approval or an agreement. None where it
        is so already.

    Raises:
        NotFound, Forbidden: it is out of sight, or the actor may not change settings.
        NotOnPath, AccountArchived, SubscriptionOver, PlanInPast, PlanTooFar, LockedAbove,
            OverlappingPlan: see their texts.

    Source: docs/billing-rules.md, The recipient of one subscription.
    """
    seen = access.reach(actor, Action.VIEW_SUBSCRIPTION).order_by().values("pk")
    visible = Subscription.objects.filter(tenant_id=actor.tenant_id, account__in=seen)
    account_id = visible.filter(pk=subscription_id).values_list("account_id", flat=True).first()
    if account_id is None:
        raise NotFound
    access.require_everywhere(actor, Action.EDIT_SETTINGS)
    tree.lock_families(actor.tenant_id, [account_id])
    subscription = visible.select_for_update(of=("self",)).get(pk=subscription_id)
    if require_seen is not None:
        require_seen()
    try:
        plan = create_plan(actor, wanted_recipient(subscription, new), today=today, now=now)
    except NothingToChange:
        return None
    return submit_plan(actor, plan.pk, today=today, now=now)
