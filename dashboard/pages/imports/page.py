"""One import: what it would do, the tree it would make, every error, and doing it."""

import csv
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Final
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_safe
from django.views.decorators.vary import vary_on_headers

from accounts import access
from accounts.access import Action
from accounts.exports import harmless
from accounts.middleware import ActorRequest
from accounts.queries.accounts import get_account
from accounts.queries.jobs import get_job, has_been_silent
from dashboard.pages.imports.listing import error_count, import_badge, work_now_or_soon
from subscriptions.operations.import_jobs import apply_import
from tenancy.actor import Actor
from tenancy.errors import Conflict
from tenancy.files.kinds import import_kinds
from tenancy.ids import key_of
from tenancy.models import Job
from web.accounts import account_url
from web.page_heads import Crumb
from web.requests import whole_number
from web.session_checks import staff_only
from web.tables.file_names import attachment, file_name
from web.templatetags.figures import quantity

ERRORS_A_PAGE: Final = 100
PATIENCE: Final = 5


@require_http_methods(["GET", "HEAD", "POST"])
@vary_on_headers("HX-Request")
@staff_only
def import_page(request: ActorRequest, job_id: str) -> HttpResponse:
    """Show an import; POST imports the very bytes that were checked."""
    actor = request.actor
    if request.method == "POST":
        return _apply(request, actor, job_id)
    job = _named(actor, job_id)
    context = _context(request, actor, job)
    if request.headers.get("HX-Request"):
        return render(request, "imports/_body.html", context)
    return render(request, "imports/page.html", context)


def _named(actor: Actor, text: str) -> Job:
    return get_job(actor, Job.Kind.IMPORT, key_of("job", text))


def _apply(request: ActorRequest, actor: Actor, job_id: str) -> HttpResponse:
    before = _named(actor, job_id)
    try:
        job = apply_import(actor, before.pk, now=timezone.now())
    except Conflict as refusal:
        messages.error(request, refusal.detail)
        context = _context(request, actor, before)
        return render(request, "imports/page.html", context, status=HTTPStatus.CONFLICT)
    if job.is_open:
        work_now_or_soon(actor, job, now=timezone.now())
    return redirect("imports:page", job.public_id)


def _context(request: ActorRequest, actor: Actor, job: Job) -> dict[str, Any]:
    stage, kind = job.params["stage"], import_kinds()[job.params["kind"]]
    counts = job.result.get("apply" if stage == "apply" else "check")
    changes = (counts["created"] + counts["updated"]) if counts else 0
    can_apply = (
        stage == "check" and job.status == Job.Status.DONE and not job.problems and changes > 0
    )
    top = get_account(actor, UUID(job.params["within"])) if job.params.get("within") else None
    tree = job.result.get("tree") or {"nodes": [], "total": 0}
    return {
        "job": job,
        "job_id": job.public_id,
        "title": job.params["file_name"] or _("Import"),
        "crumbs": [Crumb(_("Import"), "../"), Crumb(job.params["file_name"])],
        "top": top,
        "top_url": account_url(top.pk) if top else "",
        "again_url": account_url(top.pk, "import_below") if top else reverse("imports:list"),
        "badges": [import_badge(job)],
        "kind": kind.label,
        "is_waiting": job.is_open
        and has_been_silent(actor, job, seconds=PATIENCE, now=timezone.now()),
        "counts": None if job.problems or job.is_open else counts,
        "nothing_changes": stage == "check" and counts and not changes and not job.problems,
        "is_applied": stage == "apply" and job.status == Job.Status.DONE,
        "can_apply": can_apply and access.allows_everywhere(actor, Action(kind.action)),
        "apply_label": ngettext("Import %(count)s row", "Import %(count)s rows", changes)
        % {"count": quantity(changes)},
        "nodes": tree["nodes"] if stage == "check" and not job.is_open else [],
        "more_nodes": tree["total"] - len(tree["nodes"]),
        "encoding": _encoding((counts or {}).get("encoding", "")),
        "changes": [] if job.is_open or job.problems else (counts or {}).get("changes", []),
        "more_changes": max(0, counts["updated"] - len(counts.get("changes", ()))) if counts else 0,
        "warnings": [] if job.is_open or job.problems else (counts or {}).get("warnings", []),
        "warning_sentence": _warning_sentence((counts or {}).get("warning_count", 0)),
        "more_warnings": _beyond(counts, "warnings", "warning_count"),
        **_errors(request, job),
    }


def _warning_sentence(count: int) -> str:
    sentence = ngettext(
        "%(count)s row deserves a look; it does not hinder the import.",
        "%(count)s rows deserve a look; they do not hinder the import.",
        count,
    )
    return sentence % {"count": quantity(count)}


def _beyond(counts: Mapping[str, Any] | None, name: str, count: str) -> int:
    """Return how many of something are counted beyond those that are kept."""
    kept, counted = (counts or {}).get(name, ()), int((counts or {}).get(count, 0))
    return counted - len(kept)


def _encoding(name: str) -> str:
    """Return what to say of the encoding that was read, empty where it is the usual one."""
    return {
        "windows-1252": _("The file was read as Windows-1252, as German Excel saves it."),
        "utf-16": _("The file was read as UTF-16, as Excel saves “Unicode text”."),
        "xlsx": _("The first sheet of the workbook was read."),
    }.get(name, "")


def _errors(request: ActorRequest, job: Job) -> dict[str, Any]:
    """Return the errors of one page, and the pages beside it."""
    pages = max(1, -(-len(job.problems) // ERRORS_A_PAGE))
    page = min(max(whole_number(request.GET.get("page", ""), 1), 1), pages)
    first = (page - 1) * ERRORS_A_PAGE
    count = error_count(job) or 0
    sentence = ngettext(
        "The file has %(count)s error; nothing was stored.",
        "The file has %(count)s errors; nothing was stored.",
        count,
    )
    columns = import_kinds()[job.params["kind"]].columns
    return {
        "column_names": {*columns.required, *columns.optional},
        "errors": job.problems[first : first + ERRORS_A_PAGE],
        "error_count": count,
        "more_errors": count - len(job.problems),
        "error_sentence": sentence % {"count": quantity(count)},
        "error_page": page,
        "error_pages": pages,
        "previous_page": page - 1 if page > 1 else None,
        "next_page": page + 1 if page < pages else None,
    }


@require_safe
@staff_only
def errors_file(request: ActorRequest, job_id: str) -> HttpResponse:
    """Return all errors of an import as a file."""
    job = _named(request.actor, job_id)
    response = HttpResponse("\ufeff", content_type="text/csv; charset=utf-8")
    sent = str(job.params["file_name"]).rpartition(".")[0]
    name = file_name(sent, _("errors"), day=timezone.localtime(job.created_at).date(), ending="csv")
    response.headers["Content-Disposition"] = attachment(name)
    writer = csv.writer(response, lineterminator="\r\n")
    names = ("row", "column", "code", "detail")
    writer.writerow(names)
    for problem in job.problems:
        cells = ("" if problem[name] is None else str(problem[name]) for name in names)
        writer.writerow([harmless(cell) for cell in cells])
    return response
