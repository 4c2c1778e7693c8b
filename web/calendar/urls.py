"""Addresses of the calendar, the same below the dashboard's root and below the portal's."""

from django.urls import path

from web.calendar import feeds, page

app_name = "calendar"
urlpatterns = [
    path("", page.calendar_page, name="calendar"),
    path("feeds/", feeds.feed_list, name="feeds"),
    path("feeds/<str:feed_id>/", feeds.feed_page, name="feed"),
]
