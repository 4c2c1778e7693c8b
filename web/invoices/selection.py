"""What is done with selected invoices: saved as a list, or as an archive of their PDFs."""

import tempfile
from datetime import datetime
from functools import partial
from typing import IO, Any, Final
from uuid import UUID

from django.contrib import messages
from django.db.models import QuerySet
from django.http import FileResponse, QueryDict
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_safe

from accounts.middleware import ActorRequest, Later
from invoicing.documents.bundle import MOST_FILES, TooManyFiles, write_bundle
from invoicing.models import Invoice
from invoicing.queries.invoice_sums import invoice_sums
from invoicing.queries.invoices import invoices
from tenancy import clock
from tenancy.errors import BillingError
from tenancy.ids import parse_public_id
from web.invoices.filters import filters_of, in_words
from web.invoices.listing import batches_of
from web.invoices.table import TABLE, totals_of
from web.list_pages import UnknownAccount, save
from web.requests import namespace_of
from web.session_checks import in_own_frame
from web.tables.exports import FORMATS, MOST_ROWS
from web.tables.file_names import attachment, file_name
from web.templatetags.figures import quantity

_IN_MEMORY: Final = 5_000_000
_OWN: Final = ("ids", "do", "everything")


@require_safe
@in_own_frame
def selection(request: ActorRequest) -> HttpResponseBase:
    """Hand out the selected invoices; what cannot be leads back to the list with the reason."""
    filters = filters_of(request.actor, request.GET)
    if filters.unknown_account:
        raise UnknownAccount(value=filters.unknown_account)
    found = invoices(
        request.actor, **filters.as_query(today=request.actor.today), status=filters.status
    )
    if request.GET.get("everything") != "1":
        found = found.filter(pk__in=picked(request.GET, "inv"))
    wanted = request.GET.get("do", "")
    if wanted in FORMATS:
        return _as_list(request, wanted, found)
    return _as_archive(request, found)


def picked(query: QueryDict, prefix: str) -> list[UUID]:
    """Return the rows that a form names, each once; nonsense is left out."""
    keys = (parse_public_id(prefix, text) for text in query.getlist("ids"))
    return [*dict.fromkeys(key for key in keys if key is not None)]


def _as_list(request: ActorRequest, wanted: str, found: QuerySet[Invoice]) -> HttpResponseBase:
    filters, state = (
        filters_of(request.actor, request.GET),
        TABLE.state(request.GET, request.COOKIES),
    )
    sums = invoice_sums(request.actor, found, today=request.actor.today)
    count = sum(one.count for one in sums)
    if not count:
        return _back(request, _("Nothing is selected."))
    if count > MOST_ROWS:
        return _back(
            request, _("A file has at most %(most)s rows.") % {"most": quantity(MOST_ROWS)}
        )
    text = ngettext("Selection: %(count)s invoice", "Selection: %(count)s invoices", count)
    words = [*in_words(filters), text % {"count": quantity(count)}]
    totals = totals_of(sums, request.tenant.currency)
    batches = batches_of(request, found, state)
    return save(request, wanted, TABLE, state, batches, totals, words)


def _as_archive(request: ActorRequest, found: QuerySet[Any]) -> HttpResponseBase:
    count = found.count()
    if not count:
        return _back(request, _("Nothing is selected."))
    if count > MOST_FILES:
        return _back(request, str(TooManyFiles(most=MOST_FILES, count=count)))
    ids = [*found.order_by().values_list("pk", flat=True)]
    return Later(partial(_archive, request, ids, now=clock.now_of(request.tenant)))


def _archive(request: ActorRequest, ids: list[UUID], *, now: datetime) -> HttpResponseBase:
    """Return the archive; missing files are laid out on the way, outside of any transaction."""
    file: IO[bytes] = tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY)  # noqa: SIM115
    try:
        write_bundle(request.actor, ids, file, now=now)
    except BillingError as refusal:
        file.close()
        return _back(request, refusal.detail)
    file.seek(0)
    day, owner = request.actor.today, request.tenant.slug
    name = file_name(owner, str(TABLE.title), day=day, ending="zip")
    headers = {"Content-Disposition": attachment(name)}
    return FileResponse(file, content_type="application/zip", headers=headers)


def _back(request: ActorRequest, reason: str) -> HttpResponseBase:
    messages.warning(request, reason)
    query = request.GET.copy()
    for name in _OWN:
        query.pop(name, None)
    url = reverse("invoices:list", current_app=namespace_of(request))
    return redirect(f"{url}?{query.urlencode()}" if query else url)
