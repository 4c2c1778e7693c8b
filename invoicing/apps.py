"""Django's registration of the app."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class InvoicingConfig(AppConfig):
    """Registers ``invoicing``."""

    name = "invoicing"
    verbose_name = _("Invoices")
