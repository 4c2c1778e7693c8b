"""``manage.py discard_drafts``: take drafts back, and hold their charges back where wanted."""

from collections.abc import Mapping
from typing import Any

from django.core.management.base import CommandParser

from invoicing.operations.runs.discarding import discard_drafts
from tenancy.clock import now_of, today_of
from tenancy.ids import key_of
from tenancy.management.interface import TenantCommand, command_actor, day


class Command(TenantCommand):
    """All of the drafts named, or none."""

    help = "Take drafts back; their charges wait for the next run, or are held back."

    def add_arguments(self, parser: CommandParser) -> None:
        """Add the drafts, the reason and whether to hold."""
        super().add_arguments(parser)
        parser.add_argument("drafts", nargs="+", metavar="INVOICE", help="inv_…")
        parser.add_argument("--reason", required=True, metavar="TEXT", help="why; it is kept")
        parser.add_argument(
            "--hold", action="store_true", help="bill the charges only once they are released"
        )
        parser.add_argument(
            "--until", type=day, metavar="D", help="with --hold: a run for this day bills them"
        )

    def work(self, options: Mapping[str, Any]) -> dict[str, Any]:
        """Take them back and say how much went back."""
        tenant = self.tenant(options)
        drafts = dict.fromkeys(key_of("inv", text) for text in options["drafts"])
        is_held = options["hold"] or options["until"] is not None
        charges = discard_drafts(
            command_actor(tenant.id),
            drafts,
            reason=options["reason"],
            hold=is_held,
            until=options["until"],
            today=today_of(tenant),
            now=now_of(tenant),
        )
        until = options["until"]
        return {
            "drafts": len(drafts),
            "charges": charges,
            "held": is_held,
            "until": until.isoformat() if until else None,
        }
