"""Changing more accounts than at once: how far it is, what it does, stopping and going on."""

from datetime import date
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods
from django.views.decorators.vary import vary_on_headers

from accounts import access
from accounts.access import Action
from accounts.declarations import SETTINGS
from accounts.middleware import ActorRequest
from accounts.operations.accounts.editing_jobs import APPLY, CHECK, apply_edit, stop_edit
from accounts.queries.jobs import get_job, has_been_silent
from accounts.tasks import edit_soon
from dashboard.pages.customers.many_words import (
    SHOWN,
    WHY,
    Named,
    Refused,
    apply_label,
    said_change,
)
from tenancy.errors import Conflict
from tenancy.ids import key_of
from tenancy.models import Job
from web.accounts import account_url
from web.page_heads import Crumb
from web.session_checks import staff_only
from web.templatetags.figures import quantity

_PATIENCE = 5


@require_http_methods(["GET", "HEAD", "POST"])
@vary_on_headers("HX-Request")
@staff_only
def edit_job(request: ActorRequest, job_id: str) -> HttpResponse:
    """Show how far a change of very many accounts is; POST begins it, stops it or goes on."""
    actor, now = request.actor, timezone.now()
    job = get_job(actor, Job.Kind.EDIT, key_of("job", job_id))
    if request.method == "POST":
        try:
            if request.POST.get("do") == "stop":
                stop_edit(actor, job.pk, now=now)
            elif apply_edit(actor, job.pk, today=actor.today, now=now).is_open:
                edit_soon(actor, job.pk)
        except Conflict as refusal:
            messages.error(request, refusal.detail)
        return redirect("customers:edit_job", job.public_id)
    is_part = bool(request.headers.get("HX-Request"))
    template = "customers/_many_job.html" if is_part else "customers/many_job.html"
    return render(request, template, _context(request, job))


def _context(request: ActorRequest, job: Job) -> dict[str, Any]:
    stage, wanted = job.params["stage"], job.params["wanted"]
    tally = job.result.get(stage, {})
    refused = tally.get("refused", {})
    changing = tally.get("changing", 0)
    may_edit = access.allows_everywhere(request.actor, Action.EDIT_ACCOUNT)
    is_stopped = job.status in (Job.Status.STOPPED, Job.Status.FAILED)
    is_looked_at = stage == CHECK and job.status == Job.Status.DONE
    text = ngettext("Change %(count)s account", "Change %(count)s accounts", job.total)
    title = text % {"count": quantity(job.total)}
    setting = next(iter(wanted["settings"]), "")
    return {
        "job": job,
        "title": title,
        "steps": [Crumb(_("Customers"), reverse("customers:list")), Crumb(title)],
        "is_waiting": job.is_open
        and has_been_silent(request.actor, job, seconds=_PATIENCE, now=timezone.now()),
        "is_applied": stage == APPLY,
        "is_through": stage == APPLY and job.status == Job.Status.DONE,
        "is_stopped": is_stopped,
        "why_failed": job.problems[0]["detail"] if job.problems else "",
        "progress": {"done": quantity(job.done), "total": quantity(job.total)},
        "counts": {
            "changing": quantity(changing),
            "same": quantity(tally.get("same", 0)),
            "refused": quantity(sum(ones[0] for ones in refused.values())),
        },
        "changes": [said_change(one) for one in tally.get("first", ())],
        "more_changes": max(0, changing - SHOWN),
        "refused": [_refused(code, *ones) for code, ones in refused.items()],
        "keepers": [Named(name, account_url(UUID(key))) for key, name in tally.get("keepers", ())],
        "more_keepers": tally.get("keeper_count", 0) - len(tally.get("keepers", ())),
        "followers": tally.get("follower_count") or 0,
        "setting": SETTINGS[setting].label if setting else "",
        "day": date.fromisoformat(wanted["day"]) if setting else None,
        "apply_label": apply_label(changing),
        "can_apply": may_edit and is_looked_at and changing > 0,
        "nothing_changes": is_looked_at and not changing,
        "can_stop": may_edit and job.is_open,
        "can_go_on": may_edit and is_stopped and stage == APPLY,
        "back_url": job.params["back"] or reverse("customers:list"),
    }


def _refused(code: str, count: int, *first: tuple[str, str]) -> Refused:
    named = [Named(name, account_url(UUID(key))) for key, name in first]
    return Refused(str(WHY[code]), named, count - len(named))
