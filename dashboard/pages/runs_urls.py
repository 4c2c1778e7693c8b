"""Addresses of billing runs."""

from django.urls import path

from dashboard.pages import runs, runs_approval, runs_list, runs_page

app_name = "runs"
urlpatterns = [
    path("", runs_list.run_list, name="list"),
    path("new/", runs.new_run, name="new"),
    path("<str:run_id>/", runs_page.run_page, name="page"),
    path("<str:run_id>/approve/", runs_approval.approve, name="approve"),
]
