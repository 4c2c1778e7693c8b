"""``/api/v1/plans``: what is sold together."""

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any, ClassVar
from uuid import UUID

from django.http.response import HttpResponseBase
from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework.response import Response

from accounts.access import Action
from accounts.serializers.parts import DryRunParameters, NoParameters, PageParameters
from billing_rules.periods import Interval, Unit
from subscriptions.models import Plan
from subscriptions.operations.plans.checking import NewPlan, NewPlanItem, plan_as_wanted
from subscriptions.operations.plans.keeping import (
    archive_plan,
    create_plan,
    edit_plan,
    reopen_plan,
)
from subscriptions.operations.plans.starting import PlanChoice
from subscriptions.operations.subscriptions.contracting import Contract
from subscriptions.queries import catalogue
from subscriptions.queries.plans import get_plan, plan_key, plans, subscriptions_with
from subscriptions.serializers.plans import (
    CataloguePlanIn,
    CataloguePlanOnPageOut,
    CataloguePlanOut,
    CataloguePlanPatchIn,
)
from tenancy.actor import Actor
from tenancy.api.answering import ActorApiRequest, ActorView, created, tagged, tried
from tenancy.api.preconditions import require_match
from tenancy.api.reading import InvalidBody, read_body, read_parameters
from tenancy.errors import FieldError, NotFound
from tenancy.queries.paging import Order


class PlanList(ActorView):
    """``/api/v1/plans``."""

    scopes: ClassVar = {"GET": Action.VIEW_SUBSCRIPTION, "POST": Action.EDIT_CATALOGUE}
    keyset: ClassVar = Order("name")

    @extend_schema(
        operation_id="list_catalogue_plans",
        parameters=[PageParameters],
        responses=CataloguePlanOnPageOut(many=True),
    )
    def get(self, request: ActorApiRequest) -> Response:
        """List plans by name, with how many subscriptions have them."""
        self.parameters(request, PageParameters)
        page = self.page(plans(request.actor), request)
        counts = subscriptions_with(request.actor, [one.pk for one in page])
        shown: Any = CataloguePlanOnPageOut(page, many=True, context={"counts": counts})
        return self.listed(shown.data)

    @extend_schema(
        operation_id="create_catalogue_plan",
        parameters=[DryRunParameters],
        request=CataloguePlanIn,
        responses={200: CataloguePlanOut, 201: CataloguePlanOut},
    )
    def post(self, request: ActorApiRequest) -> HttpResponseBase:
        """Add a plan to the catalogue."""
        actor, is_dry_run = request.actor, _is_dry_run(request)
        values = read_body(request, CataloguePlanIn)
        wanted = NewPlan(
            name=values["name"],
            items=_items(actor, values["items"]),
            external_id=values.get("external_id"),
            trial_days=values.get("trial_days"),
            contract=_contract(values.get("contract") or {}),
        )
        with tried(is_dry_run=is_dry_run):
            plan = create_plan(actor, wanted, now=timezone.now())
            shown = CataloguePlanOut(get_plan(actor, plan.public_id)).data
        return created(request, shown, plan.public_id, is_new=not is_dry_run)


class PlanOne(ActorView):
    """``/api/v1/plans/{id}``."""

    scopes: ClassVar = {"GET": Action.VIEW_SUBSCRIPTION, "PATCH": Action.EDIT_CATALOGUE}

    @extend_schema(operation_id="get_catalogue_plan", responses=CataloguePlanOut)
    def get(self, request: ActorApiRequest, bundle: str) -> HttpResponseBase:
        """Show a plan."""
        self.parameters(request, NoParameters)
        return tagged(request, _shown(request.actor, bundle))

    @extend_schema(
        operation_id="edit_catalogue_plan",
        parameters=[DryRunParameters],
        request=CataloguePlanPatchIn,
        responses=CataloguePlanOut,
    )
    def patch(self, request: ActorApiRequest, bundle: str) -> HttpResponseBase:
        """Change a plan for what begins with it from now on; what has begun stays as it is."""
        actor, is_dry_run = request.actor, _is_dry_run(request)
        values = read_body(request, CataloguePlanPatchIn)
        found = get_plan(actor, bundle)
        wanted = _changed(actor, found, values)
        with tried(is_dry_run=is_dry_run):
            edit_plan(
                actor, found.pk, wanted, require_seen=_seen(request, found), now=timezone.now()
            )
            shown = _shown(actor, found.public_id)
        return tagged(request, shown)


