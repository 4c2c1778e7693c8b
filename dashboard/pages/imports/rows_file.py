"""What is there of a kind as a file that the import reads back unchanged."""

import tempfile
from typing import IO, Final

from django.contrib import messages
from django.http import FileResponse, Http404, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from accounts.exports.import_files import ENDINGS, TakenForFormula, TooManyRows, write_import_file
from accounts.middleware import ActorRequest
from accounts.models import Account
from accounts.queries.paths import path_of
from tenancy.files.kinds import import_kinds
from tenancy.ids import key_of
from web.accounts import account_url
from web.list_pages import one_of
from web.session_checks import staff_only
from web.tables.exports import CONTENT_TYPES
from web.tables.file_names import attachment, file_name

MOST_AT_ONCE: Final = 50_000
"""Larger files take longer than anybody waits for a page; they go through the command line."""
_IN_MEMORY: Final = 1_000_000


@require_safe
@staff_only
def rows_file(request: ActorRequest, kind: str) -> HttpResponseBase:
    """Return a workbook or CSV, of all or of what belongs to an account and those below it."""
    found = import_kinds().get(kind)
    if found is None or found.rows is None:
        raise Http404
    actor, wanted = request.actor, one_of(request.GET, "format", set(ENDINGS)) or "xlsx"
    top = _top(request)
    if top is not None and found.run_below is None:
        raise Http404
    within = None if top is None else top.pk
    file: IO[bytes] = tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY)  # noqa: SIM115
    try:
        rows = found.rows(actor, within=within, today=actor.today)
        label = str(found.label)
        write_import_file(file, wanted, found.columns, rows, sheet=label, most=MOST_AT_ONCE)
    except (TakenForFormula, TooManyRows) as refusal:
        file.close()
        return _back(request, top, refusal.detail)
    file.seek(0)
    owner = request.tenant.slug if top is None else top.name
    name = file_name(owner, label, _("import"), day=actor.today, ending=wanted)
    headers = {"Content-Disposition": attachment(name)}
    return FileResponse(file, content_type=CONTENT_TYPES[wanted], headers=headers)


def _top(request: ActorRequest) -> Account | None:
    """Return the account that the address bounds the file to."""
    text = request.GET.get("in", "")
    return path_of(request.actor, key_of("acc", text))[-1] if text else None


def _back(request: ActorRequest, top: Account | None, why: str) -> HttpResponse:
    messages.error(request, why)
    return redirect(reverse("imports:list") if top is None else account_url(top.pk, "import_below"))
