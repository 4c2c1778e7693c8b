"""Addresses of the dashboard, and of what is shared by everybody who signs in."""

from django.urls import include, path

from dashboard.pages import chosen_columns, resuming, search, sign_in, styleguide

urlpatterns = [
    path("", sign_in.home, name="home"),
    path("sign-in/", sign_in.sign_in, name="sign_in"),
    path("sign-out/", sign_in.sign_out, name="sign_out"),
    path("resume/", resuming.resume, name="resume"),
    path("companies/", sign_in.tenants, name="tenants"),
    path("columns/", chosen_columns.choose, name="columns"),
    path("appearance/", sign_in.appearance, name="appearance"),
    path("language/", include("django.conf.urls.i18n")),
    path("customers/", include("dashboard.pages.customers.urls", namespace="customers")),
    path("invoices/", include("dashboard.pages.invoice_urls", namespace="invoices")),
    path("runs/", include("dashboard.pages.runs_urls", namespace="runs")),
    path("import/", include("dashboard.pages.imports_urls", namespace="imports")),
    path("settings/", include("dashboard.pages.settings_urls", namespace="settings")),
    path("search/", search.search, name="search"),
    path("search/accounts/", search.scope, name="scope"),
    path("styleguide/", styleguide.styleguide, name="styleguide"),
]
