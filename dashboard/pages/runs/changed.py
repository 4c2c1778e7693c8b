"""Drafts that have changed since they were drafted: a note that comes after the page.

A run may have more drafts than anybody waits for. So they are compared in parts, each of which
calls for the next, and the note says of how many nobody knows.
"""

from collections.abc import Sequence
from typing import Any, Final
from urllib.parse import urlencode
from uuid import UUID

from django.contrib import messages
from django.core import signing
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods

from accounts import access
from accounts.access import Action
from accounts.middleware import ActorRequest
from invoicing.models import BillingRun
from invoicing.operations.runs.changed import (
    AT_ONCE,
    compare_drafts,
    count_drafts,
    refresh_drafts,
)
from invoicing.queries.invoices import invoices
from invoicing.queries.runs import get_run
from invoicing.tasks import refresh_soon
from tenancy.ids import key_of
from web.invoices.selection import picked
from web.session_checks import staff_only
from web.templatetags.figures import quantity

NAMED: Final = 5
_SALT: Final = "changed-drafts"
_SO_FAR: Final = "so_far"


@require_http_methods(["GET", "HEAD", "POST"])
@staff_only
def changed(request: ActorRequest, run_id: str) -> HttpResponse:
    """Name the drafts of a run, or those given, that have changed; POST drafts them again."""
    run = get_run(request.actor, key_of("run", run_id))
    return _refresh(request, run) if request.method == "POST" else _compare(request, run)


def _refresh(request: ActorRequest, run: BillingRun) -> HttpResponse:
    actor = request.actor
    access.require_everywhere(actor, Action.RUN_BILLING)
    if count_drafts(actor, run) > AT_ONCE:
        refresh_soon(actor, run)
        messages.success(
            request, _("The drafts are being compared and drafted again in the background.")
        )
        return redirect("runs:page", run.public_id)
    count = refresh_drafts(actor, run_id=run.pk, now=timezone.now())
    done = ngettext("%(count)s draft drafted again.", "%(count)s drafts drafted again.", count)
    messages.success(request, done % {"count": quantity(count)})
    return redirect("runs:page", run.public_id)


def _compare(request: ActorRequest, run: BillingRun) -> HttpResponse:
    """Compare the next part, and call for another or say what all of them found."""
    actor, so_far = request.actor, _so_far(request, run)
    only = picked(request.GET, "inv") or None
    after = so_far["after"]
    found = compare_drafts(
        actor, run, tenant=request.tenant, after=UUID(after) if after else None, only=only
    )
    names = [*so_far["names"], *map(str, found.changed)][:NAMED]
    count = so_far["count"] + len(found.changed)
    looked, passed_over = so_far["looked"] + found.looked, so_far["over"] + found.passed_over
    further = ""
    if found.last is not None and only is None:
        kept = {
            "of": str(run.pk), "after": str(found.last), "names": names, "count": count,
            "looked": looked, "over": passed_over,
        }  # fmt: skip
        further = urlencode({_SO_FAR: signing.dumps(kept, salt=_SALT, compress=True)})
    context = {
        "run": run,
        "run_id": run.public_id,
        "further": further,
        "total": count_drafts(actor, run) if further else 0,
        "is_all": only is None,
        "looked": looked,
        "passed_over": passed_over,
        "count": count,
        "drafts": _named(request, names),
        "more": max(0, count - NAMED),
        "may_refresh": access.allows_everywhere(actor, Action.RUN_BILLING),
        "note": _("An approval drafts them again by itself and shows the new figures first."),
    }
    return render(request, "runs/_changed.html", context)


def _named(request: ActorRequest, names: Sequence[str]) -> list[Any]:
    if not names:
        return []
    found = invoices(request.actor, today=request.actor.today).filter(pk__in=names)
    return list(found.order_by("id"))


def _so_far(request: ActorRequest, run: BillingRun) -> dict[str, Any]:
    """Return what the part before has left; nothing where it was not ours."""
    nothing = {"of": str(run.pk), "after": "", "names": [], "count": 0, "looked": 0, "over": 0}
    try:
        found = signing.loads(request.GET.get(_SO_FAR, ""), salt=_SALT, max_age=3_600)
    except signing.BadSignature:
        return nothing
    return found if found["of"] == str(run.pk) else nothing
