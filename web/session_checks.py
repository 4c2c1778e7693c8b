"""Who may come in at which page: the decorators every page wears.

Reading and changing is decided by the queries and operations a page calls; here it is only about
being signed in, belonging somewhere, and seeing the page in the right frame.
"""

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec, cast

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.middleware import ActorRequest
from web.frame import is_staff
from web.kept_forms import ask_to_sign_in

P = ParamSpec("P")
ActorView = Callable[Concatenate[ActorRequest, P], HttpResponseBase]
View = Callable[Concatenate[HttpRequest, P], HttpResponseBase]

_PORTAL = "portal-"


def signed_in(view: ActorView[P]) -> View[P]:
    """Ask for sign-in first, and show times in the tenant's zone."""

    @wraps(view)
    def enter(request: HttpRequest, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
        seen = cast(ActorRequest, request)
        if not request.user.is_authenticated:
            return ask_to_sign_in(request)
        if seen.actor is None:
            raise PermissionDenied(_("You do not belong to any company here yet."))
        with timezone.override(seen.tenant.time_zone):
            return view(seen, *args, **kwargs)

    return cast(View[P], enter)


def staff_only(view: ActorView[P]) -> View[P]:
    """Let only the tenant's own people in."""

    @wraps(view)
    def enter(request: ActorRequest, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
        if not is_staff(request.actor):
            raise PermissionDenied(_("This page is for the staff of the company."))
        return view(request, *args, **kwargs)

    return signed_in(cast(ActorView[P], enter))


def in_own_frame(view: ActorView[P]) -> View[P]:
    """Show a page that dashboard and portal share at the address of the reader's own frame.

    So a link that somebody copied from the dashboard works for a customer as well.
    """

    @wraps(view)
    def enter(request: ActorRequest, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
        match = request.resolver_match
        if match is None:
            return view(request, *args, **kwargs)
        own = match.app_name if is_staff(request.actor) else f"{_PORTAL}{match.app_name}"
        if match.namespace == own:
            return view(request, *args, **kwargs)
        return _redirect_keeping_query(
            request, reverse(f"{own}:{match.url_name}", args=match.args, kwargs=match.kwargs)
        )

    return signed_in(cast(ActorView[P], enter))


def _redirect_keeping_query(request: HttpRequest, url: str) -> HttpResponse:
    query = request.META.get("QUERY_STRING", "")
    return redirect(f"{url}?{query}" if query else url)
