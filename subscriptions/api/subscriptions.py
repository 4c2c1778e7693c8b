"""``/api/v1/subscriptions``: what accounts subscribe to, beginning and ending it."""

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any, ClassVar, cast
from uuid import UUID

from django.http.response import HttpResponseBase
from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework.response import Response

from accounts.access import Action
from accounts.api.references import referred
from accounts.serializers.parts import NoParameters
from subscriptions.api.plans import plan_choice
from subscriptions.models import Subscription
from subscriptions.operations.subscriptions.contracting import Contract
from subscriptions.operations.subscriptions.creating import (
    NewItem,
    NewSubscription,
    create_subscription,
)
from subscriptions.queries import catalogue
from subscriptions.queries.renewals import renewals
from subscriptions.queries.subscriptions import get_subscription, subscriptions
from subscriptions.serializers.catalogue import DryRunParameters
from subscriptions.serializers.subscriptions import (
    SubscriptionIn,
    SubscriptionOut,
    SubscriptionParameters,
    SubscriptionShown,
)
from tenancy.actor import Actor
from tenancy.api.answering import ActorApiRequest, ActorView, many, tagged
from tenancy.api.reading import InvalidBody, read_body, read_parameters
from tenancy.errors import FieldError, NotFound
from tenancy.queries.paging import Order


class SubscriptionList(ActorView):
    """``/api/v1/subscriptions``."""

    scopes: ClassVar = {"GET": Action.VIEW_SUBSCRIPTION, "POST": Action.EDIT_SUBSCRIPTION}
    keyset: ClassVar = Order("start_date", is_falling=True)

    @extend_schema(
        operation_id="list_subscriptions",
        parameters=[SubscriptionParameters],
        responses=SubscriptionOut(many=True),
    )
    def get(self, request: ActorApiRequest) -> Response:
        """List subscriptions, the latest start first."""
        actor, values = request.actor, self.parameters(request, SubscriptionParameters)
        found = subscriptions(
            actor,
            within=referred(actor, values, "in", Action.VIEW_SUBSCRIPTION),
            account=referred(actor, values, "account", Action.VIEW_SUBSCRIPTION),
            status=values.get("status"),
            today=actor.today,
        )
        page = self.page(found, request)
        return self.listed(many(SubscriptionOut, subscriptions_shown(actor, page)))

    @extend_schema(
        operation_id="create_subscription",
        parameters=[DryRunParameters],
        request=SubscriptionIn,
        responses={200: SubscriptionOut, 201: SubscriptionOut},
    )
    def post(self, request: ActorApiRequest) -> Response:
        """Subscribe an account to one or more prices."""
        actor, parameters = request.actor, read_parameters(request, DryRunParameters)
        values = read_body(request, SubscriptionIn)
        account_id = cast(UUID, referred(actor, values, "account", refusal=InvalidBody))
        subscription = create_subscription(
            actor,
            account_id,
            _wanted(actor, values),
            is_dry_run=parameters["dry_run"],
            now=timezone.now(),
        )
        shown = SubscriptionOut(subscriptions_shown(actor, [subscription])[0]).data
        if parameters["dry_run"]:
            return Response(shown)
        address = request.build_absolute_uri(f"{request.path}/{subscription.public_id}")
        return Response(shown, status=201, headers={"Location": address})


class SubscriptionDetail(ActorView):
    """``GET /api/v1/subscriptions/{id}``."""

    scopes: ClassVar = {"GET": Action.VIEW_SUBSCRIPTION}

    @extend_schema(operation_id="get_subscription", responses=SubscriptionOut)
    def get(self, request: ActorApiRequest, subscription: str) -> HttpResponseBase:
        """Show a subscription, what it costs and what comes next."""
        self.parameters(request, NoParameters)
        return tagged(request, subscription_detail(request.actor, subscription))


def subscriptions_shown(actor: Actor, found: Sequence[Subscription]) -> list[SubscriptionShown]:
    """Return subscriptions as they go out."""
    coming = renewals(actor, found, actor.today)
    return [SubscriptionShown(one, coming[one.pk], actor.today) for one in found]


def subscription_detail(actor: Actor, reference: str) -> dict[str, Any]:
    """Return a subscription as it goes out.

    Raises:
        NotFound: none in reach is named so.
    """
    found = get_subscription(actor, reference, today=actor.today)
    return dict(SubscriptionOut(subscriptions_shown(actor, [found])[0]).data)


def effective_day(text: str, today: date) -> date | None:
    """Return the day that a body names, None for the end of the period.

    Raises:
        InvalidBody: it is neither a word that is known nor a day.
    """
    if text == "period_end":
        return None
    if text == "now":
        return today
    try:
        day = date.fromisoformat(text)
    except ValueError:
        day = None
    if day is None or day.isoformat() != text:
        detail = _("“period_end”, “now” or a date written YYYY-MM-DD is expected.")
        raise InvalidBody(errors=[FieldError("invalid", detail, "/effective")])
    return day


def wanted_contract(values: Mapping[str, Any]) -> Contract:
    """Return the contract terms of a body."""
    return Contract(
        minimum_term_months=values.get("minimum_term_months"),
        renewal_months=values.get("renewal_months"),
        notice_months=values.get("notice_months", 0),
        notice_days=values.get("notice_days", 0),
        term_start=values.get("term_start"),
    )


def _wanted(actor: Actor, values: Mapping[str, Any]) -> NewSubscription:
    contract = values.get("contract")
    given, plan = values.get("items", ()), None
    if values.get("plan") is not None:
        plan, given = plan_choice(actor, values, given), ()
    elif "items" not in values:
        detail = _("Items or a plan are expected.")
        raise InvalidBody(errors=[FieldError("required", detail, "/items")])
    return NewSubscription(
        items=_items(actor, given),
        plan=plan,
        start_date=values["start_date"],
        end_date=values.get("end_date"),
        billed_until=values.get("billed_until"),
        trial_days=values.get("trial_days"),
        billing_day=values.get("billing_day"),
        bill_to_id=referred(actor, values, "bill_to", refusal=InvalidBody),
        po_number=values.get("po_number", ""),
        external_id=values.get("external_id"),
        coupon=values.get("coupon") or "",
        contract=None if contract is None else wanted_contract(contract),
    )


def _items(actor: Actor, given: Sequence[Mapping[str, Any]]) -> list[NewItem]:
    """Return the items of a body with the keys of their prices; all that are unknown are named."""
    items, errors = [], []
    for place, item in enumerate(given):
        try:
            price_id = catalogue.price_key(actor, item["price"])
        except NotFound:
            detail = _("There is no such price.")
            errors.append(FieldError("not_found", detail, f"/items/{place}/price"))
            continue
        quantity = item.get("quantity", Decimal(1))
        items.append(NewItem(price_id, quantity, item.get("exact", False)))
    if errors:
        raise InvalidBody(errors=errors)
    return items
