"""``/api/v1/accounts/{id}/pools`` and ``/pools``: usage that is charged together."""

from collections.abc import Callable
from typing import Any, ClassVar

from django.http.response import HttpResponseBase
from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework.response import Response

from accounts.access import Action
from accounts.api.accounts import account_detail
from accounts.queries.accounts import get_account, resolve_reference
from accounts.serializers.parts import NoParameters
from invoicing.operations.pools.beginning import InvalidPool, NewPool, begin_pool, end_pool
from invoicing.queries.pooled import pool_outlook
from invoicing.serializers.pools import PoolBegunOut, PoolEffectOut, PoolEndIn, PoolIn, PoolOut
from subscriptions.models import UsagePool
from subscriptions.queries.catalogue import get_price
from subscriptions.queries.pools import get_pool, pools_above
from subscriptions.serializers.catalogue import DryRunParameters
from tenancy.actor import Actor
from tenancy.api.answering import ActorApiRequest, ActorView, many, tagged
from tenancy.api.preconditions import require_match
from tenancy.api.reading import read_body, read_parameters
from tenancy.errors import FieldError, NotFound
from tenancy.queries.tenants import own_tenant


class AccountPools(ActorView):
    """``/api/v1/accounts/{id}/pools``."""

    scopes: ClassVar = {"GET": Action.VIEW_SUBSCRIPTION, "POST": Action.EDIT_CATALOGUE}

    @extend_schema(operation_id="list_pools_of_account", responses=PoolOut(many=True))
    def get(self, request: ActorApiRequest, account: str) -> Response:
        """List the pools of an account and of those above in reach, the newest first."""
        self.parameters(request, NoParameters)
        found = get_account(request.actor, resolve_reference(request.actor, account))
        return Response({"data": many(PoolOut, pools_above(request.actor, found))})

    @extend_schema(
        operation_id="begin_pool",
        description="What the account and all below it use of the price's meter is charged"
        " together from a day on: by this price, shared to the cent.",
        parameters=[DryRunParameters],
        request=PoolIn,
        responses=PoolBegunOut,
    )
    def post(self, request: ActorApiRequest, account: str) -> Response:
        """Let what an account and all below it use be charged together."""
        actor, parameters = request.actor, read_parameters(request, DryRunParameters)
        values = read_body(request, PoolIn)
        key = resolve_reference(actor, account, action=Action.VIEW_SUBSCRIPTION)
        begun = begin_pool(
            actor,
            key,
            NewPool(_price(actor, values["price"]), values["starts"], values.get("ends")),
            is_dry_run=parameters["dry_run"],
            require_seen=lambda: require_match(request, lambda: account_detail(actor, key)),
            today=actor.today,
            now=timezone.now(),
        )
        return Response(PoolBegunOut({"pool": begun.pool, "effect": begun.effect}).data)


class PoolDetail(ActorView):
    """``GET /api/v1/pools/{id}``."""

    scopes: ClassVar = {"GET": Action.VIEW_SUBSCRIPTION}

    @extend_schema(operation_id="get_pool", responses=PoolBegunOut)
    def get(self, request: ActorApiRequest, pool: str) -> HttpResponseBase:
        """Show a pool, and what it comes to by now."""
        self.parameters(request, NoParameters)
        actor = request.actor
        found = get_pool(actor, pool)
        effect = pool_outlook(actor, found, tenant=own_tenant(actor), today=actor.today)
        shown = None if effect is None else PoolEffectOut(effect).data
        return tagged(request, {"pool": PoolOut(found).data, "effect": shown})


class PoolEnding(ActorView):
    """``POST /api/v1/pools/{id}/ending``."""

    scopes: ClassVar = {"POST": Action.EDIT_CATALOGUE}

    @extend_schema(
        operation_id="end_pool", parameters=[DryRunParameters], request=PoolEndIn, responses=PoolOut
    )
    def post(self, request: ActorApiRequest, pool: str) -> HttpResponseBase:
        """End a pool; from then on each is charged alone."""
        actor, parameters = request.actor, read_parameters(request, DryRunParameters)
        values = read_body(request, PoolEndIn)
        found = get_pool(actor, pool)
        ended = end_pool(
            actor,
            found.pk,
            day=values.get("ends"),
            is_dry_run=parameters["dry_run"],
            require_seen=_seen(request, found),
            today=actor.today,
            now=timezone.now(),
        )
        return tagged(request, PoolOut(ended).data)


def _seen(request: ActorApiRequest, found: UsagePool) -> Callable[[], object]:
    """Return what refuses a pool that is not as the caller has seen it."""

    def shown() -> dict[str, Any]:
        actor = request.actor
        one = get_pool(actor, found.public_id)
        effect = pool_outlook(actor, one, tenant=own_tenant(actor), today=actor.today)
        return {
            "pool": PoolOut(one).data,
            "effect": None if effect is None else PoolEffectOut(effect).data,
        }

    return lambda: require_match(request, shown)


def _price(actor: Actor, reference: str) -> Any:
    try:
        return get_price(actor, reference).pk
    except NotFound as error:
        wrong = FieldError("unknown_price", _("There is no such price."), "/price")
        raise InvalidPool(errors=[wrong]) from error
