"""``/api/v1/billing-runs``: runs, how far they have come, and starting one."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar
from uuid import UUID

from django.core import signing
from django.http.response import HttpResponseBase
from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework.response import Response

from accounts.access import Action
from accounts.api.references import referred
from accounts.queries.audit import entries_about
from accounts.serializers.parts import NoParameters
from invoicing.models import BillingRun
from invoicing.operations.runs import RunPreview, approve_run, preview_run, request_run
from invoicing.operations.runs.changed import NOTHING_COMPARED, compare_drafts
from invoicing.operations.runs.discarding import reject_run
from invoicing.operations.runs.opening import require_startable
from invoicing.queries.invoice_sums import status_sums
from invoicing.queries.invoices import invoices
from invoicing.queries.run_comparison import comparison_of
from invoicing.queries.run_figures import digest_of, drafts_seen
from invoicing.queries.run_problems import problems_of
from invoicing.queries.runs import get_run, progress_of, runs
from invoicing.serializers.runs import (
    ProblemShown,
    RunAcceptedOut,
    RunApprovalIn,
    RunDetailOut,
    RunIn,
    RunOut,
    RunParameters,
    RunPreviewOut,
    RunPreviewShown,
    RunRejectionIn,
    RunShown,
    RunStartParameters,
)
from invoicing.tasks import work_soon
from invoicing.words import describe_problem
from tenancy import clock
from tenancy.api.answering import ActorApiRequest, ActorView, many, tagged
from tenancy.api.preconditions import require_match
from tenancy.api.reading import InvalidBody, InvalidParameters, read_body, read_parameters
from tenancy.errors import FieldError
from tenancy.ids import key_of
from tenancy.queries.paging import Order

ENTRIES_SHOWN = 100
_SALT = "api-run-preview"
_KEPT_SECONDS = 3_600


class RunList(ActorView):
    """``/api/v1/billing-runs``."""

    scopes: ClassVar = {"GET": Action.VIEW_RUNS, "POST": Action.RUN_BILLING}
    keyset: ClassVar = Order("date", is_falling=True)

    @extend_schema(
        operation_id="list_billing_runs",
        parameters=[RunParameters],
        responses=RunOut(many=True),
    )
    def get(self, request: ActorApiRequest) -> Response:
        """List billing runs, the latest date first."""
        self.parameters(request, RunParameters)
        page = self.page(runs(request.actor), request)
        return self.listed(many(RunOut, [RunShown(run) for run in page]))

    @extend_schema(
        operation_id="start_billing_run",
        parameters=[RunStartParameters],
        request=RunIn,
        responses={200: RunPreviewOut, 202: RunAcceptedOut},
    )
    def post(self, request: ActorApiRequest) -> Response:
        """Bill everything due up to a date; the same date again joins the same run."""
        actor, parameters = request.actor, read_parameters(request, RunStartParameters)
        values = read_body(request, RunIn)
        if parameters["dry_run"] == "true":
            return _preview(request, values, parameters.get("cursor", ""))
        run = request_run(
            actor,
            run_date=values["date"],
            within=referred(actor, values, "in", refusal=InvalidBody),
            issue=values["issue"],
            today=actor.today,
            now=timezone.now(),
        )
        work_soon(run)
        shown = RunShown(run, progress_of(actor, run.pk))
        address = request.build_absolute_uri(f"{request.path}/{run.public_id}")
        return Response(RunAcceptedOut(shown).data, status=202, headers={"Location": address})


def _preview(request: ActorApiRequest, values: Mapping[str, Any], cursor: str) -> Response:
    """Answer what the run would make; many trees come in parts, each as far as two seconds go."""
    actor, day = request.actor, values["date"]
    within = referred(actor, values, "in", refusal=InvalidBody)
    issues = require_startable(
        actor, run_date=day, within=within, issue=values["issue"], today=actor.today
    )
    asked = [str(actor.tenant_id), day.isoformat(), str(within), issues]
    preview = preview_run(
        actor,
        run_date=day,
        within=within,
        tenant=request.tenant,
        now=timezone.now(),
        issue=issues,
        so_far=_so_far(cursor, asked),
    )
    following = None
    if not preview.is_whole:
        kept = {"of": asked, "preview": preview.stored()}
        following = signing.dumps(kept, salt=_SALT, compress=True)
    return Response(RunPreviewOut(RunPreviewShown(day, preview, following)).data)


def _so_far(cursor: str, asked: Sequence[Any]) -> RunPreview | None:
    """Return what the part before left.

    Raises:
        InvalidParameters: it is of another question, or none of ours.
    """
    if not cursor:
        return None
    try:
        found = signing.loads(cursor, salt=_SALT, max_age=_KEPT_SECONDS)
    except signing.BadSignature:
        found = {"of": None}
    if found["of"] != asked:
        wrong = FieldError("invalid_cursor", _("This cursor belongs to no such list."), "/cursor")
        raise InvalidParameters(errors=[wrong])
    return RunPreview.read(found["preview"])


class RunDetail(ActorView):
    """``GET /api/v1/billing-runs/{id}``."""

    scopes: ClassVar = {"GET": Action.VIEW_RUNS}

    @extend_schema(operation_id="get_billing_run", responses=RunDetailOut)
    def get(self, request: ActorApiRequest, run: str) -> HttpResponseBase:
        """Show how far a run has come, what it made and what it left out."""
        actor = request.actor
        self.parameters(request, NoParameters)
        return tagged(request, _detail_out(request, get_run(actor, key_of("run", run))))


def _detail_out(request: ActorApiRequest, run: BillingRun) -> dict[str, Any]:
    return dict(RunDetailOut(_detail(request, run)).data)


def _require_seen(request: ActorApiRequest, run_id: UUID) -> None:
    """Return if the caller names no run by ``If-Match``, or names it as it is."""
    require_match(request, lambda: _detail_out(request, get_run(request.actor, run_id)))


def _detail(request: ActorApiRequest, run: BillingRun) -> RunShown:
    actor = request.actor
    problems = [
        ProblemShown(problem, describe_problem(problem)) for problem in problems_of(actor, run.pk)
    ]
    seen = drafts_seen(actor, run.pk)
    return RunShown(
        run,
        progress_of(actor, run.pk),
        status_sums(actor, invoices(actor, run=run.pk, today=actor.today)),
        problems,
        entries_about(actor, [run.pk], limit=ENTRIES_SHOWN),
        digest_of(seen) if seen else "",
        compare_drafts(actor, run, tenant=request.tenant) if seen else NOTHING_COMPARED,
        comparison=comparison_of(actor, run) if run.finished_at else None,
    )


class RunApproval(ActorView):
    """``POST /api/v1/billing-runs/{id}/approval``."""

    scopes: ClassVar = {"POST": Action.ISSUE_INVOICE}

    @extend_schema(
        operation_id="approve_billing_run",
        request=RunApprovalIn,
        responses={202: RunAcceptedOut},
    )
    def post(self, request: ActorApiRequest, run: str) -> Response:
        """Issue all drafts of a run exactly as they were shown; nothing is rated."""
        actor = request.actor
        self.parameters(request, NoParameters)
        values = read_body(request, RunApprovalIn)
        key = key_of("run", run)
        approved = approve_run(
            actor,
            key,
            values["drafts_digest"],
            require_seen=lambda: _require_seen(request, key),
            now=timezone.now(),
        )
        work_soon(approved)
        shown = RunShown(approved, progress_of(actor, approved.pk))
        return Response(RunAcceptedOut(shown).data, status=202)


class RunRejection(ActorView):
    """``POST /api/v1/billing-runs/{id}/rejection``."""

    scopes: ClassVar = {"POST": Action.ISSUE_INVOICE}

    @extend_schema(
        operation_id="reject_billing_run", request=RunRejectionIn, responses=RunDetailOut
    )
    def post(self, request: ActorApiRequest, run: str) -> HttpResponseBase:
        """Take back all drafts of a run as they were shown; the charges wait for the next one."""
        actor = request.actor
        self.parameters(request, NoParameters)
        values = read_body(request, RunRejectionIn)
        key, now = key_of("run", run), clock.now_of(request.tenant)
        rejected = reject_run(
            actor,
            key,
            reason=values["reason"],
            seen=values["drafts_digest"],
            require_seen=lambda: _require_seen(request, key),
            now=now,
        )
        return tagged(request, _detail_out(request, get_run(actor, rejected.pk)))
