"""``/api/v1/subscriptions/{id}/…``: changed, paused, resumed, ended and reactivated."""

from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any, ClassVar, TypedDict
from uuid import UUID

from django.http.response import HttpResponseBase
from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework.response import Response

from accounts.access import Action
from accounts.serializers.parts import NoParameters
from invoicing.models import Charge
from invoicing.operations.subscriptions.binding import Bound, change_contract
from invoicing.operations.subscriptions.changing import Changed, change_subscription
from invoicing.operations.subscriptions.ending import (
    Ended,
    cancel_subscription,
    reactivate_subscription,
)
from invoicing.operations.subscriptions.pausing import (
    Paused,
    pause_subscription,
    resume_subscription,
)
from invoicing.operations.subscriptions.replanning import change_plan
from invoicing.operations.subscriptions.wanting import ItemAddition, ItemChange
from invoicing.queries.charges import explanation_of
from invoicing.serializers.charges import (
    ChargeOut,
    ChargeShown,
    EndedSubscriptionOut,
    SubscriptionChangeOut,
)
from invoicing.tasks import rewrite_soon
from subscriptions.api.plans import plan_choice
from subscriptions.api.subscriptions import (
    effective_day,
    subscription_detail,
    subscriptions_shown,
    wanted_contract,
)
from subscriptions.models import Item, Subscription
from subscriptions.queries import catalogue
from subscriptions.queries.subscriptions import get_subscription
from subscriptions.serializers.catalogue import DryRunParameters
from subscriptions.serializers.plans import PlanChangeIn
from subscriptions.serializers.subscriptions import (
    CancellationIn,
    ChangeIn,
    ContractChangeIn,
    PauseIn,
    ResumptionIn,
    SubscriptionOut,
)
from tenancy.actor import Actor
from tenancy.api.answering import ActorApiRequest, ActorView, many, tagged
from tenancy.api.preconditions import require_match
from tenancy.api.reading import InvalidBody, read_body, read_parameters
from tenancy.errors import FieldError, NotFound
from tenancy.ids import parse_public_id

_TERM_END = "term_end"


class SubscriptionTerms(ActorView):
    """``POST /api/v1/subscriptions/{id}/changes``."""

    scopes: ClassVar = {"POST": Action.EDIT_SUBSCRIPTION}

    @extend_schema(
        operation_id="change_subscription",
        parameters=[DryRunParameters],
        request=ChangeIn,
        responses=SubscriptionChangeOut,
    )
    def post(self, request: ActorApiRequest, subscription: str) -> Response:
        """Let items cost something else from a day on, and make good what was charged since."""
        actor, parameters = request.actor, read_parameters(request, DryRunParameters)
        values = read_body(request, ChangeIn)
        found = get_subscription(actor, subscription, today=actor.today)
        result = change_subscription(
            actor,
            found.pk,
            _item_changes(actor, found, values["items"]),
            day=effective_day(values.get("effective", "period_end"), actor.today),
            is_billed_now=values.get("bill_now", False),
            is_dry_run=parameters["dry_run"],
            **asked_of(request, subscription),
        )
        return Response(_change_out(actor, result, is_dry_run=parameters["dry_run"]))


class SubscriptionCancellation(ActorView):
    """``POST /api/v1/subscriptions/{id}/cancellation``."""

    scopes: ClassVar = {"POST": Action.EDIT_SUBSCRIPTION}

    @extend_schema(
        operation_id="cancel_subscription",
        parameters=[DryRunParameters],
        request=CancellationIn,
        responses=EndedSubscriptionOut,
    )
    def post(self, request: ActorApiRequest, subscription: str) -> HttpResponseBase:
        """End a subscription with a term, its period, today, or on a day; the rest is credited."""
        actor, parameters = request.actor, read_parameters(request, DryRunParameters)
        values = read_body(request, CancellationIn)
        found = get_subscription(actor, subscription, today=actor.today)
        usual = "period_end" if found.contract_terms is None else _TERM_END
        effective = values.get("effective", usual)
        at_term_end = effective == _TERM_END
        ended = cancel_subscription(
            actor,
            found.pk,
            end_date=None if at_term_end else effective_day(effective, actor.today),
            at_term_end=at_term_end,
            notice_on=values.get("notice_date"),
            override_reason=values.get("override_reason", ""),
            is_billed_now=values.get("bill_now", False),
            is_dry_run=parameters["dry_run"],
            **asked_of(request, subscription),
        )
        if parameters["dry_run"]:
            [shown] = subscriptions_shown(actor, [ended.subscription])
            charges = charges_out(actor, ended.charges)
            return Response({**SubscriptionOut(shown).data, "charges": charges})
        return _answer(request, found, ended)


