"""The test clock of a sandbox: moving it forward while everything due happens in order."""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from http import HTTPStatus
from typing import Any, Final
from uuid import UUID

from django import forms
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, npgettext
from django.views.decorators.http import require_http_methods
from django.views.decorators.vary import vary_on_headers

from accounts import access
from accounts.access import Action
from accounts.middleware import ActorRequest
from accounts.queries.jobs import clock_shown, has_been_silent, jobs
from accounts.versions import ChangedMeanwhile
from dashboard.pages.settings.sellers import tabs_of
from dashboard.pages.settings.test_clock_question import Question, question_of
from invoicing.models import BillingRun
from invoicing.operations.clock import month_after, month_end_after, require_movable
from invoicing.operations.clock_jobs import request_clock_move
from invoicing.queries.clock_events import next_event_date
from invoicing.queries.runs import runs
from invoicing.tasks import move_clock_soon
from tenancy.actor import Actor
from tenancy.errors import Invalid
from tenancy.formats import date_text
from tenancy.models import Job
from web.forms import version_seen, version_to_carry
from web.session_checks import staff_only
from web.tables import Link
from web.templatetags.figures import quantity

PATIENCE: Final = 5
MOVES_SHOWN: Final = 10
RUNS_SHOWN: Final = 12
"""So many runs of a move are named, with links."""


class ClockForm(forms.Form):
    """The day that the clock is to show."""

    to = forms.DateField(
        label=gettext_lazy("New date"),
        widget=forms.DateInput(attrs={"class": "input", "type": "date"}, format="%Y-%m-%d"),
    )


@require_http_methods(["GET", "HEAD", "POST"])
@vary_on_headers("HX-Request")
@staff_only
def test_clock(request: ActorRequest) -> HttpResponse:
    """Show the clock and what comes next; POST asks first, then moves it in the background."""
    if not request.tenant.is_sandbox:
        raise Http404
    actor = request.actor
    if request.method == "POST":
        return _move(request, actor)
    if request.headers.get("HX-Request"):
        context = _context(request, actor)
        answer = render(request, "settings/_clock.html", context)
        if context["running"] is None:
            # The frame says the day as well.
            answer.headers["HX-Refresh"] = "true"
        return answer
    return _page(request, actor, ClockForm(initial={"to": actor.today + timedelta(days=1)}))


def _move(request: ActorRequest, actor: Actor) -> HttpResponse:
    form = ClockForm(request.POST)
    if form.is_valid():
        to_date = form.cleaned_data["to"]
        try:
            start = require_movable(actor, to_date)
            if request.POST.get("confirmed") != to_date.isoformat():
                return _page(request, actor, form, question=question_of(request, start, to_date))
            job_id = request_clock_move(
                actor,
                to_date=to_date,
                version=version_seen(request),
                now=timezone.now(),
            )
        except ChangedMeanwhile:
            return _page(request, actor, form, status=HTTPStatus.CONFLICT)
        except Invalid as refusal:
            form.add_error("to", refusal.detail)
        else:
            move_clock_soon(actor, job_id)
            return redirect("settings:test_clock")
    return _page(request, actor, form, status=HTTPStatus.UNPROCESSABLE_ENTITY)


def _page(
    request: ActorRequest,
    actor: Actor,
    form: ClockForm,
    *,
    status: HTTPStatus = HTTPStatus.OK,
    question: Question | None = None,
) -> HttpResponse:
    context = {**_context(request, actor, status=status), "form": form, "question": question}
    if question is not None:
        # What was asked with is confirmed with: a form grown old meanwhile is refused then.
        context["version"] = request.POST.get("version", "")
    if status == HTTPStatus.CONFLICT:
        context["conflict"] = [_difference(form, context)]
    return render(request, "settings/clock.html", context, status=status)


def _difference(form: ClockForm, context: Mapping[str, Any]) -> dict[str, Any]:
    """Return where somebody wanted the clock, and where it stands or is moving."""
    running = context["running"]
    stored = date_text(context["today"])
    if running is not None:
        end = date_text(date.fromisoformat(running.params["to"]))
        stored = _("%(today)s, moving to %(end)s") % {"today": stored, "end": end}
    return {
        "label": _("Test clock"),
        "mine": date_text(form.cleaned_data["to"]),
        "stored": stored,
    }


def _context(
    request: ActorRequest, actor: Actor, *, status: HTTPStatus = HTTPStatus.OK
) -> dict[str, Any]:
    moves = list(jobs(actor, Job.Kind.CLOCK)[:MOVES_SHOWN])
    running = next((job for job in moves if job.is_open), None)
    due = next_event_date(actor)
    made = _runs_of(actor, moves)
    return {
        "tabs": tabs_of(request, "clock"),
        "today": actor.today,
        "version": version_to_carry(request, clock_shown(actor), status=status),
        "running": running,
        "is_waiting": running is not None
        and has_been_silent(actor, running, seconds=PATIENCE, now=timezone.now()),
        "moves": [_shown(job, made) for job in moves if not job.is_open],
        "shortcuts": _shortcuts(actor.today, due),
        "may_move": access.allows_everywhere(actor, Action.MOVE_CLOCK),
    }


def _runs_of(actor: Actor, moves: Sequence[Job]) -> dict[UUID, BillingRun]:
    """Return the runs that moves have made. One statement, none for none."""
    wanted = {UUID(key) for job in moves for key in _named(job)}
    return runs(actor).in_bulk(wanted) if wanted else {}


def _named(job: Job) -> Sequence[str]:
    return job.result.get("run_ids", ())[:RUNS_SHOWN]  # type: ignore[no-any-return]


def _shortcuts(today: date, due: date | None) -> list[dict[str, str]]:
    last = month_end_after(today)
    found = [
        (_("+1 day"), today + timedelta(days=1)),
        (_("+1 week"), today + timedelta(days=7)),
        (_("+1 month"), month_after(today)),
        (_("Month end, %(date)s") % {"date": date_text(last)}, last),
    ]
    if due is not None:
        found.insert(0, (_("Next event, %(date)s") % {"date": date_text(due)}, due))
    return [{"label": label, "value": day.isoformat()} for label, day in found]


def _shown(job: Job, made: Mapping[UUID, BillingRun]) -> dict[str, Any]:
    found = [made[UUID(key)] for key in _named(job) if UUID(key) in made]
    count = job.result.get("runs", 0)
    return {
        "start": date.fromisoformat(job.params["from"]),
        "end": date.fromisoformat(job.params["to"]),
        "runs": count,
        "made": [
            Link(date_text(run.date), reverse("runs:page", args=[run.public_id])) for run in found
        ],
        "more": _more(count - len(found)) if found and count > len(found) else "",
        "plans": job.result.get("plans", 0),
        "invoices": job.result.get("invoices", 0),
        "by": job.created_by_label,
        "at": job.created_at,
        "problem": job.problems[0]["detail"] if job.problems else "",
    }


def _more(count: int) -> str:
    """Return how many runs are not named."""
    return npgettext("billing runs", "and %(count)s more", "and %(count)s more", count) % {
        "count": quantity(count)
    }
