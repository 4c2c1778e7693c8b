"""Importing below an account: a file that can create and change nothing elsewhere."""

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from accounts.middleware import ActorRequest
from accounts.models import Account
from accounts.queries.paths import path_of
from dashboard.pages.imports.columns import columns_file
from dashboard.pages.imports.listing import (
    ImportForm,
    kinds_of,
    stored_kinds,
    work_now_or_soon,
)
from subscriptions.operations.import_jobs import request_import
from tenancy.errors import Forbidden
from tenancy.files.kinds import import_kinds
from tenancy.ids import key_of
from tenancy.operations.jobs import PIECE
from web.accounts import account_url, steps_to
from web.page_heads import Crumb
from web.session_checks import staff_only

_PARENT, _OWNER = "parent_external_id", "account_external_id"


@require_http_methods(["GET", "HEAD", "POST"])
@staff_only
def import_below(request: ActorRequest, account_id: str) -> HttpResponse:
    """Ask for a file of accounts, subscriptions or contacts below an account; POST checks it."""
    actor, key = request.actor, key_of("acc", account_id)
    path, kinds = path_of(actor, key), kinds_of(request.actor, below=True)
    if not kinds:
        raise Forbidden
    if request.method != "POST":
        return _page(request, path, ImportForm(kinds=kinds), kinds)
    form = ImportForm(request.POST, request.FILES, kinds=kinds)
    if not form.is_valid():
        return _page(request, path, form, kinds, HTTPStatus.UNPROCESSABLE_ENTITY)
    file, now = form.cleaned_data["file"], timezone.now()
    job = request_import(
        actor,
        form.cleaned_data["kind"],
        file.chunks(PIECE),
        file_name=file.name or "",
        today=actor.today,
        within=key,
        now=now,
    )
    work_now_or_soon(actor, job, now=now)
    return redirect("imports:page", job.public_id)


@require_safe
@staff_only
def example_below(request: ActorRequest, account_id: str, kind: str) -> HttpResponse:
    """Return a filled file of a kind whose rows belong below an account."""
    if kind not in import_kinds() or import_kinds()[kind].run_below is None:
        raise Http404
    account = path_of(request.actor, key_of("acc", account_id))[-1]
    found = import_kinds()[kind]
    rows = _moved_below(found.columns.examples, account)
    return columns_file(found.columns, rows, account.name, str(found.label), _("example"))


def _moved_below(rows: Sequence[Mapping[str, str]], account: Account) -> list[dict[str, str]]:
    """Return example rows as rows of an account: the topmost hang on it, nothing above is named."""
    key = account.external_id or ""
    top = rows[0].get(_OWNER, "")
    return [
        {**row, _OWNER: key if row[_OWNER] == top else row[_OWNER]}
        if _OWNER in row
        else {**row, _PARENT: row.get(_PARENT) or key}
        for row in rows
    ]


def _page(
    request: ActorRequest,
    path: Sequence[Account],
    form: ImportForm,
    kinds: Sequence[str],
    status: HTTPStatus = HTTPStatus.OK,
) -> HttpResponse:
    account = path[-1]
    title = _("Import below “%(name)s”") % {"name": account.name}
    here = Crumb(account.name, account_url(account.pk))
    context: dict[str, Any] = {
        "account": account,
        "title": title,
        "steps": [*steps_to(path)[:-1], here, Crumb(title)],
        "form": form,
        "back_url": here.url,
        "export_url": account_url(account.pk, "subtree_file"),
        "edit_url": account_url(account.pk, "edit"),
        "kinds": [{"kind": kind, "label": import_kinds()[kind].label} for kind in kinds],
        "stored": stored_kinds(request.actor, below=True),
        "scope_name": account.name,
    }
    return render(request, "imports/below.html", context, status=status)
