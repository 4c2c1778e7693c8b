"""Where accounts stand in the tree, now or on another day, as conditions on accounts."""

from collections.abc import Collection, Sequence
from datetime import date
from uuid import UUID

from django.db.models import Q, QuerySet
from django.db.models.expressions import RawSQL

from accounts import access, tree
from accounts.access import Action
from accounts.models import Placement
from accounts.queries.dated import holding_on
from tenancy.actor import Actor

# History keeps parents only, so the past is walked from parent to child.
_BELOW_THEN = """
    WITH RECURSIVE below AS (
        SELECT account_id FROM accounts_placement
        WHERE tenant_id = %s AND account_id = %s
            AND valid_from <= %s AND (valid_to IS NULL OR valid_to > %s)
        UNION
        SELECT placed.account_id FROM accounts_placement AS placed
        JOIN below ON placed.parent_id = below.account_id
        WHERE placed.tenant_id = %s
            AND placed.valid_from <= %s AND (placed.valid_to IS NULL OR placed.valid_to > %s)
    ) SELECT account_id FROM below
"""
_ABOVE_THEN = """
    WITH RECURSIVE above AS (
        SELECT account_id, parent_id FROM accounts_placement
        WHERE account_id = ANY(%s::uuid[]) AND tenant_id = %s
            AND valid_from <= %s AND (valid_to IS NULL OR valid_to > %s)
        UNION
        SELECT placed.account_id, placed.parent_id FROM accounts_placement AS placed
        JOIN above ON placed.account_id = above.parent_id
        WHERE placed.tenant_id = %s
            AND placed.valid_from <= %s AND (placed.valid_to IS NULL OR placed.valid_to > %s)
    ) SELECT account_id FROM above
"""


def placements_on(actor: Actor, day: date) -> QuerySet[Placement]:
    """Return the tenant's placements that hold on a day, whether in sight or not."""
    return Placement.objects.filter(holding_on(actor, day)).order_by()


def lies_below(actor: Actor, top_id: UUID, as_of: date | None) -> Q:
    """Return a condition: this account or below it, on a day; None for now."""
    if as_of is None:
        return tree.lies_below(actor.tenant_id, [top_id])
    tenant_id = actor.tenant_id
    params = (tenant_id, top_id, as_of, as_of, tenant_id, as_of, as_of)
    return Q(pk__in=RawSQL(_BELOW_THEN, params))  # noqa: S611 - constant text


def lies_above(actor: Actor, account_ids: Collection[UUID], day: date) -> Q:
    """Return a condition: one of these accounts or above one of them on a day."""
    ids = [str(key) for key in account_ids]
    held = (actor.tenant_id, day, day)
    return Q(pk__in=RawSQL(_ABOVE_THEN, (ids, *held, *held)))  # noqa: S611 - constant text


def is_child(actor: Actor, ids: Sequence[UUID], as_of: date | None) -> Q:
    """Return a condition: directly below one of ``ids`` that is in sight."""
    seen = access.reach(actor, Action.VIEW_ACCOUNT).filter(pk__in=ids).values("pk")
    if as_of is None:
        return Q(node__parent_id__in=seen)
    then = placements_on(actor, as_of).filter(parent_id__in=seen)
    return Q(pk__in=then.values("account_id"))