class SubscriptionContract(ActorView):
    """``POST /api/v1/subscriptions/{id}/contract``."""

    scopes: ClassVar = {"POST": Action.EDIT_SUBSCRIPTION}

    @extend_schema(
        operation_id="change_contract",
        parameters=[DryRunParameters],
        request=ContractChangeIn,
        responses=EndedSubscriptionOut,
    )
    def post(self, request: ActorApiRequest, subscription: str) -> HttpResponseBase:
        """Set minimum term, renewal and notice period; without renewal it ends with its term."""
        actor, parameters = request.actor, read_parameters(request, DryRunParameters)
        values = read_body(request, ContractChangeIn)
        found = get_subscription(actor, subscription, today=actor.today)
        bound = change_contract(
            actor,
            found.pk,
            wanted_contract(values),
            is_billed_now=values.get("bill_now", False),
            is_dry_run=parameters["dry_run"],
            **asked_of(request, subscription),
        )
        if parameters["dry_run"]:
            [shown] = subscriptions_shown(actor, [bound.subscription])
            charges = charges_out(actor, bound.charges)
            return Response({**SubscriptionOut(shown).data, "charges": charges})
        return _answer(request, found, bound)


class SubscriptionPlan(ActorView):
    """``POST /api/v1/subscriptions/{id}/plan``."""

    scopes: ClassVar = {"POST": Action.EDIT_SUBSCRIPTION}

    @extend_schema(
        operation_id="change_plan_of_subscription",
        parameters=[DryRunParameters],
        request=PlanChangeIn,
        responses=SubscriptionChangeOut,
    )
    def post(self, request: ActorApiRequest, subscription: str) -> Response:
        """Replace the items of a subscription by those of a plan, from a day on."""
        actor, parameters = request.actor, read_parameters(request, DryRunParameters)
        values = read_body(request, PlanChangeIn)
        found = get_subscription(actor, subscription, today=actor.today)
        result = change_plan(
            actor,
            found.pk,
            plan_choice(actor, values, values.get("items", ())),
            day=effective_day(values.get("effective", "period_end"), actor.today),
            is_billed_now=values.get("bill_now", False),
            is_dry_run=parameters["dry_run"],
            **asked_of(request, subscription),
        )
        return Response(_change_out(actor, result, is_dry_run=parameters["dry_run"]))


class SubscriptionReactivation(ActorView):
    """``POST /api/v1/subscriptions/{id}/reactivation``."""

    scopes: ClassVar = {"POST": Action.EDIT_SUBSCRIPTION}

    @extend_schema(
        operation_id="reactivate_subscription", request=None, responses=EndedSubscriptionOut
    )
    def post(self, request: ActorApiRequest, subscription: str) -> HttpResponseBase:
        """Take an end back that has not come yet; what was credited is charged again."""
        self.parameters(request, NoParameters)
        actor = request.actor
        found = get_subscription(actor, subscription, today=actor.today)
        ended = reactivate_subscription(
            actor,
            found.pk,
            **asked_of(request, subscription),
        )
        return _answer(request, found, ended)


class SubscriptionPause(ActorView):
    """``POST /api/v1/subscriptions/{id}/pause``."""

    scopes: ClassVar = {"POST": Action.EDIT_SUBSCRIPTION}

    @extend_schema(
        operation_id="pause_subscription",
        parameters=[DryRunParameters],
        request=PauseIn,
        responses=SubscriptionChangeOut,
    )
    def post(self, request: ActorApiRequest, subscription: str) -> Response:
        """Charge nothing from a day on; what was charged for days since is credited."""
        actor, parameters = request.actor, read_parameters(request, DryRunParameters)
        values = read_body(request, PauseIn)
        found = get_subscription(actor, subscription, today=actor.today)
        paused = pause_subscription(
            actor,
            found.pk,
            day=effective_day(values.get("effective", "period_end"), actor.today),
            until=values.get("until"),
            is_billed_now=values.get("bill_now", False),
            is_dry_run=parameters["dry_run"],
            **asked_of(request, subscription),
        )
        return Response(_change_out(actor, paused, is_dry_run=parameters["dry_run"]))


