"""``manage.py reject_run``: take back every draft of a run."""

from collections.abc import Mapping
from typing import Any

from django.core.management.base import CommandParser

from invoicing.operations.runs.discarding import reject_run
from tenancy.clock import now_of
from tenancy.ids import key_of
from tenancy.management.interface import TenantCommand, command_actor


class Command(TenantCommand):
    """What the run has issued already stays."""

    help = "Take back every draft of a run; the charges wait for the next one."

    def add_arguments(self, parser: CommandParser) -> None:
        """Add the run and the reason."""
        super().add_arguments(parser)
        parser.add_argument("run", metavar="RUN", help="run_…")
        parser.add_argument("--reason", required=True, metavar="TEXT", help="why; it is kept")

    def work(self, options: Mapping[str, Any]) -> dict[str, Any]:
        """Reject it and say how it stands now."""
        tenant = self.tenant(options)
        run = reject_run(
            command_actor(tenant.id),
            key_of("run", options["run"]),
            reason=options["reason"],
            now=now_of(tenant),
        )
        return {
            "run": run.public_id,
            "date": run.date.isoformat(),
            "status": run.status,
            "rejected_by": run.rejected_by,
            "rejected_reason": run.rejected_reason,
        }
