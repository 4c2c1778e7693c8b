"""``/api/v1/products`` and ``/api/v1/prices``: what is sold."""

from collections.abc import Callable, Mapping
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
from billing_rules.pricing import Tier
from subscriptions.models import Price, Product
from subscriptions.operations.catalogue import (
    NewPrice,
    archive_price,
    archive_product,
    create_price,
    create_product,
    edit_price,
    edit_product,
    reopen_price,
    reopen_product,
)
from subscriptions.queries import catalogue
from subscriptions.queries.meters import get_meter
from subscriptions.serializers.catalogue import (
    PriceIn,
    PriceOut,
    PriceParameters,
    PricePatchIn,
    ProductIn,
    ProductOut,
    ProductPatchIn,
)
from tenancy.actor import Actor
from tenancy.api.answering import ActorApiRequest, ActorView, created, many, tagged, tried
from tenancy.api.preconditions import require_match, require_named
from tenancy.api.reading import InvalidBody, InvalidParameters, pointer, read_body, read_parameters
from tenancy.errors import FieldError, Invalid, NotFound
from tenancy.queries.paging import Order


class ProductList(ActorView):
    """``/api/v1/products``."""

    scopes: ClassVar = {"GET": Action.VIEW_SUBSCRIPTION, "POST": Action.EDIT_CATALOGUE}
    keyset: ClassVar = Order("name")

    @extend_schema(
        operation_id="list_products",
        parameters=[PageParameters],
        responses=ProductOut(many=True),
    )
    def get(self, request: ActorApiRequest) -> Response:
        """List products by name."""
        self.parameters(request, PageParameters)
        page = self.page(catalogue.products(request.actor), request)
        return self.listed(many(ProductOut, page))

    @extend_schema(
        operation_id="create_product",
        parameters=[DryRunParameters],
        request=ProductIn,
        responses={200: ProductOut, 201: ProductOut},
    )
    def post(self, request: ActorApiRequest) -> HttpResponseBase:
        """Add a product."""
        is_dry = is_dry_run(request)
        values = read_body(request, ProductIn)
        with tried(is_dry_run=is_dry):
            product = create_product(
                request.actor,
                name=values["name"],
                external_id=values.get("external_id"),
                now=timezone.now(),
            )
        return created(request, ProductOut(product).data, product.public_id, is_new=not is_dry)


class ProductDetail(ActorView):
    """``/api/v1/products/{id}``."""

    scopes: ClassVar = {"GET": Action.VIEW_SUBSCRIPTION, "PATCH": Action.EDIT_CATALOGUE}

    @extend_schema(operation_id="get_product", responses=ProductOut)
    def get(self, request: ActorApiRequest, product: str) -> HttpResponseBase:
        """Show a product."""
        self.parameters(request, NoParameters)
        found = catalogue.get_product(request.actor, product)
        return tagged(request, ProductOut(found).data)

    @extend_schema(
        operation_id="edit_product",
        parameters=[DryRunParameters],
        request=ProductPatchIn,
        responses=ProductOut,
    )
    def patch(self, request: ActorApiRequest, product: str) -> HttpResponseBase:
        """Call a product something else; what is left out stays."""
        actor, is_dry = request.actor, is_dry_run(request)
        values = read_body(request, ProductPatchIn)
        found = catalogue.get_product(actor, product)
        with tried(is_dry_run=is_dry):
            changed = edit_product(
                actor,
                found.pk,
                values,
                require_seen=_product_seen(request, found),
                now=timezone.now(),
            )
        return tagged(request, ProductOut(changed).data)


class ProductArchival(ActorView):
    """``POST /api/v1/products/{id}/archival``."""

    scopes: ClassVar = {"POST": Action.EDIT_CATALOGUE}

    @extend_schema(
        operation_id="archive_product",
        parameters=[DryRunParameters],
        request=None,
        responses=ProductOut,
    )
    def post(self, request: ActorApiRequest, product: str) -> HttpResponseBase:
        """Sell a product no longer; what runs goes on."""
        return _put_product(request, product, archive_product)


