"""``/api/v1/billing-runs``: runs, how far they have come, and starting one."""

from typing import ClassVar

from django.http.response import HttpResponseBase
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.response import Response

from accounts.access import Action
from accounts.api.answering import ActorApiRequest, ActorView, many, tagged
from accounts.api.reading import InvalidBody, read_body, referred
from accounts.ids import key_of
from accounts.queries.audit import entries_about
from accounts.serializers.parts import NoParameters
from invoicing.operations.runs import request_run
from invoicing.queries.invoice_sums import status_sums
from invoicing.queries.invoices import invoices
from invoicing.queries.run_problems import problems_of
from invoicing.queries.runs import get_run, progress_of, runs
from invoicing.serializers.runs import (
    ProblemShown,
    RunAcceptedOut,
    RunDetailOut,
    RunIn,
    RunOut,
    RunParameters,
    RunShown,
)
from invoicing.tasks import work_soon
from invoicing.words import describe_problem

ENTRIES_SHOWN = 100


class RunList(ActorView):
    """``/api/v1/billing-runs``."""

    scopes: ClassVar = {"GET": Action.VIEW_RUNS, "POST": Action.RUN_BILLING}
    keyset: ClassVar = ("-date", "-id")

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
        request=RunIn,
        responses={202: RunAcceptedOut},
    )
    def post(self, request: ActorApiRequest) -> Response:
        """Bill everything due up to a date; the same date again joins the same run."""
        actor = request.actor
        self.parameters(request, NoParameters)
        values = read_body(request, RunIn)
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


class RunDetail(ActorView):
    """``GET /api/v1/billing-runs/{id}``."""

    scopes: ClassVar = {"GET": Action.VIEW_RUNS}

    @extend_schema(operation_id="get_billing_run", responses=RunDetailOut)
    def get(self, request: ActorApiRequest, run: str) -> HttpResponseBase:
        """Show how far a run has come, what it made and what it left out."""
        actor = request.actor
        self.parameters(request, NoParameters)
        found = get_run(actor, key_of("run", run))
        problems = [
            ProblemShown(problem, describe_problem(problem))
            for problem in problems_of(actor, found.pk)
        ]
        shown = RunShown(
            found,
            progress_of(actor, found.pk),
            status_sums(actor, invoices(actor, run=found.pk, today=actor.today)),
            problems,
            entries_about(actor, [found.pk], limit=ENTRIES_SHOWN),
        )
        return tagged(request, RunDetailOut(shown).data)
