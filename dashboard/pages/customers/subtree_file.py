"""An account and all below it as a workbook or CSV that the import reads back unchanged."""

import io

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from accounts.exports.import_files import ENDINGS, TakenForFormula, TooManyRows, write_import_file
from accounts.middleware import ActorRequest
from accounts.operations.importing.columns import ACCOUNT_COLUMNS
from accounts.operations.importing.subtree_rows import WithoutExternalId, subtree_rows
from accounts.queries.paths import path_of
from tenancy.ids import key_of
from web.accounts import account_url
from web.list_pages import one_of
from web.session_checks import staff_only
from web.tables.exports import CONTENT_TYPES
from web.tables.file_names import attachment, file_name


@require_safe
@staff_only
def subtree_file(request: ActorRequest, account_id: str) -> HttpResponse:
    """Return the workbook, or a CSV, or lead back with the reason why there is none."""
    wanted = one_of(request.GET, "format", set(ENDINGS)) or "xlsx"
    actor, key = request.actor, key_of("acc", account_id)
    account, file = path_of(actor, key)[-1], io.BytesIO()
    try:
        rows = subtree_rows(actor, key, today=actor.today)
        write_import_file(file, wanted, ACCOUNT_COLUMNS, [rows], sheet=_("Accounts"))
    except (WithoutExternalId, TooManyRows, TakenForFormula) as refusal:
        messages.error(request, refusal.detail)
        return redirect(account_url(key))
    response = HttpResponse(file.getvalue(), content_type=CONTENT_TYPES[wanted])
    name = file_name(account.name, _("import"), day=actor.today, ending=wanted)
    response.headers["Content-Disposition"] = attachment(name)
    return response
