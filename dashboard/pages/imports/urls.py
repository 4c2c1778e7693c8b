"""Addresses of imports."""

from django.urls import path

from dashboard.pages.imports import columns as imports_columns
from dashboard.pages.imports import listing as imports
from dashboard.pages.imports import page as imports_page
from dashboard.pages.imports import rows_file as imports_rows

app_name = "imports"
urlpatterns = [
    path("", imports.import_list, name="list"),
    path("columns/", imports_columns.columns_page, name="columns"),
    path("templates/<str:kind>.csv", imports_columns.template_file, name="template"),
    path("examples/<str:kind>.csv", imports_columns.example_file, name="example"),
    path("files/<str:kind>/", imports_rows.rows_file, name="rows"),
    path("<str:job_id>/", imports_page.import_page, name="page"),
    path("<str:job_id>/errors.csv", imports_page.errors_file, name="errors"),
]
