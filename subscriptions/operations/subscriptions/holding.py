"""Holding subscriptions that a job is about to change: until then nothing else changes them."""

from collections.abc import Collection
from uuid import UUID

from django.utils.translation import gettext_lazy as _

from subscriptions.models import Subscription
from tenancy.actor import Actor
from tenancy.errors import Conflict


class SubscriptionHeld(Conflict):
    """Two changes of one subscription would get in each other's way."""

    code = "subscription_held"
    message = _(
        "This subscription is about to get another renewal date. Please try again once the change"
        " plan is through."
    )


def hold(actor: Actor, subscription_ids: Collection[UUID], job_id: UUID) -> None:
    """Hold subscriptions for a job; the caller has locked their trees. One statement.

    Raises:
        SubscriptionHeld: another job holds one of them.
    """
    some = Subscription.objects.filter(tenant_id=actor.tenant_id, pk__in=subscription_ids)
    held = some.filter(held_by=None).update(held_by=job_id)
    if held < some.count():
        raise SubscriptionHeld


def release(actor: Actor, subscription_ids: Collection[UUID], job_id: UUID) -> None:
    """Let subscriptions go that a job has changed. One statement."""
    Subscription.objects.filter(
        tenant_id=actor.tenant_id, pk__in=subscription_ids, held_by=job_id
    ).update(held_by=None)
