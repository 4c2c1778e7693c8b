"""Discounts over the API: given to subscriptions, listed, ended."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar, Final

from django.http.response import HttpResponseBase
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.response import Response

from accounts import access
from accounts.access import Action
from accounts.api.accounts import account_detail
from accounts.queries.accounts import get_account, resolve_reference
from accounts.serializers.parts import NoParameters
from invoicing.api.subscription_life import asked_of, charges_out
from invoicing.operations.account_discounts.giving import (
    DiscountedAccount,
    discount_account,
    end_account_discount,
)
from invoicing.operations.account_discounts.outcomes import foreseen
from invoicing.operations.subscriptions.discounting import (
    Discounted,
    discount_subscription,
    end_discount,
)
from invoicing.serializers.discounts import (
    AccountDiscountOut,
    DiscountEndedOut,
    SubscriptionDiscountOut,
)
from invoicing.tasks import discount_soon, rewrite_soon
from subscriptions.api.subscriptions import effective_day, subscription_detail
from subscriptions.models import Discount
from subscriptions.operations.discounts.checking import WantedDiscount
from subscriptions.queries.discounts import discounts_above, discounts_of, get_discount, reaches
from subscriptions.queries.subscriptions import get_subscription
from subscriptions.serializers.catalogue import DryRunParameters
from subscriptions.serializers.discounts import (
    AccountDiscountIn,
    DiscountEndIn,
    DiscountIn,
    DiscountOut,
    DiscountShown,
)
from tenancy.actor import Actor
from tenancy.api.answering import ActorApiRequest, ActorView, many, tagged
from tenancy.api.preconditions import require_match
from tenancy.api.reading import read_body, read_parameters

_MOST_NAMED: Final = 200


class SubscriptionDiscounts(ActorView):
    """``/api/v1/subscriptions/{id}/discounts``."""

    scopes: ClassVar = {"GET": Action.VIEW_SUBSCRIPTION, "POST": Action.EDIT_SUBSCRIPTION}

    @extend_schema(operation_id="list_discounts_of_subscription", responses=DiscountOut(many=True))
    def get(self, request: ActorApiRequest, subscription: str) -> Response:
        """List the discounts of a subscription, and those of accounts that it has, newest first."""
        self.parameters(request, NoParameters)
        found = get_subscription(request.actor, subscription, today=request.actor.today)
        given = discounts_of(request.actor, found)
        return Response({"data": many(DiscountOut, discounts_shown(request.actor, given))})

    @extend_schema(
        operation_id="discount_subscription",
        parameters=[DryRunParameters],
        request=DiscountIn,
        responses=SubscriptionDiscountOut,
    )
    def post(self, request: ActorApiRequest, subscription: str) -> Response:
        """Redeem a coupon for a subscription, or give it a discount, from a day on."""
        actor, parameters = request.actor, read_parameters(request, DryRunParameters)
        values = read_body(request, DiscountIn)
        found = get_subscription(actor, subscription, today=actor.today)
        result = discount_subscription(
            actor,
            found.pk,
            wanted_of(values),
            day=effective_day(values.get("effective", "period_end"), actor.today),
            is_billed_now=values.get("bill_now", False),
            is_dry_run=parameters["dry_run"],
            **asked_of(request, subscription),
        )
        return Response(_out(actor, result, is_dry_run=parameters["dry_run"]))


class AccountDiscounts(ActorView):
    """``/api/v1/accounts/{id}/discounts``."""

    scopes: ClassVar = {"GET": Action.VIEW_SUBSCRIPTION, "POST": Action.EDIT_SUBSCRIPTION}

    @extend_schema(operation_id="list_discounts_of_account", responses=DiscountOut(many=True))
    def get(self, request: ActorApiRequest, account: str) -> Response:
        """List the discounts of an account and of those above in reach, its own first."""
        self.parameters(request, NoParameters)
        found = get_account(request.actor, resolve_reference(request.actor, account))
        given = discounts_above(request.actor, found)
        return Response({"data": many(DiscountOut, discounts_shown(request.actor, given))})

    @extend_schema(
        operation_id="discount_account",
        parameters=[DryRunParameters],
        request=AccountDiscountIn,
        responses=AccountDiscountOut,
    )
    def post(self, request: ActorApiRequest, account: str) -> Response:
        """Give an account and all below it a discount; a job carries it out."""
        actor, parameters = request.actor, read_parameters(request, DryRunParameters)
        values = read_body(request, AccountDiscountIn)
        key = resolve_reference(actor, account)
        result = discount_account(
            actor,
            key,
            wanted_of(values),
            day=values.get("effective") or actor.today,
            is_dry_run=parameters["dry_run"],
            require_seen=lambda: require_match(request, lambda: account_detail(actor, key)),
            today=actor.today,
            now=timezone.now(),
        )
        return Response(_account_out(actor, result))


class DiscountDetail(ActorView):
    """``GET /api/v1/discounts/{id}``."""

    scopes: ClassVar = {"GET": Action.VIEW_SUBSCRIPTION}

    @extend_schema(operation_id="get_discount", responses=DiscountOut)
    def get(self, request: ActorApiRequest, discount: str) -> HttpResponseBase:
        """Show a discount."""
        self.parameters(request, NoParameters)
        return tagged(request, discount_detail(request.actor, discount))


class DiscountEnding(ActorView):
    """``POST /api/v1/discounts/{id}/ending``."""

    scopes: ClassVar = {"POST": Action.EDIT_SUBSCRIPTION}

    @extend_schema(
        operation_id="end_discount",
        parameters=[DryRunParameters],
        request=DiscountEndIn,
        responses=DiscountEndedOut,
    )
    def post(self, request: ActorApiRequest, discount: str) -> Response:
        """End the discount of a subscription; what was charged with it since is made good."""
        actor, parameters = request.actor, read_parameters(request, DryRunParameters)
        values = read_body(request, DiscountEndIn)
        found = get_discount(actor, discount)
        if found.account_id is not None:
            ended = end_account_discount(
                actor,
                found.pk,
                day=effective_day(values.get("effective", "now"), actor.today) or actor.today,
                is_dry_run=parameters["dry_run"],
                require_seen=discount_seen(request, found),
                today=actor.today,
                now=timezone.now(),
            )
            return Response(_account_out(actor, ended))
        result = end_discount(
            actor,
            found.pk,
            day=effective_day(values.get("effective", "period_end"), actor.today),
            is_billed_now=values.get("bill_now", False),
            is_dry_run=parameters["dry_run"],
            require_seen=discount_seen(request, found),
            today=actor.today,
            now=timezone.now(),
        )
        return Response(_out(actor, result, is_dry_run=parameters["dry_run"]))


def discounts_shown(actor: Actor, given: Sequence[Discount]) -> list[DiscountShown]:
    """Return discounts as they go out. Two statements, none without discounts."""
    found = reaches(actor, [one.pk for one in given]) if given else {}
    keys = {one.account_id for one in given if one.account_id is not None}
    seen = access.reach(actor, Action.VIEW_SUBSCRIPTION).in_bulk(keys) if keys else {}
    return [
        DiscountShown(one, found.get(one.pk), seen.get(one.account_id) if one.account_id else None)
        for one in given
    ]


def discount_detail(actor: Actor, reference: str) -> dict[str, Any]:
    """Return a discount as it goes out.

    Raises:
        NotFound: none in reach is named so.
    """
    [shown] = discounts_shown(actor, [get_discount(actor, reference)])
    return dict(DiscountOut(shown).data)


def discount_seen(request: ActorApiRequest, found: Discount) -> Callable[[], object]:
    """Return what refuses a discount that is not as the caller has seen it."""
    return lambda: require_match(request, lambda: discount_detail(request.actor, found.public_id))


def wanted_of(values: Mapping[str, Any]) -> WantedDiscount:
    """Return the discount that a body describes."""
    return WantedDiscount(
        coupon=values.get("coupon", ""),
        name=values.get("name", ""),
        percent=values.get("percent"),
        amount=values.get("amount"),
        currency=values.get("currency") or "",
        until=values.get("until"),
        reason=values.get("reason", ""),
    )


def _account_out(actor: Actor, result: DiscountedAccount) -> dict[str, Any]:
    if result.job is not None:
        discount_soon(actor, result.job.pk)
    given = result.discount
    made_good: dict[str, Any] = {}
    if result.job is None:
        found = foreseen(actor, result.giving, result.subscriptions, today=actor.today)
        changed = [one for one in found.changed if one.charges]
        made_good = {
            "credited_minor": dict(found.credited),
            "charged_minor": dict(found.charged),
            "made_good": [
                {
                    "subscription": one.subscription.public_id,
                    "account": one.subscription.account.public_id,
                    "currency": one.currency,
                    "credited_minor": one.credited_minor,
                    "charged_minor": one.charged_minor,
                }
                for one in changed[:_MOST_NAMED]
            ],
            "is_complete": found.is_complete and len(changed) <= _MOST_NAMED,
        }
    return {
        **made_good,
        "effective_date": result.day.isoformat(),
        "discount": DiscountOut(DiscountShown(given, None, given.account)).data,
        "items": result.items,
        "mrr_before_minor": result.before,
        "mrr_after_minor": result.after,
        "job": None if result.job is None else result.job.public_id,
    }


def _out(actor: Actor, result: Discounted, *, is_dry_run: bool) -> dict[str, Any]:
    if not is_dry_run:
        rewrite_soon(actor, result.charges)
    shown = DiscountShown(result.discount, None, None)
    return {
        "effective_date": result.day.isoformat(),
        "until": result.until and result.until.isoformat(),
        "discount": DiscountOut(shown).data,
        "charges": charges_out(actor, result.charges),
        "subscription": subscription_detail(actor, result.subscription.public_id),
    }
