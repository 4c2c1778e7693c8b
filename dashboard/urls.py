"""Addresses of the dashboard, and of what is shared by everybody who signs in."""

from django.urls import include, path

from dashboard.pages import correcting, search, styleguide
from dashboard.pages.catalogue import urls as catalogue_urls
from dashboard.pages.charges import urls as charge_urls
from dashboard.pages.customers import urls as customer_urls
from dashboard.pages.imports import urls as import_urls
from dashboard.pages.plans import urls as plan_urls
from dashboard.pages.runs import urls as run_urls
from dashboard.pages.settings import urls as setting_urls
from dashboard.pages.subscriptions import urls as subscription_urls
from web.calendar import urls as calendar_urls
from web.invoices import urls as invoice_urls
from web.pages import chosen_columns, resuming, sign_in

urlpatterns = [
    path("", sign_in.home, name="home"),
    path("sign-in/", sign_in.sign_in, name="sign_in"),
    path("sign-out/", sign_in.sign_out, name="sign_out"),
    path("resume/", resuming.resume, name="resume"),
    path("companies/", sign_in.tenants, name="tenants"),
    path("columns/", chosen_columns.choose, name="columns"),
    path("appearance/", sign_in.appearance, name="appearance"),
    path("language/", include("django.conf.urls.i18n")),
    path("customers/", include(customer_urls, namespace="customers")),
    path("invoices/<str:invoice_id>/correction/", correcting.correct_page, name="correct_invoice"),
    path("invoices/", include(invoice_urls, namespace="invoices")),
    path("subscriptions/", include(subscription_urls, namespace="subscriptions")),
    path("charges/", include(charge_urls, namespace="charges")),
    path("calendar/", include(calendar_urls, namespace="calendar")),
    path("catalogue/", include(catalogue_urls, namespace="catalogue")),
    path("plans/", include(plan_urls, namespace="plans")),
    path("runs/", include(run_urls, namespace="runs")),
    path("import/", include(import_urls, namespace="imports")),
    path("settings/", include(setting_urls, namespace="settings")),
    path("search/", search.search, name="search"),
    path("search/accounts/", search.scope, name="scope"),
    path("styleguide/", styleguide.styleguide, name="styleguide"),
]
