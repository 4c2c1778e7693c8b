"""What one account subscribes to."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from django.db.models import Count, Q

from accounts import access, tree
from accounts.access import Action
from accounts.queries.answering import saying_themselves
from subscriptions.models import Item
from subscriptions.queries.terms import items_on
from tenancy.actor import Actor


def items_of(actor: Actor, account_id: UUID, on: date, *, limit: int) -> Sequence[Item]:
    """Return the items of an account that have not ended, the oldest first. One statement.

    Each comes with its subscription, its price and the product, as they are on the day; one
    statement more where terms change later. They are none where the account is out of sight.

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
    return items_on(actor, found.order_by("subscription__start_date", "id")[:limit], on)


@dataclass(frozen=True, slots=True)
class ItemsBelow:
    """Some items of a subtree; ``count`` is how many there are, ``accounts`` of how many."""

    rows: Sequence[Item]
    count: int
    accounts: int


def items_below(
    actor: Actor, top_id: UUID, on: date, *, deviating: bool, start: int, limit: int
) -> ItemsBelow:
    """Return items of an account and all below it that have not ended, account by account.

    Two statements, one more where terms change later.

    Args:
        actor: who asks.
        top_id: the top of the subtree.
        on: the day; what ended by then is left out, what begins later is not.
        deviating: only those of which the account, or the subscription itself, says who answers.
        start: how many are left out before.
        limit: how many at most.
    """
    seen = access.reach(actor, Action.VIEW_SUBSCRIPTION).filter(
        tree.lies_below(actor.tenant_id, [top_id])
    )
    found = Item.objects.filter(
        Q(subscription__end_date=None) | Q(subscription__end_date__gt=on),
        tenant_id=actor.tenant_id,
        account__in=seen.order_by().values("pk"),
    )
    if deviating:
        found = found.filter(
            Q(subscription__override_bill_to__isnull=False)
            | Q(account__in=saying_themselves(actor, on))
        )
    counts = found.aggregate(items=Count("pk"), accounts=Count("account", distinct=True))
    ordered = found.select_related(
        "account__contract_party", "subscription", "price__product"
    ).order_by("account__sort_key", "account_id", "subscription__start_date", "id")
    rows = items_on(actor, ordered[start : start + limit], on)
    return ItemsBelow(rows, counts["items"], counts["accounts"])
