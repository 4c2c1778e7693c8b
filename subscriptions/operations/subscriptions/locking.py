"""Locking one subscription, so that whatever changes it waits for one another."""

from uuid import UUID

from accounts import access, tree
from accounts.access import Action
from subscriptions.models import Item, Subscription
from subscriptions.operations.subscriptions.holding import SubscriptionHeld
from tenancy.actor import Actor
from tenancy.errors import NotFound


def locked_subscription(actor: Actor, subscription_id: UUID) -> tuple[Subscription, list[Item]]:
    """Return a subscription and its items under their locks: tree, subscription, items.

    Raises:
        NotFound: it is out of the actor's sight.
        Forbidden: the actor may not change subscriptions there.
        SubscriptionHeld: a job is about to change it.
    """
    seen = access.reach(actor, Action.VIEW_SUBSCRIPTION).order_by().values("pk")
    visible = Subscription.objects.filter(
        tenant_id=actor.tenant_id, pk=subscription_id, account__in=seen
    )
    account_id = visible.values_list("account_id", flat=True).first()
    if account_id is None:
        raise NotFound
    tree.lock_families(actor.tenant_id, [account_id])
    subscription = visible.select_related("account").select_for_update(of=("self",)).first()
    if subscription is None:
        raise NotFound
    access.require(actor, Action.EDIT_SUBSCRIPTION, subscription.account)
    if subscription.is_held:
        raise SubscriptionHeld
    items = Item.objects.filter(tenant_id=actor.tenant_id, subscription=subscription)
    return subscription, list(
        items.select_related("price", "discount").order_by("id").select_for_update(of=("self",))
    )
