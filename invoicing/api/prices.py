"""``…/prices/{id}/versions`` and ``/accounts/{id}/prices``: prices that change on a day."""

from collections.abc import Callable, Mapping
from typing import Any, ClassVar
from uuid import UUID

from django.http.response import HttpResponseBase
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.response import Response

from accounts.access import Action
from accounts.api.accounts import account_detail
from accounts.api.references import referred
from accounts.queries.accounts import get_account, resolve_reference
from accounts.queries.jobs import get_job
from accounts.serializers.parts import NoParameters, PageParameters
from invoicing.operations.prices.beginning import (
    Planned,
    begin_version,
    end_version,
    preview_end,
    preview_version,
)
from invoicing.serializers.prices import (
    EndingIn,
    NegotiatedIn,
    NegotiatedOut,
    PlannedVersionOut,
    PoolsEffectOut,
    PriceEffectOut,
    RepricingJobOut,
    VersionIn,
    VersionOut,
    VersionParameters,
)
from invoicing.tasks import reprice_soon
from subscriptions.api.catalogue import is_dry_run, price_named, price_seen, tiers_of
from subscriptions.models import Price
from subscriptions.operations.catalogue import NewVersion
from subscriptions.queries import catalogue
from subscriptions.queries.price_versions import (
    negotiated,
    owners_in_sight,
    versions_of,
    versions_shown,
)
from subscriptions.serializers.catalogue import DryRunParameters, PriceOut
from tenancy.api.answering import ActorApiRequest, ActorView
from tenancy.api.preconditions import require_match
from tenancy.api.reading import InvalidBody, read_body
from tenancy.ids import key_of, public_id
from tenancy.models import Job
from tenancy.queries.paging import Order

_NOBODY: Mapping[str, Any] = {"account": None}


class PriceVersions(ActorView):
    """``/api/v1/prices/{id}/versions``."""

    scopes: ClassVar = {"GET": Action.VIEW_SUBSCRIPTION, "POST": Action.EDIT_CATALOGUE}
    keyset: ClassVar = Order("created_at")

    @extend_schema(
        operation_id="list_price_versions",
        parameters=[VersionParameters],
        responses=VersionOut(many=True),
    )
    def get(self, request: ActorApiRequest, price: str) -> Response:
        """List all versions of a price in the order in which they were made."""
        actor, values = request.actor, self.parameters(request, VersionParameters)
        account_id = referred(actor, values, "account")
        found = catalogue.get_price(actor, price)
        rows = versions_of(actor, found)
        if account_id is not None:
            rows = rows.filter(account_id=account_id)
        shown = versions_shown(actor, found, self.page(rows, request))
        return self.listed([
            {
                "version": PriceOut(one.price).data,
                "valid_until": one.valid_until and one.valid_until.isoformat(),
                "job": one.job and job_out(one.job),
            }
            for one in shown
        ])  # fmt: skip

    @extend_schema(
        operation_id="create_price_version",
        description="From a day on everything that runs on the price costs something else."
        " Who begins from now on names any version and has the one of the day.",
        parameters=[DryRunParameters],
        request=VersionIn,
        responses={200: PlannedVersionOut, 202: PlannedVersionOut},
    )
    def post(self, request: ActorApiRequest, price: str) -> HttpResponseBase:
        """Let a price cost something else from a day on."""
        is_dry = is_dry_run(request)
        found = catalogue.get_price(request.actor, price)
        values = read_body(request, VersionIn)
        return _begin(request, found, values, None, price_seen(request, found), is_dry=is_dry)


class PriceEnding(ActorView):
    """``POST /api/v1/prices/{id}/ending``."""

    scopes: ClassVar = {"POST": Action.EDIT_CATALOGUE}

    @extend_schema(
        operation_id="end_price_version",
        parameters=[DryRunParameters],
        request=EndingIn,
        responses={200: PlannedVersionOut, 202: PlannedVersionOut},
    )
    def post(self, request: ActorApiRequest, price: str) -> HttpResponseBase:
        """Let a negotiated price end, or take a version back: what is there without it holds."""
        actor, is_dry = request.actor, is_dry_run(request)
        found = catalogue.get_price(actor, price)
        day = read_body(request, EndingIn).get("ends_on")
        if is_dry:
            price_seen(request, found)()
            return _planned(preview_end(actor, found.pk, day, today=actor.today))
        version, job = end_version(
            actor,
            found.pk,
            day,
            require_seen=price_seen(request, found),
            today=actor.today,
            now=timezone.now(),
        )
        return _under_way(request, version, job)


