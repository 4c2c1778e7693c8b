"""Plans that are possible one by one, and together would put accounts below themselves."""

from collections.abc import Iterator, Mapping, Sequence
from uuid import UUID

from django.utils.translation import gettext_lazy as _

from accounts import tree
from accounts.models import AccountNode
from invoicing.models import ChangePlan
from invoicing.queries.plans.standing import Standing
from invoicing.queries.plans.wanted import Wanted, moves_of
from tenancy.actor import Actor
from tenancy.errors import Conflict

_PLACING = (
    ChangePlan.Kind.MOVE,
    ChangePlan.Kind.CLOSING,
    ChangePlan.Kind.PROMOTION,
    ChangePlan.Kind.MERGE,
)
_TAKING = (ChangePlan.Kind.CLOSING, ChangePlan.Kind.MERGE)
"""Those below the account go elsewhere."""


class PlansMakeCircle(Conflict):
    """Whichever of two plans is carried out second would find its account below itself."""

    code = "plans_make_circle"
    message = _(
        "Together with the change of %(account)s that is planned for %(day)s, accounts would stand"
        " below themselves. Withdraw that plan first, or choose another place."
    )


def require_no_circle(standing: Standing) -> None:
    """Return if the plan goes together with all that are open. At most three statements.

    Raises:
        PlansMakeCircle: see its text.
    """
    if not standing.moves:
        return
    actor = standing.actor
    others = list(
        ChangePlan.objects.filter(
            tenant_id=actor.tenant_id, status__in=ChangePlan.OPEN, kind__in=_PLACING
        )
        .exclude(account_id=standing.wanted.account_id)
        .select_related("account")
        .order_by("effective_date", "id")
    )
    if not others:
        return
    wanted = [Wanted.of(plan) for plan in others]
    parents = _parents(actor, standing, wanted)
    planned: dict[UUID, ChangePlan] = {}
    after = dict(parents)
    for plan, one in zip(others, wanted, strict=True):
        for key, parent_id in moves_of(one, parents):
            after[key], planned[key] = parent_id, plan
    after |= dict(standing.moves)
    for key, _parent_id in standing.moves:
        for step in _circle(after, key):
            if step in planned:
                other = planned[step]
                raise PlansMakeCircle(account=other.account.name, day=other.effective_date)


def _parents(actor: Actor, standing: Standing, wanted: Sequence[Wanted]) -> dict[UUID, UUID | None]:
    """Return where accounts stand that plans name, all above them, and the children of some."""
    named = {*standing.parents, *(key for key, up in standing.moves), *_targets(standing.moves)}
    for one in wanted:
        named |= {one.account_id, *(key for key, _up in one.places), *_targets(one.places)}
        if one.target_id is not None:
            named.add(one.target_id)
    parents = dict(tree.with_those_above(actor.tenant_id, named))
    closing = [one.account_id for one in wanted if one.kind in _TAKING]
    rising = [one.account_id for one in wanted if one.kind == ChangePlan.Kind.PROMOTION]
    around = {*closing, *(parents[key] for key in rising)} - {None}
    if around:
        nodes = AccountNode.objects.filter(tenant_id=actor.tenant_id, parent_id__in=around)
        parents |= dict(nodes.order_by().values_list("account_id", "parent_id"))
    return parents


def _targets(moves: Sequence[tuple[UUID, UUID | None]]) -> set[UUID]:
    return {parent_id for _key, parent_id in moves if parent_id is not None}


def _circle(parents: Mapping[UUID, UUID | None], key: UUID) -> Iterator[UUID]:
    """Yield the accounts above one, if going up leads back to it."""
    way, up = [key], parents.get(key)
    while up is not None and up not in way:
        way.append(up)
        up = parents.get(up)
    if up == key:
        yield from way
