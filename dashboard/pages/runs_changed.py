"""Drafts that have changed since they were drafted: a note that comes after the page."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods

from accounts import access
from accounts.access import Action
from accounts.middleware import ActorRequest
from dashboard.pages.doors import staff_only
from dashboard.pages.invoice_selection import picked
from dashboard.templatetags.figures import quantity
from invoicing.operations.runs.changed import changed_drafts_of, refresh_drafts
from invoicing.queries.runs import get_run
from tenancy.ids import key_of

NAMED = 5


@require_http_methods(["GET", "HEAD", "POST"])
@staff_only
def changed(request: ActorRequest, run_id: str) -> HttpResponse:
    """Name the drafts of a run, or those given, that have changed; POST drafts them again."""
    actor = request.actor
    run = get_run(actor, key_of("run", run_id))
    if request.method == "POST":
        count = refresh_drafts(actor, run_id=run.pk, now=timezone.now())
        done = ngettext("%(count)s draft drafted again.", "%(count)s drafts drafted again.", count)
        messages.success(request, done % {"count": quantity(count)})
        return redirect("runs:page", run.public_id)
    only = picked(request.GET, "inv") or None
    found = changed_drafts_of(actor, run, tenant=request.tenant, only=only)
    context = {
        "run_id": run.public_id,
        "count": len(found),
        "drafts": found[:NAMED],
        "more": max(0, len(found) - NAMED),
        "may_refresh": access.allows_everywhere(actor, Action.RUN_BILLING),
        "note": _("An approval drafts them again by itself and shows the new figures first."),
    }
    return render(request, "runs/_changed.html", context)
