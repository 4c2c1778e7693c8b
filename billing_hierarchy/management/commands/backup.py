"""``manage.py backup FILE``: everything that the database holds, in one verified file."""

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser

from billing_hierarchy.backup import take_backup
from tenancy.management.interface import BillingCommand


class Command(BillingCommand):
    """Take a backup while others go on working."""

    help = "Write everything that the database holds into one verified file."

    def add_arguments(self, parser: CommandParser) -> None:
        """Add the file."""
        super().add_arguments(parser)
        parser.add_argument("file", metavar="FILE", help="the new file; never overwritten")

    def work(self, options: Mapping[str, Any]) -> dict[str, Any]:
        """Write it and say what is in it."""
        path = Path(options["file"]).absolute()
        manifest = take_backup(path, now=datetime.now(UTC))
        return {
            "file": str(path),
            "bytes": path.stat().st_size,
            "version": manifest.version,
            "made_at": manifest.made_at,
            "migrations": len(manifest.migrations),
            "tables": len(manifest.tables),
            "rows": manifest.rows,
        }
