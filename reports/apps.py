"""Django's registration of the app."""

from django.apps import AppConfig


class ReportsConfig(AppConfig):
    """Registers ``reports``."""

    name = "reports"
