"""The books: what each check means, what the last one found, and a new one at once."""

from collections.abc import Iterable, Mapping
from typing import Any, Final
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods
from django.views.decorators.vary import vary_on_headers

from accounts import access
from accounts.access import Action
from accounts.middleware import ActorRequest
from accounts.queries.jobs import has_been_silent, jobs
from dashboard.pages.settings.sellers import tabs_of
from invoicing.models import BooksCheck, Invoice
from invoicing.operations.checking_books import request_books_check
from invoicing.queries.books import CHECKS, VIOLATIONS_SHOWN, last_checks
from invoicing.queries.invoices import invoices
from invoicing.tasks import check_books_soon
from invoicing.words.checks import WORDS
from tenancy.actor import Actor
from tenancy.models import Job
from web.badges import Badge
from web.session_checks import staff_only
from web.tables import Link

PATIENCE: Final = 5
OBJECTS_NAMED: Final = 10
"""So many objects that break a check are named on the page; the command names more."""


@require_http_methods(["GET", "HEAD", "POST"])
@vary_on_headers("HX-Request")
@staff_only
def books(request: ActorRequest) -> HttpResponse:
    """Show what the last check found; POST has everything checked anew in the background."""
    actor = request.actor
    access.require_everywhere(actor, Action.VIEW_INVOICE)
    if request.method == "POST":
        check_books_soon(actor, request_books_check(actor, now=timezone.now()))
        messages.info(request, _("The books are being checked."))
        return redirect("settings:books")
    context = _context(request, actor)
    template = (
        "settings/_books.html" if request.headers.get("HX-Request") else "settings/books.html"
    )
    return render(request, template, context)


def _context(request: ActorRequest, actor: Actor) -> dict[str, Any]:
    found = last_checks(actor)
    latest = jobs(actor, Job.Kind.CHECK).first()
    running = latest if latest is not None and latest.is_open else None
    documents = _documents_among(actor, found.values())
    rows = [_row(name, found.get(name), documents) for name in CHECKS]
    return {
        "tabs": tabs_of(request, "books"),
        "rows": rows,
        "broken": sum(1 for row in rows if row["is_broken"]),
        "checked": sum(1 for row in rows if row["at"]),
        "running": running,
        "is_waiting": running is not None
        and has_been_silent(actor, running, seconds=PATIENCE, now=timezone.now()),
        "problem": latest.problems[0]["detail"] if latest is not None and latest.problems else "",
    }


def _documents_among(actor: Actor, checks: Iterable[BooksCheck]) -> Mapping[UUID, Invoice]:
    """Return the documents among the objects that are named. One statement, none for none."""
    keys = {_key(one["object"]) for check in checks for one in check.violations[:OBJECTS_NAMED]}
    wanted = {key for key in keys if key is not None}
    return invoices(actor, today=actor.today).in_bulk(wanted) if wanted else {}


def _key(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


def _row(name: str, check: BooksCheck | None, documents: Mapping[UUID, Invoice]) -> dict[str, Any]:
    words = WORDS[name]
    row = {"name": name, "title": words.title, "meaning": words.meaning}
    if check is None:
        unchecked = Badge(_("Not checked yet"))
        return {**row, "badge": unchecked, "at": None, "is_broken": False, "objects": []}
    count = len(check.violations)
    more = count - OBJECTS_NAMED
    return {
        **row,
        "badge": Badge(_("Broken"), "bad") if count else Badge(_("Agrees"), "ok"),
        "is_broken": bool(count),
        "count": check.objects_checked,
        "at": check.checked_at,
        "objects": [_object(one["object"], documents) for one in check.violations[:OBJECTS_NAMED]],
        "more": max(0, more),
        "is_cut": count >= VIOLATIONS_SHOWN,
    }


def _object(text: str, documents: Mapping[UUID, Invoice]) -> Link:
    """Return how an object is named: a document by its number, everything else by its id."""
    key = _key(text)
    document = documents.get(key) if key is not None else None
    if document is None:
        return Link(text, "")
    url = reverse("invoices:page", args=[document.public_id])
    return Link(document.number or _("Draft"), url)