class ProductReopening(ActorView):
    """``POST /api/v1/products/{id}/reopening``."""

    scopes: ClassVar = {"POST": Action.EDIT_CATALOGUE}

    @extend_schema(
        operation_id="reopen_product",
        parameters=[DryRunParameters],
        request=None,
        responses=ProductOut,
    )
    def post(self, request: ActorApiRequest, product: str) -> HttpResponseBase:
        """Sell an archived product again."""
        return _put_product(request, product, reopen_product)


class PriceList(ActorView):
    """``/api/v1/prices``."""

    scopes: ClassVar = {"GET": Action.VIEW_SUBSCRIPTION, "POST": Action.EDIT_CATALOGUE}
    keyset: ClassVar = Order("created_at", is_falling=True)

    @extend_schema(
        operation_id="list_prices",
        parameters=[PriceParameters],
        responses=PriceOut(many=True),
    )
    def get(self, request: ActorApiRequest) -> Response:
        """List prices, the latest first."""
        actor, values = request.actor, self.parameters(request, PriceParameters)
        product = _product(actor, values, InvalidParameters) if "product" in values else None
        found = catalogue.prices(
            actor,
            product_id=None if product is None else product.pk,
            currency=values.get("currency"),
        )
        return self.listed(many(PriceOut, self.page(found, request)))

    @extend_schema(
        operation_id="create_price",
        parameters=[DryRunParameters],
        request=PriceIn,
        responses={200: PriceOut, 201: PriceOut},
    )
    def post(self, request: ActorApiRequest) -> HttpResponseBase:
        """Give a product a price."""
        actor, is_dry = request.actor, is_dry_run(request)
        values = read_body(request, PriceIn)
        product = _product(actor, values, InvalidBody)
        with tried(is_dry_run=is_dry):
            price = create_price(
                actor,
                product.pk,
                _wanted(actor, product, values),
                today=actor.today,
                now=timezone.now(),
            )
        return created(request, PriceOut(price).data, price.public_id, is_new=not is_dry)


class PriceDetail(ActorView):
    """``/api/v1/prices/{id}``."""

    scopes: ClassVar = {"GET": Action.VIEW_SUBSCRIPTION, "PATCH": Action.EDIT_CATALOGUE}

    @extend_schema(operation_id="get_price", responses=PriceOut)
    def get(self, request: ActorApiRequest, price: str) -> HttpResponseBase:
        """Show a price."""
        self.parameters(request, NoParameters)
        return tagged(request, PriceOut(catalogue.get_price(request.actor, price)).data)

    @extend_schema(
        operation_id="edit_price",
        description="Change a price that nobody has, or how it is called. `If-Match` is demanded"
        " (428).",
        parameters=[DryRunParameters],
        request=PricePatchIn,
        responses=PriceOut,
    )
    def patch(self, request: ActorApiRequest, price: str) -> HttpResponseBase:
        """Change a price that nobody has, or how it is called; what is left out stays."""
        actor, is_dry = request.actor, is_dry_run(request)
        values = read_body(request, PricePatchIn)
        found = catalogue.get_price(actor, price)
        require_named(request)
        with tried(is_dry_run=is_dry):
            changed = edit_price(
                actor,
                found.pk,
                _changes(actor, values),
                require_seen=price_seen(request, found),
                today=actor.today,
                now=timezone.now(),
            )
        return tagged(request, PriceOut(changed).data)


class PriceArchival(ActorView):
    """``POST /api/v1/prices/{id}/archival``."""

    scopes: ClassVar = {"POST": Action.EDIT_CATALOGUE}

    @extend_schema(
        operation_id="archive_price",
        parameters=[DryRunParameters],
        request=None,
        responses=PriceOut,
    )
    def post(self, request: ActorApiRequest, price: str) -> HttpResponseBase:
        """Sell nothing new at a price; what runs goes on."""
        return _put_price(request, price, archive_price)


class PriceReopening(ActorView):
    """``POST /api/v1/prices/{id}/reopening``."""

    scopes: ClassVar = {"POST": Action.EDIT_CATALOGUE}

    @extend_schema(
        operation_id="reopen_price",
        parameters=[DryRunParameters],
        request=None,
        responses=PriceOut,
    )
    def post(self, request: ActorApiRequest, price: str) -> HttpResponseBase:
        """Sell at an archived price again."""
        return _put_price(request, price, reopen_price)


