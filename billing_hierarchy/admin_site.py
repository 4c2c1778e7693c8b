"""Django's admin for the platform's operators: read-only, one tenant at a time, with a reason.

Whoever enters a tenant says why; that is written to the tenant's own audit trail. For half an hour
every admin page then runs in that tenant's transaction, on the application's ordinary connection:
row security shows nothing of anybody else.
"""

from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from functools import wraps
from http import HTTPStatus
from typing import Any, cast
from uuid import UUID

from django.contrib.admin import AdminSite
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.template.response import SimpleTemplateResponse, TemplateResponse
from django.urls import URLPattern, URLResolver, path, reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

import accounts.admin
import invoicing.admin
import subscriptions.admin
from accounts.admin.names import name_columns
from accounts.middleware import without_actor
from accounts.models import Person
from accounts.operations.operators import enter_tenant
from tenancy import database
from tenancy.actor import Actor
from tenancy.clock import today_of
from tenancy.database.lookup import find_tenant_id
from tenancy.errors import Invalid
from tenancy.models import Tenant

ENTERED_FOR = timedelta(minutes=30)
_TENANT, _UNTIL, _NAME = "operator_tenant", "operator_until", "operator_tenant_name"

View = Callable[..., HttpResponseBase]


class OperatorSite(AdminSite):
    """The admin: operators only; every page in the transaction of the tenant they entered."""

    site_header = gettext_lazy("Platform operators")
    site_title = gettext_lazy("Platform operators")
    index_title = gettext_lazy("What this tenant has")
    enable_nav_sidebar = False

    def has_permission(self, request: HttpRequest) -> bool:
        """Return whether it is an operator who asks."""
        person = request.user
        return isinstance(person, Person) and person.is_active and person.is_operator

    def login(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        """Send those who are not signed in to the product's own sign-in; refuse the others."""
        if request.user.is_authenticated:
            text = _("This page is for operators of the platform.")
            return HttpResponse(text, status=HTTPStatus.FORBIDDEN, content_type="text/plain")
        query = urlencode({"next": request.GET.get("next", reverse("admin:index"))})
        return redirect(f"{reverse('sign_in')}?{query}")

    def admin_view(self, view: Any, cacheable: bool = False) -> Any:
        """Run a page in the transaction of the tenant entered; without one, ask for it first."""

        def inside(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            tenant_id = entered_tenant(request)
            if tenant_id is None:
                return redirect("admin:enter")
            with database.scope(tenant_id):
                response: HttpResponseBase = view(request, *args, **kwargs)
                if isinstance(response, SimpleTemplateResponse):
                    response.render()
                return response

        return super().admin_view(inside, cacheable)

    def get_urls(self) -> list[Any]:
        """Return Django's addresses and those for entering and leaving a tenant."""
        entering = [
            path("enter/", super().admin_view(self.enter), name="enter"),
            path("leave/", super().admin_view(self.leave), name="leave"),
        ]
        urls = [*entering, *super().get_urls()]
        _mark_without_actor(urls)
        return urls

    def each_context(self, request: HttpRequest) -> dict[str, Any]:
        """Add which tenant was entered, and until when."""
        is_inside = entered_tenant(request) is not None
        return {
            **super().each_context(request),
            "entered": request.session.get(_NAME, "") if is_inside else "",
            "entered_until": _until(request) if is_inside else None,
        }

    def enter(self, request: HttpRequest) -> HttpResponse:
        """Ask for a tenant's short name and a reason; write it down and open the tenant."""
        slug, reason = request.POST.get("slug", "").strip(), request.POST.get("reason", "")
        problem = self._enter(request, slug, reason) if request.method == "POST" else ""
        if request.method == "POST" and not problem:
            return redirect("admin:index")
        context = {
            **self.each_context(request),
            "title": _("Enter a tenant"),
            "slug": slug,
            "reason": reason,
            "problem": problem,
        }
        status = HTTPStatus.UNPROCESSABLE_ENTITY if problem else HTTPStatus.OK
        return TemplateResponse(request, "admin/enter_tenant.html", context, status=status)

    def _enter(self, request: HttpRequest, slug: str, reason: str) -> str:
        """Enter; return what is wrong, empty when the tenant is open."""
        person, now = cast(Person, request.user), datetime.now(UTC)
        tenant_id = find_tenant_id(slug)
        if tenant_id is None:
            return _("There is no tenant with this short name.")
        with database.scope(tenant_id):
            tenant = Tenant.objects.get(pk=tenant_id)
            actor = Actor(
                tenant_id=tenant_id,
                kind="person",
                label=person.name or person.email,
                origin="admin",
                person_id=person.pk,
                today=today_of(tenant),
                request_id=getattr(request, "request_id", ""),
            )
            try:
                enter_tenant(actor, reason=reason, now=now)
            except Invalid as refusal:
                return refusal.detail
            request.session[_NAME] = tenant.name
        request.session[_TENANT] = str(tenant_id)
        request.session[_UNTIL] = (now + ENTERED_FOR).timestamp()
        return ""

    def leave(self, request: HttpRequest) -> HttpResponse:
        """Close the tenant."""
        if request.method == "POST":
            for name in (_TENANT, _UNTIL, _NAME):
                request.session.pop(name, None)
        return redirect("admin:enter")


def entered_tenant(request: HttpRequest) -> UUID | None:
    """Return the tenant that the operator has entered, None when the time is up."""
    until = _until(request)
    if until is None or until <= datetime.now(UTC):
        return None
    return UUID(request.session[_TENANT])


def _until(request: HttpRequest) -> datetime | None:
    stamp = request.session.get(_UNTIL)
    return None if stamp is None else datetime.fromtimestamp(stamp, UTC)


def _mark_without_actor(urls: Iterable[URLPattern | URLResolver]) -> None:
    """Keep the middleware from opening the operator's own tenant around these pages."""
    for one in urls:
        if isinstance(one, URLResolver):
            _mark_without_actor(one.url_patterns)
        else:
            one.callback = without_actor(_calling(one.callback))


def _calling(view: View) -> View:
    """Return a function that calls ``view``, which may be a method and can't be marked."""

    @wraps(view)
    def call(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        return view(request, *args, **kwargs)

    return call


site = OperatorSite(name="admin")
for admins in (accounts.admin.ADMINS, subscriptions.admin.ADMINS, invoicing.admin.ADMINS):
    for model, admin in admins.items():
        name_columns(model, *admin.names)
        site.register(model, admin)
