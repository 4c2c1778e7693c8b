"""Django's registration of the wiring, so that its management commands are found."""

from django.apps import AppConfig


class BillingHierarchyConfig(AppConfig):
    """Registers ``billing_hierarchy``."""

    name = "billing_hierarchy"
