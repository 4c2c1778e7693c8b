"""Approving a run: a page with the exact effects, then every draft gets its number."""

from http import HTTPStatus

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from accounts.actor import Actor
from accounts.errors import Invalid
from accounts.middleware import ActorRequest
from dashboard.pages.doors import staff_only
from dashboard.pages.runs_page import run_key, sums_key, title_of
from dashboard.pages.runs_status import work_soon
from invoicing.models import BillingRun
from invoicing.operations.runs import request_run
from invoicing.queries import run_figures
from invoicing.queries.run_figures import RunSum


@require_http_methods(["GET", "HEAD", "POST"])
@staff_only
def approve(request: ActorRequest, run_id: str) -> HttpResponse:
    """Show what approving does; POST does it. A run that waits no longer is left as it is."""
    actor = request.actor
    run = run_figures.get_run_to_approve(actor, run_key(run_id))
    if run.status != BillingRun.Status.TO_APPROVE:
        messages.info(request, _("Nothing of this run waits for approval any more."))
        return redirect("runs:page", run.public_id)
    sums = run_figures.sums_of(actor, [run.pk]).get(run.pk, [])
    if request.method == "POST" and request.POST.get("seen") != sums_key(sums):
        messages.warning(request, _("The drafts have changed. Please look at them once more."))
        return _review(request, actor, run, sums, status=HTTPStatus.CONFLICT)
    if request.method == "POST":
        return _issue(request, actor, run, sums)
    return _review(request, actor, run, sums)


def _issue(
    request: ActorRequest, actor: Actor, run: BillingRun, sums: list[RunSum]
) -> HttpResponse:
    """Ask for the same run again, this time issuing, with the same accounts as before."""
    try:
        for within in run_figures.scopes_of(actor, run.pk):
            request_run(actor, run_date=run.date, within=within, issue=True, today=actor.today)
    except Invalid as refusal:
        messages.error(request, refusal.detail)
        return _review(request, actor, run, sums, status=HTTPStatus.UNPROCESSABLE_ENTITY)
    work_soon(run)
    return redirect("runs:page", run.public_id)


def _review(
    request: ActorRequest,
    actor: Actor,
    run: BillingRun,
    sums: list[RunSum],
    *,
    status: HTTPStatus = HTTPStatus.OK,
) -> HttpResponse:
    context = {
        "run": run,
        "run_id": run.public_id,
        "title": _("Approve the run?"),
        "steps": [
            {"label": _("Billing runs"), "url": "../../"},
            {"label": title_of(run), "url": "../"},
            {"label": _("Approve"), "url": ""},
        ],
        "sums": [one for one in sums if one.drafts],
        "drafts": sum(one.drafts for one in sums),
        "numbers": run_figures.next_numbers(actor, run),
        "seen": sums_key(sums),
    }
    return render(request, "runs/approve.html", context, status=status)
