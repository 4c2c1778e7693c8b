"""Django's registration of the app."""

from django.apps import AppConfig


class NotificationsConfig(AppConfig):
    """Registers ``notifications``."""

    name = "notifications"
