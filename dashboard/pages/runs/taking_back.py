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
from dashboard.pages.runs.page import title_of
from invoicing.operations.runs.discarding import REASON_LENGTH, discard_drafts, reject_run
from invoicing.queries import run_figures
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

    Without a selection it is the whole run that is rejected.
    """
    actor = request.actor
    run = get_run_to_approve(actor, key_of("run", run_id))
    values = request.POST if request.method == "POST" else request.GET
    ids = picked(values, "inv")
    sums = run_figures.sums_of_drafts(actor, run.pk, ids) if ids else []
    if not ids:
        sums = [one for one in run_figures.sums_of(actor, [run.pk]).get(run.pk, []) if one.drafts]
    drafts = sum(one.drafts for one in sums)
    if not drafts:
        messages.info(request, _("Nothing of this run waits for approval any more."))
        return redirect("runs:page", run.public_id)
    error, status = "", HTTPStatus.OK
    reason, way = values.get("reason", ""), values.get("way", "discard")
    if request.method == "POST":
        now = clock.now_of(request.tenant)
        try:
            if ids:
                discard_drafts(
                    actor,
                    ids,
                    reason=reason,
                    hold=way == "hold",
                    until=_day(values.get("until", "")),
                    today=actor.today,
                    now=now,
                )
            else:
                reject_run(actor, run.pk, reason=reason, now=now)
        except BillingError as refusal:
            error, status = refusal.detail, HTTPStatus(refusal.status)
        else:
            done = ngettext("%(count)s draft taken back.", "%(count)s drafts taken back.", drafts)
            messages.success(request, done % {"count": quantity(drafts)})
            return redirect("runs:page", run.public_id)
    context = {
        "run_id": run.public_id,
        "title": _("Take back the selected drafts?") if ids else _("Reject the run?"),
        "steps": [
            Crumb(_("Billing runs"), "../../"),
            Crumb(title_of(run), "../"),
            Crumb(_("Take back") if ids else _("Reject")),
        ],
        "ids": values.getlist("ids") if ids else [],
        "sums": sums,
        "drafts": drafts,
        "error": error,
        "reason": reason,
        "until": values.get("until", ""),
        "way": way if way in _WAYS else "discard",
        "most": REASON_LENGTH,
    }
    in_dialog = bool(request.headers.get("HX-Request"))
    template = "runs/_taking_back_dialog.html" if in_dialog else "runs/taking_back.html"
    return render(request, template, context, status=status)
