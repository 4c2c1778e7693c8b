"""The first children of many accounts at once, as pictures of a tree show them."""

from collections.abc import Collection
from uuid import UUID

from django.db.models import Count, Exists, F, Q, Window
from django.db.models.functions import RowNumber

from accounts import access
from accounts.access import Action
from accounts.queries.trees import COLUMNS, IN_USE, TreeRow, below_each, used_below
from tenancy.actor import Actor


def first_children(
    actor: Actor, parent_ids: Collection[UUID], *, start: int, count: int, closed: bool
) -> list[TreeRow]:
    """Return some children of each account, by name, numbered among their siblings.

    One statement, however many children there are.

    Args:
        actor: who asks.
        parent_ids: the accounts above.
        start: how many children of each are left out before.
        count: how many of each are returned at most.
        closed: whether archived accounts are shown, under which nothing is in use.
    """
    below = access.reach(actor, Action.VIEW_ACCOUNT).filter(node__parent_id__in=parent_ids)
    if not closed:
        below = below.filter(IN_USE | Exists(used_below(actor)))
    per_parent = [F("node__parent_id")]
    found = below.annotate(
        below=below_each(),
        place=Window(RowNumber(), partition_by=per_parent, order_by=["sort_key", "id"]),
        count=Window(Count("pk"), partition_by=per_parent),
    ).filter(Q(place__gt=start, place__lte=start + count))
    rows = found.order_by("node__parent_id", "place").values_list(*COLUMNS, "place", "count")
    return [TreeRow(*row) for row in rows]
