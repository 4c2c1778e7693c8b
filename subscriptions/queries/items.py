"""What one account subscribes to."""

from collections.abc import Sequence
from datetime import date
from uuid import UUID

from django.db.models import Q

from accounts import access
from accounts.access import Action
from subscriptions.models import Item
from tenancy.actor import Actor


def items_of(actor: Actor, account_id: UUID, on: date, *, limit: int) -> Sequence[Item]:
    """Return the items of an account that have not ended, the oldest first. One statement.

    Each comes with its subscription, its price and the product. They are none where the account
    is out of sight.

    Args:
        actor: who asks.
        account_id: whose subscriptions.
        on: the day; what ended by then is left out, what begins later is not.
        limit: how many at most.
    """
    seen = access.reach(actor, Action.VIEW_SUBSCRIPTION).filter(pk=account_id)
    found = Item.objects.filter(
        Q(subscription__end_date=None) | Q(subscription__end_date__gt=on),
        tenant_id=actor.tenant_id,
        account__in=seen.order_by().values("pk"),
    ).select_related("subscription", "price__product", "subscription__override_bill_to")
    return list(found.order_by("subscription__start_date", "id")[:limit])
