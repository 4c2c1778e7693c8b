"""Addresses of everything: dashboard, portal, API, health."""

from django.urls import URLPattern, URLResolver, include, path

from billing_hierarchy import health

# Dashboard and portal share the pages of invoices; the namespace tells in which of them they are.
urlpatterns: list[URLPattern | URLResolver] = [
    path("healthz", health.healthz, name="healthz"),
    path("readyz", health.readyz, name="readyz"),
    path("", include("dashboard.urls")),
    path("portal/", include("portal.urls")),
    path(
        "portal/invoices/",
        include("dashboard.pages.invoice_urls", namespace="portal-invoices"),
    ),
]

handler400 = "dashboard.pages.errors.bad_request"
handler403 = "dashboard.pages.errors.forbidden"
handler404 = "dashboard.pages.errors.not_found"
handler500 = "dashboard.pages.errors.server_error"
