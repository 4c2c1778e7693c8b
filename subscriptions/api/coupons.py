"""``/api/v1/coupons``: codes for discounts."""

from collections.abc import Callable, Mapping
from typing import Any, ClassVar
from uuid import UUID

from django.http.response import HttpResponseBase
from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework.response import Response

from accounts.access import Action
from accounts.serializers.parts import DryRunParameters, NoParameters, PageParameters
from subscriptions.models import Coupon
from subscriptions.operations.discounts.checking import NewCoupon
from subscriptions.operations.discounts.coupons import (
    archive_coupon,
    create_coupon,
    edit_coupon,
    reopen_coupon,
)
from subscriptions.queries import catalogue
from subscriptions.queries.discounts import coupons, get_coupon, redeemed_counts
from subscriptions.serializers.discounts import CouponIn, CouponOnPageOut, CouponOut, CouponPatchIn
from tenancy.actor import Actor
from tenancy.api.answering import ActorApiRequest, ActorView, created, tagged, tried
from tenancy.api.preconditions import require_match
from tenancy.api.reading import InvalidBody, read_body, read_parameters
from tenancy.errors import FieldError, NotFound
from tenancy.queries.paging import Order


class CouponList(ActorView):
    """``/api/v1/coupons``."""

    scopes: ClassVar = {"GET": Action.VIEW_SUBSCRIPTION, "POST": Action.EDIT_CATALOGUE}
    keyset: ClassVar = Order("code_key")

    @extend_schema(
        operation_id="list_coupons",
        parameters=[PageParameters],
        responses=CouponOnPageOut(many=True),
    )
    def get(self, request: ActorApiRequest) -> Response:
        """List coupons by code."""
        self.parameters(request, PageParameters)
        page = self.page(coupons(request.actor), request)
        counts = redeemed_counts(request.actor, [one.pk for one in page])
        shown: Any = CouponOnPageOut(page, many=True, context={"counts": counts})
        return self.listed(shown.data)

    @extend_schema(
        operation_id="create_coupon",
        parameters=[DryRunParameters],
        request=CouponIn,
        responses={200: CouponOut, 201: CouponOut},
    )
    def post(self, request: ActorApiRequest) -> HttpResponseBase:
        """Make a coupon; what it takes off never changes."""
        actor, is_dry_run = request.actor, _is_dry_run(request)
        values = read_body(request, CouponIn)
        wanted = NewCoupon(
            **{**values, "currency": values.get("currency") or ""}
            | {"products": _products(actor, values.get("products", ()))}
        )
        with tried(is_dry_run=is_dry_run):
            coupon = create_coupon(actor, wanted, today=actor.today, now=timezone.now())
        return created(request, CouponOut(coupon).data, coupon.public_id, is_new=not is_dry_run)


class CouponDetail(ActorView):
    """``/api/v1/coupons/{id}``."""

    scopes: ClassVar = {"GET": Action.VIEW_SUBSCRIPTION, "PATCH": Action.EDIT_CATALOGUE}

    @extend_schema(operation_id="get_coupon", responses=CouponOut)
    def get(self, request: ActorApiRequest, coupon: str) -> HttpResponseBase:
        """Show a coupon."""
        self.parameters(request, NoParameters)
        return tagged(request, CouponOut(get_coupon(request.actor, coupon)).data)

    @extend_schema(
        operation_id="edit_coupon",
        parameters=[DryRunParameters],
        request=CouponPatchIn,
        responses=CouponOut,
    )
    def patch(self, request: ActorApiRequest, coupon: str) -> HttpResponseBase:
        """Change until when and how often a coupon is redeemed; what is left out stays."""
        actor, is_dry_run = request.actor, _is_dry_run(request)
        values = read_body(request, CouponPatchIn)
        found = get_coupon(actor, coupon)
        with tried(is_dry_run=is_dry_run):
            changed = edit_coupon(
                actor, found.pk, values, require_seen=_seen(request, found), now=timezone.now()
            )
        return tagged(request, CouponOut(changed).data)


class CouponArchival(ActorView):
    """``POST /api/v1/coupons/{id}/archival``."""

    scopes: ClassVar = {"POST": Action.EDIT_CATALOGUE}

    @extend_schema(
        operation_id="archive_coupon",
        parameters=[DryRunParameters],
        request=None,
        responses=CouponOut,
    )
    def post(self, request: ActorApiRequest, coupon: str) -> HttpResponseBase:
        """Let nobody redeem a coupon any more; what was redeemed goes on."""
        return _put(request, coupon, archive_coupon)


class CouponReopening(ActorView):
    """``POST /api/v1/coupons/{id}/reopening``."""

    scopes: ClassVar = {"POST": Action.EDIT_CATALOGUE}

    @extend_schema(
        operation_id="reopen_coupon",
        parameters=[DryRunParameters],
        request=None,
        responses=CouponOut,
    )
    def post(self, request: ActorApiRequest, coupon: str) -> HttpResponseBase:
        """Let an archived coupon be redeemed again."""
        return _put(request, coupon, reopen_coupon)


def _is_dry_run(request: ActorApiRequest) -> bool:
    return bool(read_parameters(request, DryRunParameters)["dry_run"] == "true")


def _put(request: ActorApiRequest, reference: str, put: Callable[..., Coupon]) -> HttpResponseBase:
    is_dry_run = _is_dry_run(request)
    found = get_coupon(request.actor, reference)
    with tried(is_dry_run=is_dry_run):
        seen = _seen(request, found)
        coupon = put(request.actor, found.pk, require_seen=seen, now=timezone.now())
    return tagged(request, CouponOut(coupon).data)


def _seen(request: ActorApiRequest, found: Coupon) -> Callable[[], object]:
    def shown() -> Mapping[str, Any]:
        return CouponOut(get_coupon(request.actor, found.public_id)).data

    return lambda: require_match(request, shown)


def _products(actor: Actor, named: list[str]) -> list[UUID]:
    """Return the keys of the products of a body; all that are unknown are named."""
    found, errors = [], []
    for place, reference in enumerate(named):
        try:
            found.append(catalogue.get_product(actor, reference).pk)
        except NotFound:
            detail = _("There is no such product.")
            errors.append(FieldError("not_found", detail, f"/products/{place}"))
    if errors:
        raise InvalidBody(errors=errors)
    return found
