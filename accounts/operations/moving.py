"""Placing accounts elsewhere in the tree: the past keeps where they stood."""

from collections.abc import Sequence
from datetime import date
from uuid import UUID

from django.db.models import Q

from accounts import tree
from accounts.models import Placement
from tenancy.actor import Actor
from tenancy.database.inserting import insert_rows


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
    _place(actor, [account_id], parent_id, day)


def place_children_beside(actor: Actor, account_id: UUID, *, day: date) -> None:
    """Put everything directly below an account beside it from a day on, with all below that.

    However many they are, it takes as many statements. Takes and keeps the lock of the tree.

    Args:
        actor: whose tenant; the caller has asked for the right.
        account_id: what they stand below.
        day: since when they stand beside it.

    Raises:
        NotFound: the account does not exist in the tenant, or nothing is above it.
    """
    above_id, children = tree.put_children_beside(actor.tenant_id, account_id)
    _place(actor, children, above_id, day)


def _place(actor: Actor, account_ids: Sequence[UUID], parent_id: UUID | None, day: date) -> None:
    placed = Placement.objects.filter(tenant_id=actor.tenant_id, account_id__in=account_ids)
    # A place that they took on this very day, or would take later, gives way.
    placed.filter(valid_from__gte=day).delete()
    placed.filter(Q(valid_to=None) | Q(valid_to__gt=day)).update(valid_to=day)
    insert_rows(
        [
            Placement(
                tenant_id=actor.tenant_id, account_id=key, parent_id=parent_id, valid_from=day
            )
            for key in account_ids
        ]
    )
