"""``manage.py restore FILE``: the database as it was, and a look at the books."""

import contextlib
import io
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from django.core.management import call_command
from django.core.management.base import CommandParser
from django.db import connections

from billing_hierarchy.backup import restore_backup
from billing_hierarchy.embedded.migrating import forget_migrations
from tenancy.management.interface import BillingCommand

_LAST_NUMBERS = """
    SELECT tenant.slug, series.kind, series.year, series.last_number, series.last_issue_date
    FROM invoicing_numberseries AS series JOIN accounts_tenant AS tenant ON tenant.id = tenant_id
    ORDER BY tenant.slug, series.kind DESC, series.year, series.id
"""


class Command(BillingCommand):
    """Restore a backup, bring it up to this version, check books and trees."""

    help = "Make the database what it was when the backup was taken, and check it."

    def add_arguments(self, parser: CommandParser) -> None:
        """Add the file and the permission to throw away."""
        super().add_arguments(parser)
        parser.add_argument("file", metavar="FILE", help="made by backup")
        parser.add_argument(
            "--replace", action="store_true", help="throw away what the database holds"
        )

    def work(self, options: Mapping[str, Any]) -> dict[str, Any]:
        """Restore it and say what is there now."""
        path = Path(options["file"]).absolute()
        restored = restore_backup(path, replace=options["replace"])
        forget_migrations()
        books, trees = _ask("verify_books"), _ask("check_trees")
        return {
            "file": str(path),
            "version": restored.manifest.version,
            "made_at": restored.manifest.made_at,
            "tables": len(restored.manifest.tables),
            "rows": restored.manifest.rows,
            "upgraded": list(restored.upgraded),
            "numbers": _last_numbers(),
            "books_ok": books["ok"],
            "violations": books["violations"],
            "trees_ok": trees["ok"],
            "faults": trees["faults"],
        }

    def exit_code(self, answer: Mapping[str, Any]) -> int:
        """Return 1 if what was restored is not in order."""
        return 0 if answer["books_ok"] and answer["trees_ok"] else 1


def _ask(command: str) -> dict[str, Any]:
    """Return the answer of a checking command, whatever its exit code would be."""
    said = io.StringIO()
    with contextlib.suppress(SystemExit):
        call_command(command, json=True, stdout=said)
    return dict(json.loads(said.getvalue()))


def _last_numbers() -> list[dict[str, Any]]:
    """Return where the number series stand, to compare with the last document that was sent."""
    with connections["maintenance"].cursor() as cursor:
        cursor.execute(_LAST_NUMBERS)
        return [
            {
                "tenant": slug,
                "kind": kind,
                "year": year,
                "last_number": number,
                "last_issue_date": day,
            }
            for slug, kind, year, number, day in cursor
        ]
