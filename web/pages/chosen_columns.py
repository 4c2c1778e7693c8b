"""The columns of each table that somebody wants to see, remembered on the device."""

import re
from urllib.parse import parse_qsl, urlencode, urlsplit

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_POST

from accounts.middleware import without_actor
from web.pages.sign_in import local_target
from web.tables.state import ADDRESS_OF_PAGE, columns_cookie

_YEAR = 365 * 24 * 3600
_KEY = re.compile(r"[a-z_]{1,40}")
_TABLE = re.compile(r"[a-z-]{1,40}")
_MOST = 50


@without_actor
@require_POST
def choose(request: HttpRequest) -> HttpResponse:
    """Remember the columns of a table, or forget them, and go back to its first page.

    What is no name of a column is left out here, what the table does not have where it is read.
    """
    response = redirect(_without_columns(local_target(request, "/")))
    table = request.POST.get("table", "")
    if not _TABLE.fullmatch(table):
        return response
    chosen = [key for key in request.POST.getlist("columns")[:_MOST] if _KEY.fullmatch(key)]
    cookie = columns_cookie(table)
    if chosen and "reset" not in request.POST:
        response.set_cookie(cookie, ".".join(chosen), max_age=_YEAR, samesite="Lax")
    else:
        response.delete_cookie(cookie, samesite="Lax")
    return response


def _without_columns(target: str) -> str:
    """Return an address without its own columns, which go before those that are remembered."""
    parts = urlsplit(target)
    dropped = {"columns", *ADDRESS_OF_PAGE}
    query = [pair for pair in parse_qsl(parts.query) if pair[0] not in dropped]
    return parts._replace(query=urlencode(query)).geturl()
