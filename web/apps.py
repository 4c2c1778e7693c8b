"""Django's registration of the app."""

from django.apps import AppConfig


class WebConfig(AppConfig):
    """What the faces share."""

    name = "web"
