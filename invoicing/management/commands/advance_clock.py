"""``manage.py advance_clock``: move a sandbox's clock, billing every day on the way."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from django.core.management.base import CommandParser

from invoicing.management.interface import problem_summary
from invoicing.operations.clock import advance_clock
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

    def work(self, options: Mapping[str, Any]) -> dict[str, Any]:
        """Move it and say what was done."""
        tenant = self.tenant(options)
        actor = command_actor(tenant.id)
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
