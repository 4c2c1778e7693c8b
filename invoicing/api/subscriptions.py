"""``/api/v1/subscriptions/{id}``: to whom it is invoiced."""

from typing import ClassVar

from django.http.response import HttpResponseBase
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.response import Response

from accounts.access import Action
from accounts.api.references import referred
from invoicing.api.plans import plan_out, preview_out
from invoicing.models import ChangePlan
from invoicing.operations.plans.readdressing import (
    NewRecipient,
    readdress_subscription,
    wanted_recipient,
)
from invoicing.queries.plans.preview import preview_plan
from invoicing.serializers.plans import PlanDetailOut, RecipientIn
from subscriptions.api.subscriptions import (
    SubscriptionDetail,
    subscription_detail,
)
from subscriptions.queries.subscriptions import get_subscription
from subscriptions.serializers.catalogue import DryRunParameters
from subscriptions.serializers.subscriptions import (
    SubscriptionOut,
)
from tenancy.api.answering import ActorApiRequest, tagged
from tenancy.api.preconditions import require_match
from tenancy.api.reading import InvalidBody, read_body, read_parameters


class SubscriptionChange(SubscriptionDetail):
    """``/api/v1/subscriptions/{id}``: shown as below, and changed by what invoicing knows."""

    scopes: ClassVar = {**SubscriptionDetail.scopes, "PATCH": Action.EDIT_SETTINGS}

    @extend_schema(
        operation_id="edit_subscription",
        parameters=[DryRunParameters],
        request=RecipientIn,
        responses={200: SubscriptionOut, 202: PlanDetailOut},
    )
    def patch(self, request: ActorApiRequest, subscription: str) -> HttpResponseBase:
        """Invoice a subscription to another account, today or from a later day on.

        200: it is done, or was so already. 202: the change plan, which waits for its day, for an
        approval or for an agreement. With `dry_run=true` 200 and `preview`, as of a change plan.
        """
        actor, parameters = request.actor, read_parameters(request, DryRunParameters)
        found = get_subscription(actor, subscription, today=actor.today)
        values = read_body(request, RecipientIn)
        new = NewRecipient(
            referred(actor, values, "bill_to", refusal=InvalidBody),
            values.get("effective_date", actor.today),
            values["prepaid"],
        )

        def require_seen() -> None:
            require_match(request, lambda: subscription_detail(actor, subscription))

        if parameters["dry_run"]:
            require_seen()
            wanted = wanted_recipient(found, new)
            preview = preview_plan(actor, wanted, today=actor.today, tenant=request.tenant)
            return Response(preview_out(preview.shown))
        plan = readdress_subscription(
            actor,
            found.pk,
            new,
            require_seen=require_seen,
            today=actor.today,
            now=timezone.now(),
        )
        if plan is None or plan.status == ChangePlan.Status.APPLIED:
            return tagged(request, subscription_detail(actor, found.public_id))
        address = request.build_absolute_uri(f"/api/v1/change-plans/{plan.public_id}")
        return Response(plan_out(request, plan.pk), status=202, headers={"Location": address})
