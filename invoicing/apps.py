"""Django's registration of the app."""

from django.apps import AppConfig


class InvoicingConfig(AppConfig):
    """Registers ``invoicing``."""

    name = "invoicing"
