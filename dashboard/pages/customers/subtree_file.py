"""An account and all below it as a workbook or CSV that the import reads back unchanged."""

import csv
import io
from collections.abc import Mapping, Sequence

import xlsxwriter
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from accounts.exports import harmless
from accounts.middleware import ActorRequest
from accounts.operations.importing.columns import ACCOUNT_COLUMNS
from accounts.operations.importing.subtree_rows import (
    TooManyRows,
    WithoutExternalId,
    subtree_rows,
)
from accounts.queries.paths import path_of
from tenancy.ids import key_of
from web.accounts import account_url
from web.list_pages import one_of
from web.session_checks import staff_only
from web.tables.exports import XLSX
from web.tables.file_names import attachment, file_name


@require_safe
@staff_only
def subtree_file(request: ActorRequest, account_id: str) -> HttpResponse:
    """Return the workbook, or a CSV, or lead back with the reason why there is none."""
    wanted = one_of(request.GET, "format", {"csv", "xlsx"}) or "xlsx"
    actor, key = request.actor, key_of("acc", account_id)
    account = path_of(actor, key)[-1]
    try:
        rows = subtree_rows(actor, key, today=actor.today)
    except (WithoutExternalId, TooManyRows) as refusal:
        messages.error(request, refusal.detail)
        return redirect(account_url(key))
    names = [column.name for column in ACCOUNT_COLUMNS.in_order]
    if wanted == "csv" and (cell := _formula(rows)):
        text = _("“%(cell)s” would be taken for a formula in a CSV file. Take the workbook.")
        messages.error(request, text % {"cell": cell[:60]})
        return redirect(account_url(key))
    response = _csv(names, rows) if wanted == "csv" else _workbook(names, rows)
    name = file_name(account.name, _("import"), day=actor.today, ending=wanted)
    response.headers["Content-Disposition"] = attachment(name)
    return response


def _formula(rows: Sequence[Mapping[str, str]]) -> str:
    """Return a cell that spreadsheets compute; made harmless, it would come back as another."""
    cells = (cell for row in rows for cell in row.values())
    return next((cell for cell in cells if harmless(cell) != cell), "")


def _csv(names: Sequence[str], rows: Sequence[Mapping[str, str]]) -> HttpResponse:
    """Return a file with commas in UTF-8, which has one form in every language (R30)."""
    response = HttpResponse("\ufeff", content_type="text/csv; charset=utf-8")
    writer = csv.DictWriter(response, names, lineterminator="\r\n")
    writer.writeheader()
    writer.writerows(rows)
    return response


def _workbook(names: Sequence[str], rows: Sequence[Mapping[str, str]]) -> HttpResponse:
    """Return a workbook whose cells are text: nothing is computed, zeros before digits stay."""
    file = io.BytesIO()
    with xlsxwriter.Workbook(file, {"in_memory": True}) as book:
        sheet = book.add_worksheet(_("Accounts")[:31])
        sheet.freeze_panes(1, 1)
        for number, cells in enumerate([dict(zip(names, names, strict=True)), *rows]):
            for place, name in enumerate(names):
                sheet.write_string(number, place, cells[name])
    return HttpResponse(file.getvalue(), content_type=XLSX)
