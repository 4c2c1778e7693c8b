"""Addresses of everything: dashboard, portal, API, health."""

from django.urls import URLPattern, URLResolver, include, path, re_path

from billing_hierarchy import api_urls, health
from billing_hierarchy.admin_site import site
from billing_hierarchy.api_errors import unknown_address
from web.calendar.feed import calendar_feed

# Dashboard and portal share the pages of invoices; the namespace tells in which of them they are.
urlpatterns: list[URLPattern | URLResolver] = [
    path("healthz", health.healthz, name="healthz"),
    path("readyz", health.readyz, name="readyz"),
    path("api/v1/", include(api_urls)),
    re_path("^api/", unknown_address),
    path("developers/api/", api_urls.reference, name="developers_api"),
    path("admin/", site.urls),
    path("ical/<str:token>.ics", calendar_feed, name="calendar_feed"),
    path("", include("dashboard.urls")),
    path("portal/", include("portal.urls")),
]

handler400 = "web.pages.errors.bad_request"
handler403 = "web.pages.errors.forbidden"
handler404 = "web.pages.errors.not_found"
handler500 = "web.pages.errors.server_error"
