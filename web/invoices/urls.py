"""Addresses of invoices, the same below the dashboard's root and below the portal's."""

from django.urls import path

from web.invoices import files as invoice_files
from web.invoices import glance as invoice_glance
from web.invoices import listing as invoices
from web.invoices import page as invoice
from web.invoices import selection as invoice_selection

app_name = "invoices"
urlpatterns = [
    path("", invoices.invoice_list, name="list"),
    path("selection/", invoice_selection.selection, name="selection"),
    path("<str:invoice_id>/", invoice.invoice_page, name="page"),
    path("<str:invoice_id>/glance/", invoice_glance.glance, name="glance"),
    path("<str:invoice_id>/pdf", invoice_files.invoice_pdf, name="pdf"),
    path("<str:invoice_id>/pdf/retry/", invoice_files.retry_pdf, name="retry_pdf"),
    path("<str:invoice_id>/annex.csv", invoice_files.invoice_annex, name="annex"),
    path("<str:invoice_id>/sections/<int:position>/", invoice.invoice_section, name="section"),
    path("<str:invoice_id>/lines/<str:line_id>/why/", invoice.why, name="why"),
]
