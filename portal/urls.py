"""Addresses of the portal."""

from django.urls import include, path

from portal.pages import overview
from portal.pools import pool_list, pool_page
from portal.requests import request_list, request_page
from web.calendar import urls as calendar_urls
from web.invoices import urls as invoice_urls
from web.session_checks import signed_in

urlpatterns = [
    path("", signed_in(overview), name="portal"),
    path("requests/", signed_in(request_list), name="portal-requests"),
    path("requests/<str:plan_id>/", signed_in(request_page), name="portal-request"),
    path("pools/", signed_in(pool_list), name="portal-pools"),
    path("pools/<str:pool_id>/", signed_in(pool_page), name="portal-pool"),
    path("calendar/", include(calendar_urls, namespace="portal-calendar")),
    path("invoices/", include(invoice_urls, namespace="portal-invoices")),
]
