"""Addresses of the tenant's settings."""

from django.urls import path

from dashboard.pages.settings import approval as settings_approval
from dashboard.pages.settings import bank_accounts as settings_bank_accounts
from dashboard.pages.settings import books as settings_books
from dashboard.pages.settings import defaults as settings_defaults
from dashboard.pages.settings import sellers as settings_sellers
from dashboard.pages.settings import test_clock as settings_clock
from dashboard.pages.settings import time_zone as settings_time_zone

app_name = "settings"
urlpatterns = [
    path("", settings_sellers.settings_home, name="home"),
    path("sellers/", settings_sellers.seller_list, name="sellers"),
    path("sellers/<str:seller_id>/", settings_sellers.seller_page, name="seller"),
    path(
        "sellers/<str:seller_id>/bank-accounts/",
        settings_bank_accounts.add_bank_account,
        name="add_bank_account",
    ),
    path(
        "sellers/<str:seller_id>/bank-accounts/<str:currency>/",
        settings_bank_accounts.edit_bank_account,
        name="bank_account",
    ),
    path("sellers/<str:seller_id>/edit/", settings_sellers.edit_seller, name="edit_seller"),
    path("approval/", settings_approval.approval, name="approval"),
    path("defaults/", settings_defaults.defaults_page, name="defaults"),
    path("defaults/<str:setting>/", settings_defaults.change_default, name="default"),
    path("defaults/<str:setting>/recall/", settings_defaults.recall_default, name="recall_default"),
    path("books/", settings_books.books, name="books"),
    path("time-zone/", settings_time_zone.time_zone, name="time_zone"),
    path("test-clock/", settings_clock.test_clock, name="test_clock"),
]