class SubscriptionResumption(ActorView):
    """``POST /api/v1/subscriptions/{id}/resumption``."""

    scopes: ClassVar = {"POST": Action.EDIT_SUBSCRIPTION}

    @extend_schema(
        operation_id="resume_subscription",
        parameters=[DryRunParameters],
        request=ResumptionIn,
        responses=SubscriptionChangeOut,
    )
    def post(self, request: ActorApiRequest, subscription: str) -> Response:
        """Let a paused subscription go on; what is left of a period that has begun is charged."""
        actor, parameters = request.actor, read_parameters(request, DryRunParameters)
        values = read_body(request, ResumptionIn)
        found = get_subscription(actor, subscription, today=actor.today)
        resumed = resume_subscription(
            actor,
            found.pk,
            day=_day_of_going_on(values.get("effective", "now"), actor.today),
            is_billed_now=values.get("bill_now", False),
            is_dry_run=parameters["dry_run"],
            **asked_of(request, subscription),
        )
        return Response(_change_out(actor, resumed, is_dry_run=parameters["dry_run"]))


def _answer(
    request: ActorApiRequest, subscription: Subscription, ended: Ended | Bound
) -> HttpResponseBase:
    """Answer with a subscription as it is now, its tag, and the charges that were made."""
    rewrite_soon(request.actor, ended.charges)
    response = tagged(request, subscription_detail(request.actor, subscription.public_id))
    response.data["charges"] = charges_out(request.actor, ended.charges)  # type: ignore[attr-defined]
    return response


class _Asked(TypedDict):
    """How every change of a subscription is asked for: what was seen of it, and when."""

    require_seen: Callable[[], object]
    today: date
    now: datetime


def asked_of(request: ActorApiRequest, subscription: str) -> _Asked:
    """Return how a change of a subscription is asked for by a request."""

    def require_seen() -> None:
        require_match(request, lambda: subscription_detail(request.actor, subscription))

    return _Asked(require_seen=require_seen, today=request.actor.today, now=timezone.now())


def charges_out(actor: Actor, made: Sequence[Charge]) -> list[dict[str, Any]]:
    """Return charges that were just made, or would be, as they go out."""
    shown = [ChargeShown(charge, None, None, explanation_of(actor, charge)) for charge in made]
    out: list[dict[str, Any]] = many(ChargeOut, shown)
    return out


def _day_of_going_on(text: str, today: date) -> date:
    """Return the day that a body names; there is no running period that could end it.

    Raises:
        InvalidBody: it is neither ``now`` nor a day.
    """
    day = effective_day(text, today)
    if day is None:
        detail = _("“now” or a date written YYYY-MM-DD is expected.")
        raise InvalidBody(errors=[FieldError("invalid", detail, "/effective")])
    return day


def _change_out(actor: Actor, result: Changed | Paused, *, is_dry_run: bool) -> dict[str, Any]:
    if not is_dry_run:
        rewrite_soon(actor, result.charges)
    return {
        "effective_date": result.day.isoformat(),
        "charges": charges_out(actor, result.charges),
        "subscription": subscription_detail(actor, result.subscription.public_id),
    }


def _item_changes(
    actor: Actor, subscription: Subscription, given: Sequence[Mapping[str, Any]]
) -> list[ItemChange | ItemAddition]:
    """Return what a body wants of which items.

    Raises:
        InvalidBody: a price is unknown, or it is not said which item is meant.
    """
    items = sorted(subscription.items.all(), key=lambda item: item.pk)
    changes: list[ItemChange | ItemAddition] = []
    errors: list[FieldError] = []
    for place, one in enumerate(given):
        price_id = None
        if "price" in one:
            try:
                price_id = catalogue.price_key(actor, one["price"])
            except NotFound:
                detail = _("There is no such price.")
                errors.append(FieldError("not_found", detail, f"/items/{place}/price"))
                continue
        if one.get("added", False):
            if price_id is None or "id" in one or one.get("removed", False):
                detail = _("An item that comes in has a price, and no id.")
                errors.append(FieldError("invalid", detail, f"/items/{place}"))
                continue
            quantity = one.get("quantity", Decimal(1))
            changes.append(ItemAddition(price_id, quantity, one.get("exact", False)))
            continue
        item_id = _item_meant(items, one.get("id"), price_id)
        if item_id is None:
            detail = _("Please name which item is meant.")
            errors.append(FieldError("unknown_item", detail, f"/items/{place}/id"))
            continue
        changes.append(
            ItemChange(
                item_id,
                price_id,
                one.get("quantity"),
                one.get("removed", False),
                one.get("exact", False),
            )
        )
    if errors:
        raise InvalidBody(errors=errors)
    return changes


def _item_meant(items: Sequence[Item], named: str | None, price_id: UUID | None) -> UUID | None:
    """Return the item of an id, else the only one, else the one that has the price."""
    if named is not None:
        key = parse_public_id("itm", named)
        return next((item.pk for item in items if item.pk == key), None)
    if len(items) == 1:
        return items[0].pk
    with_price = [item.pk for item in items if price_id in (item.price_id, item.price.family_id)]
    return with_price[0] if len(with_price) == 1 else None
