"""``/api/v1/alignments``: one renewal date for an account and all below it."""

from typing import Any, ClassVar

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.response import Response

from accounts.access import Action
from invoicing.api.plan_bodies import wanted_alignment
from invoicing.api.plans import plan_out, preview_out
from invoicing.models import ChangePlan
from invoicing.operations.plans.renewals import align_renewals
from invoicing.queries.plans.aligning import Alignings, row_shown
from invoicing.queries.plans.preview import preview_plan
from invoicing.serializers.plans import (
    AlignmentDryRunOut,
    AlignmentIn,
    AlignmentOut,
    PlanStartParameters,
)
from invoicing.tasks import align_soon
from tenancy.api.answering import ActorApiRequest, ActorView
from tenancy.api.reading import read_body, read_parameters


class AlignmentList(ActorView):
    """``POST /api/v1/alignments``."""

    scopes: ClassVar = {"POST": Action.EDIT_SETTINGS}

    @extend_schema(
        operation_id="align_renewals",
        parameters=[PlanStartParameters],
        request=AlignmentIn,
        responses={200: AlignmentDryRunOut, 201: AlignmentOut, 202: AlignmentOut},
    )
    def post(self, request: ActorApiRequest) -> Response:
        """Let the periods of an account and of those below it begin on one date."""
        actor, parameters = request.actor, read_parameters(request, PlanStartParameters)
        values = read_body(request, AlignmentIn)
        wanted = wanted_alignment(actor, values)
        if parameters["dry_run"] == "true":
            preview = preview_plan(actor, wanted, today=actor.today, tenant=request.tenant)
            return Response({**preview_out(preview.shown), "rows": _rows(preview.alignings)})
        plan, alignings = align_renewals(
            actor, wanted, is_draft=values["draft"], today=actor.today, now=timezone.now()
        )
        align_soon(actor, plan)
        address = request.build_absolute_uri(f"/api/v1/change-plans/{plan.public_id}")
        answer = {**plan_out(request, plan.pk), "rows": _rows(alignings)}
        status = 202 if plan.status == ChangePlan.Status.APPLYING else 201
        return Response(answer, status=status, headers={"Location": address})


def _rows(alignings: Alignings | None) -> list[dict[str, Any]]:
    """Return what becomes of each subscription as it goes out."""
    if alignings is None:  # pragma: no cover - alignments have alignings
        return []
    return [row_shown(row, alignings.reference) for row in alignings.rows]