class PlanArchival(ActorView):
    """``POST /api/v1/plans/{id}/archival``."""

    scopes: ClassVar = {"POST": Action.EDIT_CATALOGUE}

    @extend_schema(
        operation_id="archive_catalogue_plan",
        parameters=[DryRunParameters],
        request=None,
        responses=CataloguePlanOut,
    )
    def post(self, request: ActorApiRequest, bundle: str) -> HttpResponseBase:
        """Let nothing new begin with a plan; what runs goes on."""
        return _put(request, bundle, archive_plan)


class PlanReopening(ActorView):
    """``POST /api/v1/plans/{id}/reopening``."""

    scopes: ClassVar = {"POST": Action.EDIT_CATALOGUE}

    @extend_schema(
        operation_id="reopen_catalogue_plan",
        parameters=[DryRunParameters],
        request=None,
        responses=CataloguePlanOut,
    )
    def post(self, request: ActorApiRequest, bundle: str) -> HttpResponseBase:
        """Let subscriptions begin with an archived plan again."""
        return _put(request, bundle, reopen_plan)


def plan_choice(
    actor: Actor, values: Mapping[str, Any], items: Sequence[Mapping[str, Any]]
) -> PlanChoice:
    """Return the plan of a body, its variant, quantities and add-ons.

    Raises:
        InvalidBody: the plan or a price is unknown, or a price is named twice.
    """
    try:
        plan_id = plan_key(actor, values["plan"])
    except NotFound:
        detail = _("There is no such plan.")
        raise InvalidBody(errors=[FieldError("not_found", detail, "/plan")]) from None
    quantities: dict[UUID, Decimal | None] = {}
    errors = []
    for place, item in enumerate(items):
        at = f"/items/{place}/price"
        try:
            price_id = catalogue.price_key(actor, item["price"])
        except NotFound:
            errors.append(FieldError("not_found", _("There is no such price."), at))
            continue
        if price_id in quantities:
            errors.append(FieldError("named_twice", _("A plan has each price once."), at))
        quantities[price_id] = item.get("quantity")
    if errors:
        raise InvalidBody(errors=errors)
    unit, currency = values.get("interval"), values.get("currency")
    interval = Interval(Unit(unit), values.get("interval_count", 1)) if unit else None
    return PlanChoice(plan_id, currency or None, interval, quantities)


def _is_dry_run(request: ActorApiRequest) -> bool:
    return bool(read_parameters(request, DryRunParameters)["dry_run"] == "true")


def _shown(actor: Actor, reference: str) -> dict[str, Any]:
    return dict(CataloguePlanOut(get_plan(actor, reference)).data)


def _put(request: ActorApiRequest, reference: str, put: Callable[..., Plan]) -> HttpResponseBase:
    is_dry_run = _is_dry_run(request)
    found = get_plan(request.actor, reference)
    with tried(is_dry_run=is_dry_run):
        put(request.actor, found.pk, require_seen=_seen(request, found), now=timezone.now())
        shown = _shown(request.actor, found.public_id)
    return tagged(request, shown)


def _seen(request: ActorApiRequest, found: Plan) -> Callable[[], object]:
    return lambda: require_match(request, lambda: _shown(request.actor, found.public_id))


def _contract(values: Mapping[str, Any]) -> Contract:
    return Contract(
        values.get("minimum_term_months"),
        values.get("renewal_months"),
        values.get("notice_months", 0),
        values.get("notice_days", 0),
    )


def _items(actor: Actor, given: Sequence[Mapping[str, Any]]) -> list[NewPlanItem]:
    """Return the items of a body with the keys of their prices; all that are unknown are named."""
    items, errors = [], []
    for place, item in enumerate(given):
        try:
            price_id = catalogue.get_price(actor, item["price"]).pk
        except NotFound:
            detail = _("There is no such price.")
            errors.append(FieldError("not_found", detail, f"/items/{place}/price"))
            continue
        items.append(
            NewPlanItem(
                price_id,
                item.get("quantity", Decimal(1)),
                item.get("addon", False),
                item.get("minimum"),
                item.get("maximum"),
            )
        )
    if errors:
        raise InvalidBody(errors=errors)
    return items


def _changed(actor: Actor, found: Plan, values: Mapping[str, Any]) -> NewPlan:
    """Return a plan as it is to be: what a body leaves out stays."""
    stored = plan_as_wanted(found)
    return NewPlan(
        name=values.get("name", stored.name),
        items=_items(actor, values["items"]) if "items" in values else stored.items,
        external_id=values.get("external_id", stored.external_id),
        trial_days=values.get("trial_days", stored.trial_days),
        contract=_contract(values["contract"] or {}) if "contract" in values else stored.contract,
    )
