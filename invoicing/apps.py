"""Django's registration of the app."""

from importlib import import_module

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class InvoicingConfig(AppConfig):
    """Registers ``invoicing``."""

    name = "invoicing"
    verbose_name = _("Invoices")

    def ready(self) -> None:
        """Let lists of subscriptions know what waits for its invoice."""
        renewals = import_module("subscriptions.queries.renewals")
        renewals.register_waiting("invoicing.queries.first_invoices.first_invoice_days")
