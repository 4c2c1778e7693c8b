"""Stop the embedded services at once, rather than some seconds after their last use."""

from typing import Any

from django.core.management.base import BaseCommand

from billing_hierarchy.embedded.joining import stop_services


class Command(BaseCommand):
    """``manage.py stop_services``."""

    help = "Stop the embedded PostgreSQL and Redis, also while they are used."
    requires_system_checks: list[str] = []

    def handle(self, *_: Any, **__: Any) -> None:
        """Stop what runs and say so."""
        stopped = stop_services()
        self.stderr.write(f"Stopped: {', '.join(stopped)}." if stopped else "Nothing was running.")
