"""An account and all below it as a workbook that the import reads back unchanged."""

import io

import xlsxwriter
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

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
from web.session_checks import staff_only
from web.tables.exports import XLSX
from web.tables.file_names import attachment, file_name


@require_safe
@staff_only
def subtree_file(request: ActorRequest, account_id: str) -> HttpResponse:
    """Return the workbook, or lead back with the reason why there is none."""
    actor, key = request.actor, key_of("acc", account_id)
    account = path_of(actor, key)[-1]
    try:
        rows = subtree_rows(actor, key, today=actor.today)
    except (WithoutExternalId, TooManyRows) as refusal:
        messages.error(request, refusal.detail)
        return redirect(account_url(key))
    names = [column.name for column in ACCOUNT_COLUMNS.in_order]
    file = io.BytesIO()
    # Every cell is text: nothing is taken for a formula, and postal codes keep their zeros.
    with xlsxwriter.Workbook(file, {"in_memory": True}) as book:
        sheet = book.add_worksheet(_("Accounts")[:31])
        sheet.freeze_panes(1, 1)
        for number, cells in enumerate([dict(zip(names, names, strict=True)), *rows]):
            for place, name in enumerate(names):
                sheet.write_string(number, place, cells[name])
    response = HttpResponse(file.getvalue(), content_type=XLSX)
    name = file_name(account.name, _("import"), day=actor.today, ending="xlsx")
    response.headers["Content-Disposition"] = attachment(name)
    return response
