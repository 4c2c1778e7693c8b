"""``/api/v1/products`` and ``/api/v1/prices``: what is sold."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, ClassVar

from django.http.response import HttpResponseBase
from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework.response import Response

from accounts.access import Action
from accounts.serializers.parts import NoParameters, PageParameters
from billing_rules.pricing import Tier
from subscriptions.models import Product
from subscriptions.operations.catalogue import NewPrice, create_price, create_product
from subscriptions.queries import catalogue
from subscriptions.serializers.catalogue import (
    PriceIn,
    PriceOut,
    PriceParameters,
    ProductIn,
    ProductOut,
)
from tenancy.actor import Actor
from tenancy.api.answering import ActorApiRequest, ActorView, many, tagged
from tenancy.api.reading import InvalidBody, InvalidParameters, pointer, read_body
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

    @extend_schema(operation_id="create_product", request=ProductIn, responses={201: ProductOut})
    def post(self, request: ActorApiRequest) -> Response:
        """Add a product."""
        self.parameters(request, NoParameters)
        values = read_body(request, ProductIn)
        product = create_product(
            request.actor,
            name=values["name"],
            external_id=values.get("external_id"),
            now=timezone.now(),
        )
        address = request.build_absolute_uri(f"{request.path}/{product.public_id}")
        return Response(ProductOut(product).data, status=201, headers={"Location": address})


class ProductDetail(ActorView):
    """``GET /api/v1/products/{id}``."""

    scopes: ClassVar = {"GET": Action.VIEW_SUBSCRIPTION}

    @extend_schema(operation_id="get_product", responses=ProductOut)
    def get(self, request: ActorApiRequest, product: str) -> HttpResponseBase:
        """Show a product."""
        self.parameters(request, NoParameters)
        found = catalogue.get_product(request.actor, product)
        return tagged(request, ProductOut(found).data)


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

    @extend_schema(operation_id="create_price", request=PriceIn, responses={201: PriceOut})
    def post(self, request: ActorApiRequest) -> Response:
        """Give a product a price."""
        self.parameters(request, NoParameters)
        actor, values = request.actor, read_body(request, PriceIn)
        product = _product(actor, values, InvalidBody)
        price = create_price(
            actor, product.pk, _wanted(product, values), today=actor.today, now=timezone.now()
        )
        address = request.build_absolute_uri(f"{request.path}/{price.public_id}")
        return Response(PriceOut(price).data, status=201, headers={"Location": address})


class PriceDetail(ActorView):
    """``GET /api/v1/prices/{id}``."""

    scopes: ClassVar = {"GET": Action.VIEW_SUBSCRIPTION}

    @extend_schema(operation_id="get_price", responses=PriceOut)
    def get(self, request: ActorApiRequest, price: str) -> HttpResponseBase:
        """Show a price."""
        self.parameters(request, NoParameters)
        return tagged(request, PriceOut(catalogue.get_price(request.actor, price)).data)


def _product(actor: Actor, values: Mapping[str, Any], refusal: type[Invalid]) -> Product:
    try:
        return catalogue.get_product(actor, values["product"])
    except NotFound as error:
        wrong = FieldError("not_found", _("There is no such product."), pointer("product"))
        raise refusal(errors=[wrong]) from error


def _wanted(product: Product, values: Mapping[str, Any]) -> NewPrice:
    """Return the price that a body describes; what it leaves out is as the operation says."""
    given = {
        name: value
        for name, value in values.items()
        if name not in {"product", "tiers"} and value is not None
    }
    tiers = [
        Tier(tier["up_to"], tier["unit_amount"], tier.get("flat_amount", Decimal(0)))
        for tier in values.get("tiers", ())
    ]
    return NewPrice(**{"name": product.name, **given, "tiers": tiers})