class AccountPrices(ActorView):
    """``/api/v1/accounts/{id}/prices``."""

    scopes: ClassVar = {"GET": Action.VIEW_SUBSCRIPTION, "POST": Action.EDIT_CATALOGUE}
    keyset: ClassVar = Order("created_at")

    @extend_schema(
        operation_id="list_account_prices",
        parameters=[PageParameters],
        responses=NegotiatedOut(many=True),
    )
    def get(self, request: ActorApiRequest, account: str) -> Response:
        """List what is negotiated with an account or one above it, now and later."""
        actor = request.actor
        self.parameters(request, PageParameters)
        key = resolve_reference(actor, account, action=Action.VIEW_SUBSCRIPTION)
        found = negotiated(actor, get_account(actor, key), on=actor.today)
        rows = self.page(found.order_by("created_at", "id"), request)
        seen = owners_in_sight(actor, rows)
        return self.listed([
            {
                "version": {**PriceOut(one).data, **({} if one.account_id in seen else _NOBODY)},
                "source": "own" if one.account_id == key else "inherited",
            }
            for one in rows
        ])  # fmt: skip

    @extend_schema(
        operation_id="negotiate_price",
        description="From a day on the account and all below it have the price at other terms;"
        " the nearest account that has any decides.",
        parameters=[DryRunParameters],
        request=NegotiatedIn,
        responses={200: PlannedVersionOut, 202: PlannedVersionOut},
    )
    def post(self, request: ActorApiRequest, account: str) -> HttpResponseBase:
        """Negotiate a price with an account."""
        actor, is_dry = request.actor, is_dry_run(request)
        key = resolve_reference(actor, account)
        values = read_body(request, NegotiatedIn)
        found = price_named(actor, values, InvalidBody)
        changes = {name: value for name, value in values.items() if name != "price"}

        def require_seen() -> object:
            return require_match(request, lambda: account_detail(actor, key))

        return _begin(request, found, changes, key, require_seen, is_dry=is_dry)


class JobDetail(ActorView):
    """``/api/v1/jobs/{id}``."""

    scopes: ClassVar = {"GET": Action.VIEW_SUBSCRIPTION}

    @extend_schema(operation_id="get_job", responses=RepricingJobOut)
    def get(self, request: ActorApiRequest, job: str) -> Response:
        """Show how far a change of prices is."""
        self.parameters(request, NoParameters)
        found = get_job(request.actor, Job.Kind.PRICES, key_of("job", job))
        return Response(job_out(found))


def _begin(
    request: ActorApiRequest,
    price: Price,
    values: Mapping[str, Any],
    account_id: UUID | None,
    require_seen: Callable[[], object],
    *,
    is_dry: bool,
) -> HttpResponseBase:
    actor = request.actor
    changes = {name: value for name, value in values.items() if name != "valid_from"}
    if "tiers" in changes:
        changes["tiers"] = tiers_of(changes)
    wanted = NewVersion(values["valid_from"], changes, account_id)
    if is_dry:
        require_seen()
        return _planned(preview_version(actor, price.pk, wanted, today=actor.today))
    version, job = begin_version(
        actor,
        price.pk,
        wanted,
        require_seen=require_seen,
        today=actor.today,
        now=timezone.now(),
    )
    return _under_way(request, version, job)


def _planned(planned: Planned) -> Response:
    planned.price.created_at = timezone.now()
    data = {
        "version": PriceOut(planned.price).data,
        "effect": PriceEffectOut(planned.effect).data,
        "pools": PoolsEffectOut(planned.pools).data,
        "job": None,
    }
    return Response(data)


def _under_way(request: ActorApiRequest, version: Price, job: Job) -> Response:
    reprice_soon(request.actor, job)
    data = {"version": PriceOut(version).data, "effect": None, "pools": None, "job": job_out(job)}
    address = request.build_absolute_uri(f"/api/v1/jobs/{job.public_id}")
    return Response(data, status=202, headers={"Location": address})


def job_out(job: Job) -> dict[str, Any]:
    """Return a job that changes prices as it goes out."""
    result = job.result
    return {
        "id": job.public_id,
        "status": str(job.status),
        "progress": {"done": job.done, "total": job.total},
        "result": {
            "changed": result.get("changed", 0),
            "pools": result.get("pools", 0),
            "credited_minor": result.get("credited_minor", 0),
            "charged_minor": result.get("charged_minor", 0),
            "currency": result.get("currency"),
            "skipped": [
                {
                    "code": code,
                    "count": count,
                    "first": [public_id("sub", UUID(key)) for key, _external_id, _name in first],
                }
                for code, (count, first) in result.get("skipped", {}).items()
            ],
        },
        "problems": [
            {"row": one.get("row"), "code": one["code"], "detail": one["detail"]}
            for one in job.problems
        ],
    }
