"""Addresses of imports."""

from django.urls import path

from dashboard.pages import imports, imports_page

app_name = "imports"
urlpatterns = [
    path("", imports.import_list, name="list"),
    path("templates/<str:kind>.csv", imports.template_file, name="template"),
    path("<str:job_id>/", imports_page.import_page, name="page"),
    path("<str:job_id>/errors.csv", imports_page.errors_file, name="errors"),
]
