"""Addresses of change plans."""

from django.urls import path

from dashboard.pages.plans import listing, moving, page, planning

app_name = "plans"
urlpatterns = [
    path("", listing.plan_list, name="list"),
    path("new/", planning.new_plan, name="new"),
    path("move/", moving.move, name="move"),
    path("<str:plan_id>/", page.plan_page, name="page"),
]
