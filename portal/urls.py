"""Addresses of the portal that are its own."""

from django.urls import path

from portal import pages

urlpatterns = [path("", pages.overview, name="portal")]
