"""Django's registration of the wiring, so that its management commands are found."""

from importlib import import_module

from django.apps import AppConfig


class BillingHierarchyConfig(AppConfig):
    """Registers ``billing_hierarchy``."""

    name = "billing_hierarchy"

    def ready(self) -> None:
        """Make Celery's application known, so that every process sends tasks to the same place."""
        import_module("billing_hierarchy.task_queue")
