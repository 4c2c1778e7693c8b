"""Addresses of billing runs."""

from django.urls import path

from dashboard.pages.runs import approval as runs_approval
from dashboard.pages.runs import changed as runs_changed
from dashboard.pages.runs import held as runs_held
from dashboard.pages.runs import listing as runs_list
from dashboard.pages.runs import page as runs_page
from dashboard.pages.runs import starting as runs
from dashboard.pages.runs import taking_back as runs_taking_back

app_name = "runs"
urlpatterns = [
    path("", runs_list.run_list, name="list"),
    path("new/", runs.new_run, name="new"),
    path("held/", runs_held.held, name="held"),
    path("<str:run_id>/", runs_page.run_page, name="page"),
    path("<str:run_id>/approve/", runs_approval.approve, name="approve"),
    path("<str:run_id>/changed/", runs_changed.changed, name="changed"),
    path("<str:run_id>/take-back/", runs_taking_back.take_back, name="take_back"),
]
