"""Signing in and out, choosing a company, choosing an appearance."""

from http import HTTPStatus
from typing import Any, cast

from django.conf import settings
from django.contrib.auth import login, logout
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import check_for_language
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from accounts.middleware import TENANT_IN_SESSION, ActorRequest, with_tenants, without_actor
from accounts.models import Person
from tenancy.ids import parse_public_id
from web import kept_forms, sign_in_limits, sign_in_notes
from web.forms import SignInForm
from web.frame import DENSITY_COOKIE, KEYS_COOKIE, THEME_COOKIE, THEMES, is_staff
from web.password_check import Busy, check_password
from web.session_checks import signed_in

_YEAR = 365 * 24 * 3600
_KEPT = {THEME_COOKIE: THEMES, DENSITY_COOKIE: {"compact"}, KEYS_COOKIE: {"off"}}


def local_target(request: HttpRequest, default: str) -> str:
    """Return where to go next: what was asked for if it is on this site, else ``default``."""
    wanted = request.POST.get("next", request.GET.get("next", ""))
    # A bare word would be taken for the name of a page.
    is_local = wanted.startswith("/") and url_has_allowed_host_and_scheme(
        wanted, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    )
    return wanted if is_local else default


@without_actor
@sensitive_post_parameters("password")
@never_cache
@require_http_methods(["GET", "POST"])
def sign_in(request: HttpRequest) -> HttpResponse:
    """Show the form; sign in and go on to where the person wanted to go."""
    target = local_target(request, settings.LOGIN_REDIRECT_URL)
    if request.method == "GET" and request.user.is_authenticated:
        return redirect(target)
    form = SignInForm(request.POST or None)
    if form.is_valid():
        return _try(request, form, target)
    status = HTTPStatus.UNPROCESSABLE_ENTITY if form.is_bound else HTTPStatus.OK
    return _form(request, form, target, status)


def _try(request: HttpRequest, form: SignInForm, target: str) -> HttpResponse:
    """Look at address and password, within the limits; go on, or show the form again."""
    email, password = form.cleaned_data["email"], form.cleaned_data["password"]
    client = sign_in_limits.client_of(request)
    attempt = sign_in_limits.attempt_of(request, email)
    if not attempt.take():
        sign_in_notes.note_refusal(email, client, "too many attempts")
        form.add_error(None, _("Too many attempts. Please wait five minutes and try again."))
        return _form(request, form, target, HTTPStatus.TOO_MANY_REQUESTS)
    try:
        person = check_password(request, email, password)
    except Busy:
        attempt.give_back()
        sign_in_notes.note_refusal(email, client, "busy")
        form.add_error(None, _("Many people are signing in just now. Please try again."))
        response = _form(request, form, target, HTTPStatus.SERVICE_UNAVAILABLE)
        response.headers["Retry-After"] = "2"
        return response
    if person is None:
        form.add_error(
            None, _("E-mail and password do not match. Please check both and try again.")
        )
        response = _form(request, form, target, HTTPStatus.UNPROCESSABLE_ENTITY)
        sign_in_notes.note_failure(request, response, email, client, "no match")
        return response
    attempt.start_afresh()
    login(request, person)
    sign_in_notes.note_success(request, person, client)
    kept = request.POST.get("kept", "")
    if kept_forms.read(kept):
        request.session[kept_forms.IN_SESSION] = kept
        target = reverse("resume")
    response = _in_own_language(HttpResponseRedirect(target), request, person)
    sign_in_limits.remember_device(request, response, email)
    return response


def _form(request: HttpRequest, form: SignInForm, target: str, status: HTTPStatus) -> HttpResponse:
    context = {"form": form, "next": target, "kept": request.POST.get("kept", "")}
    return render(request, "sign_in/page.html", context, status=status)


def _in_own_language(response: HttpResponse, request: HttpRequest, person: Person) -> HttpResponse:
    """Turn to the person's language, unless another was chosen on this device."""
    is_chosen = settings.LANGUAGE_COOKIE_NAME in request.COOKIES
    if not is_chosen and person.language and check_for_language(person.language):
        response.set_cookie(settings.LANGUAGE_COOKIE_NAME, person.language, samesite="Lax")
    return response


@without_actor
@require_POST
def sign_out(request: HttpRequest) -> HttpResponse:
    """End the session."""
    logout(request)
    return redirect(settings.LOGOUT_REDIRECT_URL)


@never_cache
@require_http_methods(["GET", "POST"])
@with_tenants
@signed_in
def tenants(request: ActorRequest) -> HttpResponse:
    """Show the companies that the person belongs to; go over to the chosen one."""
    if request.method == "GET":
        rows = [
            {"id": one.public_id, "name": one.name, "is_current": one.pk == request.tenant.pk}
            for one in request.tenants
        ]
        return render(request, "sign_in/tenants.html", {"tenants": rows})
    chosen = parse_public_id("ten", request.POST.get("tenant", ""))
    if chosen not in {one.pk for one in request.tenants}:
        raise Http404
    request.session[TENANT_IN_SESSION] = str(chosen)
    return redirect("home")


@without_actor
@require_POST
def appearance(request: HttpRequest) -> HttpResponse:
    """Remember on this device: light, dark or as the system, high or low rows, keys or none."""
    response = redirect(local_target(request, "/"))
    for cookie, values in _KEPT.items():
        value = request.POST.get(cookie)
        if value is not None and value in values:
            response.set_cookie(cookie, value, max_age=_YEAR, samesite="Lax")
        elif value is not None:
            response.delete_cookie(cookie, samesite="Lax")
    return response


def home(request: HttpRequest) -> HttpResponseBase:
    """Go on to the first room of whoever is here; operators belong to no company."""
    person = request.user
    if isinstance(person, Person) and person.is_operator and cast(Any, request).actor is None:
        return redirect("admin:index")
    return _first_room(request)


@signed_in
def _first_room(request: ActorRequest) -> HttpResponse:
    return redirect("invoices:list" if is_staff(request.actor) else "portal")
