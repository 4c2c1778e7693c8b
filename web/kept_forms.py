"""A session that ends while somebody is writing: what they wrote comes back after signing in.

The form travels through the sign-in as a signed field, so strangers store nothing here. Who has
signed in sees what would be sent, and sends it themselves: it is never sent for them.
"""

from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import urlencode, urlsplit

from django.conf import settings
from django.core import signing
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _

from web.forms import SignInForm

IN_SESSION: Final = "kept_form"
_SALT: Final = "kept-form"
_SECONDS: Final = 3600
_LARGEST: Final = 200_000
_NEVER_KEPT: Final = frozenset({"csrfmiddlewaretoken", "password"})


LABELS: Final[dict[str, Any]] = {}
"""What fields are called; each page with a form that may be interrupted adds its own."""


@dataclass(frozen=True, slots=True)
class KeptForm:
    """A form that was not taken: where it was sent to, and its fields in their order."""

    path: str
    fields: tuple[tuple[str, str], ...]


def ask_to_sign_in(request: HttpRequest) -> HttpResponse:
    """Answer whoever isn't signed in: by the sign-in page, at once or by leading to it.

    Parts of a page lead the whole page there, and back to it; a form that was sent is kept.
    """
    if request.headers.get("HX-Request") == "true":
        answer = HttpResponse(status=HTTPStatus.UNAUTHORIZED)
        answer.headers["HX-Redirect"] = sign_in_url(_page_with_form(request))
        return answer
    if request.method == "POST":
        return _with_form(request)
    # A plain redirection, as for every first visit.
    return HttpResponseRedirect(sign_in_url(request.get_full_path()))


def sign_in_url(target: str) -> str:
    """Return the address of the sign-in that leads on to ``target``."""
    return f"{reverse(settings.LOGIN_URL)}?{urlencode({'next': target}, safe='/')}"


def read(kept: str) -> KeptForm | None:
    """Return the form in a signed field, None if it is none of ours or an hour old."""
    try:
        path, fields = signing.loads(kept, salt=_SALT, max_age=_SECONDS)
    except (signing.BadSignature, ValueError, TypeError):
        return None
    return KeptForm(path, tuple((name, value) for name, value in fields))


def _with_form(request: HttpRequest) -> HttpResponse:
    """Show the sign-in, with the form that was sent inside it."""
    fields = [
        (name, value)
        for name, values in request.POST.lists()
        if name not in _NEVER_KEPT
        for value in values
    ]
    kept = signing.dumps([request.get_full_path(), fields], salt=_SALT, compress=True)
    is_whole = not request.FILES and len(kept) <= _LARGEST
    context = {
        "form": SignInForm(),
        "next": _page_of(request),
        "kept": kept if is_whole else "",
        "notice": _("Your session has ended. Sign in to go on: what you entered is kept.")
        if is_whole
        else _("Your session has ended. Sign in, then please send your file once more."),
    }
    return render(request, "sign_in/page.html", context, status=HTTPStatus.UNAUTHORIZED)


def _page_with_form(request: HttpRequest) -> str:
    """Return the page that a part belongs to; with what its form held, where that was sent along.

    A form that shows a preview of itself sends what it holds, and its page takes that up.
    """
    page = _page_of(request)
    is_form = request.method == "GET" and "csrfmiddlewaretoken" in request.GET
    if not is_form or request.path != urlsplit(page).path:
        return page
    held = [
        (name, value)
        for name, values in request.GET.lists()
        if name not in _NEVER_KEPT
        for value in values
    ]
    return f"{request.path}?{urlencode(held)}"


def _page_of(request: HttpRequest) -> str:
    """Return the page that a part or a form belongs to, as far as the browser says."""
    said = request.headers.get("HX-Current-URL") or request.headers.get("Referer", "")
    is_ours = url_has_allowed_host_and_scheme(
        said, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    )
    if not is_ours:
        return "/"
    parts = urlsplit(said)
    return f"{parts.path or '/'}?{parts.query}" if parts.query else parts.path or "/"
