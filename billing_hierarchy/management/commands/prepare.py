"""The last step of ``make setup``."""

from typing import Any

from django.core.management.base import BaseCommand

from billing_hierarchy.static_files import collect_static_files


class Command(BaseCommand):
    """``manage.py prepare``: the database is made and migrated before any command, this one too."""

    help = "Make and migrate the embedded database, gather static files."
    requires_system_checks: list[str] = []

    def handle(self, *_: Any, **__: Any) -> None:
        """Gather the static files."""
        collect_static_files()
