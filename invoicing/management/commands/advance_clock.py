"""``manage.py advance_clock``: move a sandbox's clock, billing every day on the way."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from django.core.management.base import CommandParser

from invoicing.management.interface import problem_summary
from invoicing.operations.clock import advance_clock
from invoicing.operations.clock_preview import ClockPreview, preview_clock_move
from invoicing.queries.run_problems import problems_of
from tenancy.database import scope
from tenancy.management.interface import TenantCommand, command_actor, day


class Command(TenantCommand):
    """Every day after the old date up to D, in order, issuing."""

    help = "Move a sandbox tenant's clock forward; what falls due on each day is issued."

    def add_arguments(self, parser: CommandParser) -> None:
        """Add the day."""
        super().add_arguments(parser)
        parser.add_argument("--to", type=day, required=True, metavar="D", help="YYYY-MM-DD")
        parser.add_argument(
            "--dry-run", action="store_true", help="say what would be billed, move nothing"
        )

    def work(self, options: Mapping[str, Any]) -> dict[str, Any]:
        """Move it and say what was done."""
        tenant = self.tenant(options)
        actor = command_actor(tenant.id)
        if options["dry_run"]:
            return _preview(
                preview_clock_move(
                    actor,
                    to_date=options["to"],
                    tenant=tenant,
                    now=datetime.now(UTC),
                    is_whole=True,
                )
            )
        moved = advance_clock(actor, to_date=options["to"], now=datetime.now(UTC))
        with scope(tenant.id):
            # What the last run could not bill is what still has to be looked at.
            problems = [
                problem_summary(problem)
                for run_id in moved.run_ids[-1:]
                for problem in problems_of(actor, run_id)
            ]
        return {
            "from": moved.from_date.isoformat(),
            "to": moved.to_date.isoformat(),
            "days": moved.days,
            "runs": moved.runs,
            "invoices": moved.invoices,
            "problems": problems,
        }


def _preview(move: ClockPreview) -> dict[str, Any]:
    found = move.found
    return {
        "dry_run": True,
        "from": move.from_date.isoformat(),
        "to": move.to_date.isoformat(),
        "days": move.days,
        "runs": len(move.run_dates),
        "run_dates": [one.isoformat() for one in move.run_dates],
        "documents_at_least": found.documents,
        "lines": found.lines,
        "accounts": found.accounts,
        "waiting": found.held,
        "too_large": found.too_large,
        "sums": [
            {"currency": code, "net_minor": net} for code, net in sorted(found.net_minor.items())
        ],
    }
