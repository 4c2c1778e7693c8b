"""Taking drafts back: some of a run, or all of them, with a reason that stays with the charges."""

from datetime import date
from http import HTTPStatus
from typing import Final

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_http_methods
from django.views.decorators.vary import vary_on_headers

from accounts.middleware import ActorRequest
from dashboard.pages.runs.approval import Review, differences, review_of
from dashboard.pages.runs.page import title_of
from invoicing.operations.runs import DraftsChanged
from invoicing.operations.runs.discarding import REASON_LENGTH, discard_drafts, reject_run
from invoicing.queries.run_figures import digest_of
from invoicing.queries.runs import get_run_to_approve
from tenancy import clock
from tenancy.errors import BillingError, Invalid
from tenancy.ids import key_of
from web.invoices.selection import picked
from web.page_heads import Crumb
from web.session_checks import staff_only
from web.templatetags.figures import quantity

_WAYS: Final = ("discard", "hold")


class UnreadableDay(Invalid):
    """A day that is none."""

    code = "unreadable_day"
    message = gettext_lazy("Please give the day as year-month-day, or leave it empty.")


def _day(text: str) -> date | None:
    if not text.strip():
        return None
    try:
        return date.fromisoformat(text.strip())
    except ValueError:
        raise UnreadableDay from None


@require_http_methods(["GET", "HEAD", "POST"])
@vary_on_headers("HX-Request")
@staff_only
def take_back(request: ActorRequest, run_id: str) -> HttpResponse:
    """Ask why, and whether the charges are billed again by the next run; POST does it.

    Without a selection it is the whole run that is rejected. Only what was shown is taken back.
    """
    actor = request.actor
    run = get_run_to_approve(actor, key_of("run", run_id))
    values = request.POST if request.method == "POST" else request.GET
    review = review_of(actor, run, picked(values, "inv"))
    if not review.drafts:
        messages.info(request, _("Nothing of this run waits for approval any more."))
        return redirect("runs:page", run.public_id)
    if request.method != "POST":
        return _show(request, review)
    if values.get("seen") != review.seen:
        return _show(request, review, status=HTTPStatus.CONFLICT)
    try:
        _do(request, review)
    except DraftsChanged:
        # Between the look above and the locks: what is shown now is what is there now.
        fresh = review_of(actor, run, review.ids)
        return _show(request, fresh, status=HTTPStatus.CONFLICT)
    except BillingError as refusal:
        return _show(request, review, error=refusal.detail, status=HTTPStatus(refusal.status))
    count = review.drafts
    done = ngettext("%(count)s draft taken back.", "%(count)s drafts taken back.", count)
    messages.success(request, done % {"count": quantity(count)})
    return redirect("runs:page", run.public_id)


def _do(request: ActorRequest, review: Review) -> None:
    actor, values = request.actor, request.POST
    reason, seen = values.get("reason", ""), digest_of(review.contents)
    now = clock.now_of(request.tenant)
    if not review.ids:
        reject_run(actor, review.run.pk, reason=reason, seen=seen, now=now)
        return
    discard_drafts(
        actor,
        review.ids,
        reason=reason,
        hold=values.get("way") == "hold",
        until=_day(values.get("until", "")),
        seen=seen,
        today=actor.today,
        now=now,
    )


def _show(
    request: ActorRequest, review: Review, *, error: str = "", status: HTTPStatus = HTTPStatus.OK
) -> HttpResponse:
    values = request.POST if request.method == "POST" else request.GET
    run, ids, way = review.run, review.ids, values.get("way", "discard")
    is_stale = status == HTTPStatus.CONFLICT and not error
    context = {
        "run_id": run.public_id,
        "title": _("Take back the selected drafts?") if ids else _("Reject the run?"),
        "steps": [
            Crumb(_("Billing runs"), "../../"),
            Crumb(title_of(run), "../"),
            Crumb(_("Take back") if ids else _("Reject")),
        ],
        "ids": values.getlist("ids") if ids else [],
        "sums": review.sums,
        "drafts": review.drafts,
        "seen": review.seen,
        "is_stale": is_stale,
        "differences": [*differences(values.get("seen", ""), review)] if is_stale else [],
        "error": error,
        "reason": values.get("reason", ""),
        "until": values.get("until", ""),
        "way": way if way in _WAYS else "discard",
        "most": REASON_LENGTH,
    }
    in_dialog = bool(request.headers.get("HX-Request"))
    template = "runs/_taking_back_dialog.html" if in_dialog else "runs/taking_back.html"
    return render(request, template, context, status=status)
