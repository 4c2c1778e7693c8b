"""Addresses of the catalogue."""

from django.urls import path

from dashboard.pages.catalogue import prices

app_name = "catalogue"
urlpatterns = [
    path("", prices.price_list, name="list"),
    path("prices/<str:price_id>/", prices.price_page, name="price"),
]