def is_dry_run(request: ActorApiRequest) -> bool:
    """Return whether a request only asks what would be."""
    return bool(read_parameters(request, DryRunParameters)["dry_run"] == "true")


def _put_product(
    request: ActorApiRequest, reference: str, put: Callable[..., Product]
) -> HttpResponseBase:
    """Archive a product, or sell it again."""
    is_dry = is_dry_run(request)
    found = catalogue.get_product(request.actor, reference)
    with tried(is_dry_run=is_dry):
        seen = _product_seen(request, found)
        product = put(request.actor, found.pk, require_seen=seen, now=timezone.now())
    return tagged(request, ProductOut(product).data)


def _put_price(
    request: ActorApiRequest, reference: str, put: Callable[..., Price]
) -> HttpResponseBase:
    """Sell nothing more at a price, or sell at it again."""
    is_dry = is_dry_run(request)
    found = catalogue.get_price(request.actor, reference)
    with tried(is_dry_run=is_dry):
        seen = price_seen(request, found)
        price = put(request.actor, found.pk, require_seen=seen, now=timezone.now())
    return tagged(request, PriceOut(price).data)


def _product_seen(request: ActorApiRequest, found: Product) -> Callable[[], object]:
    def shown() -> Mapping[str, Any]:
        return ProductOut(catalogue.get_product(request.actor, found.public_id)).data

    return lambda: require_match(request, shown)


def price_seen(request: ActorApiRequest, found: Price) -> Callable[[], object]:
    """Return what refuses a change of a price that is not as the caller has seen it."""

    def shown() -> Mapping[str, Any]:
        return PriceOut(catalogue.get_price(request.actor, found.public_id)).data

    return lambda: require_match(request, shown)


def _changes(actor: Actor, values: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a body changes of a price."""
    changes = dict(values)
    if "meter" in changes:
        del changes["meter"]
        changes["meter_id"] = _meter(actor, values)
    if "tiers" in changes:
        changes["tiers"] = tiers_of(changes)
    return changes


def _product(actor: Actor, values: Mapping[str, Any], refusal: type[Invalid]) -> Product:
    try:
        return catalogue.get_product(actor, values["product"])
    except NotFound as error:
        wrong = FieldError("not_found", _("There is no such product."), pointer("product"))
        raise refusal(errors=[wrong]) from error


def _wanted(actor: Actor, product: Product, values: Mapping[str, Any]) -> NewPrice:
    """Return the price that a body describes; what it leaves out is as the operation says."""
    given = {
        name: value
        for name, value in values.items()
        if name not in {"product", "tiers", "meter"} and value is not None
    }
    meter_id = _meter(actor, values)
    return NewPrice(
        **{"name": product.name, **given, "tiers": tiers_of(values), "meter_id": meter_id}
    )


def _meter(actor: Actor, values: Mapping[str, Any]) -> UUID | None:
    """Return the meter that a body names.

    Raises:
        InvalidBody: there is none.
    """
    if values.get("meter") is None:
        return None
    try:
        return get_meter(actor, values["meter"]).pk
    except NotFound as error:
        wrong = FieldError("not_found", _("There is no such meter."), "/meter")
        raise InvalidBody(errors=[wrong]) from error


def price_named(actor: Actor, values: Mapping[str, Any], refusal: type[Invalid]) -> Price:
    """Return the price that a body names.

    Raises:
        Invalid: there is none; ``refusal`` says of what it is a part.
    """
    try:
        return catalogue.get_price(actor, values["price"])
    except NotFound as error:
        wrong = FieldError("not_found", _("There is no such price."), pointer("price"))
        raise refusal(errors=[wrong]) from error


def tiers_of(values: Mapping[str, Any]) -> tuple[Tier, ...]:
    """Return the tiers of a body."""
    return tuple(
        Tier(tier["up_to"], tier["unit_amount"], tier.get("flat_amount", Decimal(0)))
        for tier in values.get("tiers", ())
    )
