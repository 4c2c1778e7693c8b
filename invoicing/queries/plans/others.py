"""Other plans that a change of places stops: what they were previewed for is not there any more."""

from collections.abc import Iterator
from typing import Final

from invoicing.models import ChangePlan
from invoicing.queries.plans.standing import Standing, named_by
from invoicing.queries.plans.wanted import Wanted

_MOST_READ: Final = 500


def stopped_by(standing: Standing) -> Iterator[ChangePlan]:
    """Yield the open plans that a change of places would stop on their day, the next first.

    A plan depends on where its accounts stand, all above them, and all above whom it names
    (``world_digests``). One statement, none where nothing moves. Those of the same account are left
    out: of two only one is asked for (``OverlappingPlan``).
    """
    if not standing.moves:
        return
    moved = {*standing.scope}
    concerned = moved | {
        above
        for key, _up in standing.moves
        for above in (*standing.path(key), *standing.path_after(key))
    }
    wanted = standing.wanted
    plans = ChangePlan.objects.filter(
        tenant_id=standing.actor.tenant_id,
        status__in=ChangePlan.OPEN,
        effective_date__gte=wanted.day,
    ).exclude(account_id=wanted.account_id)
    found = plans.defer("preview", "world").select_related("account")
    for plan in found.order_by("effective_date", "id")[:_MOST_READ]:
        if plan.account_id in concerned or not moved.isdisjoint(named_by(Wanted.of(plan))):
            yield plan
