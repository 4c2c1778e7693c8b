"""``manage.py reject_run``: take back every draft of a run."""

from collections.abc import Mapping
from typing import Any

from django.core.management.base import CommandParser

from invoicing.models import BillingRun
from invoicing.operations.runs.discarding import reject_run
from invoicing.queries.run_figures import digest_of, drafts_seen, sums_of
from invoicing.queries.runs import get_run
from tenancy.actor import Actor
from tenancy.clock import now_of
from tenancy.database import scope
from tenancy.ids import key_of
from tenancy.management.interface import TenantCommand, command_actor


class Command(TenantCommand):
    """What the run has issued already stays."""

    help = "Take back every draft of a run; the charges wait for the next one."

    def add_arguments(self, parser: CommandParser) -> None:
        """Add the run, the reason and what was seen."""
        super().add_arguments(parser)
        parser.add_argument("run", metavar="RUN", help="run_…")
        parser.add_argument("--reason", metavar="TEXT", help="why; it is kept")
        way = parser.add_mutually_exclusive_group(required=True)
        way.add_argument("--dry-run", action="store_true", help="show the drafts, change nothing")
        way.add_argument(
            "--drafts-digest", metavar="DIGEST", help="what --dry-run showed; else it is refused"
        )

    def work(self, options: Mapping[str, Any]) -> dict[str, Any]:
        """Reject it and say how it stands now."""
        tenant = self.tenant(options)
        actor, key = command_actor(tenant.id), key_of("run", options["run"])
        if options["dry_run"]:
            with scope(tenant.id):
                return _preview(actor, get_run(actor, key))
        run = reject_run(
            actor,
            key,
            reason=options["reason"] or "",
            seen=options["drafts_digest"],
            now=now_of(tenant),
        )
        return {
            "run": run.public_id,
            "date": run.date.isoformat(),
            "status": run.status,
            "rejected_by": run.rejected_by,
            "rejected_reason": run.rejected_reason,
        }


def _preview(actor: Actor, run: BillingRun) -> dict[str, Any]:
    seen = drafts_seen(actor, run.pk)
    return {
        "dry_run": True,
        "run": run.public_id,
        "date": run.date.isoformat(),
        "status": run.status,
        "drafts_digest": digest_of(seen) if seen else "",
        "sums": [
            {"currency": one.currency, "drafts": one.drafts, "gross_minor": one.draft_gross_minor}
            for one in sums_of(actor, [run.pk]).get(run.pk, [])
            if one.drafts
        ],
    }
