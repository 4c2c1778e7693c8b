"""Placing accounts elsewhere in the tree: the past keeps where they stood."""

from datetime import date
from uuid import UUID

from django.db.models import Q

from accounts import tree
from accounts.models import Placement
from tenancy.actor import Actor


def place_account(actor: Actor, account_id: UUID, parent_id: UUID | None, *, day: date) -> None:
    """Put an account with all below it under another parent from a day on.

    Takes the locks of both trees, in the fixed order, and keeps them.

    Args:
        actor: whose tenant; the caller has asked for the right.
        account_id: what moves.
        parent_id: its new parent; None makes it the root of a tree.
        day: since when it stands there.

    Raises:
        NotFound: the account or the parent does not exist in the tenant.
        TreeCycle, TreeTooDeep: see their texts.
    """
    tree.move(actor.tenant_id, account_id, parent_id)
    placed = Placement.objects.filter(tenant_id=actor.tenant_id, account_id=account_id)
    # A place that it took on this very day, or would take later, gives way.
    placed.filter(valid_from__gte=day).delete()
    placed.filter(Q(valid_to=None) | Q(valid_to__gt=day)).update(valid_to=day)
    Placement.objects.create(
        tenant_id=actor.tenant_id, account_id=account_id, parent_id=parent_id, valid_from=day
    )
