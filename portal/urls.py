"""Addresses of the portal."""

from django.urls import include, path

from portal.pages import overview
from web.invoices import urls as invoice_urls
from web.session_checks import signed_in

urlpatterns = [
    path("", signed_in(overview), name="portal"),
    path("invoices/", include(invoice_urls, namespace="portal-invoices")),
]
