"""Addresses of billing runs."""

from django.urls import path

from dashboard.pages import (
    runs,
    runs_approval,
    runs_changed,
    runs_held,
    runs_list,
    runs_page,
    runs_taking_back,
)

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
