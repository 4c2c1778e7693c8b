"""Django's registration of the app."""

from django.apps import AppConfig


class PortalConfig(AppConfig):
    """Registers ``portal``."""

    name = "portal"
