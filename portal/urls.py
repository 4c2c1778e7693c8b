"""Addresses of the portal."""

from django.urls import include, path

from portal.pages import overview
from portal.requests import request_list, request_page
from web.calendar import urls as calendar_urls
from web.invoices import urls as invoice_urls
from web.session_checks import signed_in

urlpatterns = [
    path("", signed_in(overview), name="portal"),
    path("requests/", signed_in(request_list), name="portal-requests"),
    path("requests/<str:plan_id>/", signed_in(request_page), name="portal-request"),
    path("calendar/", include(calendar_urls, namespace="portal-calendar")),
    path("invoices/", include(invoice_urls, namespace="portal-invoices")),
]
