"""Addresses of charges."""

from django.urls import path

from dashboard.pages.charges import listing

app_name = "charges"
urlpatterns = [
    path("", listing.charge_list, name="list"),
]
