"""``manage.py import``: accounts, prices, subscriptions or contacts from a CSV file."""

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser
from django.utils.translation import ngettext

from tenancy.clock import today_of
from tenancy.database.statistics import refresh_outdated_statistics
from tenancy.files.kinds import import_kinds
from tenancy.files.reports import ImportReport
from tenancy.management.interface import FileNotReadable, TenantCommand, command_actor


class Command(TenantCommand):
    """Import a file: all of it or nothing, every error named."""

    help = "Import a CSV or XLSX file; with --dry-run only say what would happen."

    def add_arguments(self, parser: CommandParser) -> None:
        """Add kind, file and dry run."""
        super().add_arguments(parser)
        parser.add_argument("kind", choices=tuple(import_kinds()))
        parser.add_argument("file", metavar="FILE")
        parser.add_argument("--dry-run", action="store_true", help="check, store nothing")

    def work(self, options: Mapping[str, Any]) -> dict[str, Any]:
        """Read the file and hand it to the operation of its kind."""
        tenant = self.tenant(options)
        try:
            # Opened here, so that what can't be read is refused by name.
            with Path(options["file"]).open("rb"):
                content = Path(options["file"])
        except OSError as error:
            raise FileNotReadable(path=options["file"], why=error.strerror or "?") from error
        actor, now, today = command_actor(tenant.id), datetime.now(UTC), today_of(tenant)
        is_dry_run = options["dry_run"]
        run = import_kinds()[options["kind"]].run
        report = run(actor, content, is_dry_run=is_dry_run, today=today, now=now)
        refresh_outdated_statistics()
        return _answer(report)

    def exit_code(self, answer: Mapping[str, Any]) -> int:
        """Return 1 if the file was refused."""
        return 1 if answer["errors"] else 0


def _answer(report: ImportReport) -> dict[str, Any]:
    errors = [error.as_row() for error in report.errors]
    refusal = {
        "code": "import_refused",
        "detail": ngettext(
            "The file has %(count)s error; nothing was stored.",
            "The file has %(count)s errors; nothing was stored.",
            report.error_count,
        )
        % {"count": report.error_count},
        "errors": errors,
    }
    return {
        "kind": report.kind,
        "dry_run": report.is_dry_run,
        "rows": report.rows,
        "created": report.created,
        "updated": report.updated,
        "unchanged": report.unchanged,
        "encoding": report.encoding,
        "changes": [change.as_json() for change in report.changes],
        "warnings": [warning.as_row() for warning in report.warnings],
        "errors": errors,
        **({"error": refusal} if errors else {}),
    }
