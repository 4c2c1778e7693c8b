"""``/api/v1/test-clock``: where the clock of a sandbox stands, and moving it forward."""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any, ClassVar, Final
from uuid import UUID

from django.http.response import HttpResponseBase
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from drf_spectacular.utils import extend_schema
from rest_framework.response import Response

from accounts import access
from accounts.access import Action
from accounts.queries.jobs import jobs
from accounts.serializers.parts import DryRunParameters, NoParameters
from invoicing.models import BillingRun
from invoicing.operations.clock import NotSandbox, month_after, month_end_after
from invoicing.operations.clock_jobs import request_clock_move
from invoicing.operations.clock_preview import ClockPreview, preview_clock_move
from invoicing.queries.clock_events import next_event_date
from invoicing.queries.runs import runs
from invoicing.serializers.clock import ClockIn, ClockOut, ClockPreviewOut
from invoicing.tasks import move_clock_soon
from tenancy.actor import Actor
from tenancy.api.answering import ActorApiRequest, ActorView
from tenancy.api.reading import InvalidBody, read_body, read_parameters
from tenancy.errors import FieldError, Invalid
from tenancy.models import Job

MOVES_SHOWN: Final = 10


class NothingDue(Invalid):
    """There is no next event."""

    code = "nothing_due"
    message = gettext_lazy("Nothing will fall due: no subscription runs, and no change is planned.")


class TestClock(ActorView):
    """``/api/v1/test-clock``, of sandboxes alone."""

    scopes: ClassVar = {"GET": Action.VIEW_RUNS, "POST": Action.MOVE_CLOCK}

    @extend_schema(operation_id="get_test_clock", responses=ClockOut)
    def get(self, request: ActorApiRequest) -> Response:
        """Show the day of the clock, the next event, the move under way and those before."""
        self.parameters(request, NoParameters)
        _require_sandbox(request)
        return Response(_clock_out(request.actor))

    @extend_schema(
        operation_id="move_test_clock",
        parameters=[DryRunParameters],
        request=ClockIn,
        responses={200: ClockPreviewOut, 202: ClockOut},
    )
    def post(self, request: ActorApiRequest) -> HttpResponseBase:
        """Move the clock forward; all that falls due on the way is done day by day, in order.

        202: the move is in the queue, `move` says how far it is. With `dry_run=true` 200 and what
        it would bring.
        """
        actor, is_dry = request.actor, read_parameters(request, DryRunParameters)["dry_run"]
        _require_sandbox(request)
        to_date = _wanted_day(actor, read_body(request, ClockIn))
        if is_dry == "true":
            move = preview_clock_move(
                actor, to_date=to_date, tenant=request.tenant, now=timezone.now()
            )
            return Response(_preview_out(move))
        job_id = request_clock_move(actor, to_date=to_date, now=timezone.now())
        move_clock_soon(actor, job_id)
        address = request.build_absolute_uri("/api/v1/test-clock")
        return Response(_clock_out(actor), status=202, headers={"Location": address})


def _require_sandbox(request: ActorApiRequest) -> None:
    if not request.tenant.is_sandbox:
        raise NotSandbox


def _wanted_day(actor: Actor, values: Mapping[str, Any]) -> date:
    """Return the day that is asked for.

    Raises:
        InvalidBody: neither a day nor a step is named, or both.
        NothingDue: see its text.
    """
    day, step = values.get("now"), values.get("step")
    if (day is None) == (step is None):
        detail = _("Name either a day or a step.")
        raise InvalidBody(errors=[FieldError("required" if day is None else "invalid", detail,
                                             "/now")])  # fmt: skip
    if day is not None:
        return day  # type: ignore[no-any-return]
    if step == "next_event":
        found = next_event_date(actor)
        if found is None:
            raise NothingDue
        return found
    if step == "month":
        return month_after(actor.today)
    if step == "month_end":
        return month_end_after(actor.today)
    return actor.today + timedelta(days=7 if step == "week" else 1)


def _clock_out(actor: Actor) -> dict[str, Any]:
    found = list(jobs(actor, Job.Kind.CLOCK)[: MOVES_SHOWN + 1])
    made = _runs_of(actor, found)
    under_way = next((job for job in found if job.is_open), None)
    ended = [job for job in found if not job.is_open][:MOVES_SHOWN]
    data = {
        "now": actor.today,
        "next_event": next_event_date(actor),
        "move": under_way and _move_out(under_way, made),
        "moves": [_move_out(job, made) for job in ended],
    }
    return dict(ClockOut(data).data)


def _runs_of(actor: Actor, moves: Sequence[Job]) -> dict[UUID, BillingRun]:
    """Return the runs that moves have made, to who may see runs. One statement, none for none."""
    if not access.allows_everywhere(actor, Action.VIEW_RUNS):
        return {}
    wanted = {UUID(key) for job in moves for key in job.result.get("run_ids", ())}
    return runs(actor).in_bulk(wanted) if wanted else {}


def _move_out(job: Job, made: Mapping[UUID, BillingRun]) -> dict[str, Any]:
    keys = [UUID(key) for key in job.result.get("run_ids", ())]
    return {
        "pk": job.pk,
        "status": str(job.status),
        "from_date": date.fromisoformat(job.params["from"]),
        "to_date": date.fromisoformat(job.params["to"]),
        "progress": {"done": job.done, "total": job.total},
        "runs": job.result.get("runs", 0),
        "invoices": job.result.get("invoices", 0),
        "change_plans": job.result.get("plans", 0),
        "billing_runs": [made[key] for key in keys if key in made],
        "problems": [{"code": one["code"], "detail": one["detail"]} for one in job.problems],
        "created_at": job.created_at,
    }


def _preview_out(move: ClockPreview) -> dict[str, Any]:
    found = move.found
    data = {
        "dry_run": True,
        "from_date": move.from_date,
        "to_date": move.to_date,
        "days": move.days,
        "run_dates": list(move.run_dates),
        "documents": found.documents,
        "lines": found.lines,
        "held": found.held,
        "sums": [
            {"currency": currency, "net_minor": net_minor}
            for currency, net_minor in sorted(found.net_minor.items())
        ],
        "too_large": found.too_large,
        "is_whole": found.is_whole,
        "change_plans": move.plans.count,
        "first_change_plans": move.plans.first,
    }
    return dict(ClockPreviewOut(data).data)
