"""``manage.py billing_run``: bill everything due up to a date."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from django.core.management.base import CommandParser

from accounts.queries.accounts import resolve_reference
from invoicing.management.interface import invoice_summary, problem_summary
from invoicing.operations.runs import run_billing
from invoicing.queries.run_problems import problems_of
from invoicing.queries.runs import documents_by_path
from tenancy.clock import today_of
from tenancy.database import scope
from tenancy.management.interface import TenantCommand, command_actor, day


class Command(TenantCommand):
    """Rate, draft and consolidate; with --issue also number and freeze."""

    help = "Bill everything due up to a date. Doing it again makes nothing new."

    def add_arguments(self, parser: CommandParser) -> None:
        """Add date, subtree and issuing."""
        super().add_arguments(parser)
        parser.add_argument("--date", type=day, required=True, metavar="D", help="YYYY-MM-DD")
        parser.add_argument(
            "--in", dest="within", metavar="ACCOUNT", help="only this account's subtree"
        )
        parser.add_argument("--issue", action="store_true", help="issue at once")

    def work(self, options: Mapping[str, Any]) -> dict[str, Any]:
        """Run, then list what this call made or issued."""
        tenant = self.tenant(options)
        actor = command_actor(tenant.id)
        within = None
        if options["within"] is not None:
            with scope(tenant.id):
                within = resolve_reference(actor, options["within"])
        report = run_billing(
            actor,
            run_date=options["date"],
            within=within,
            issue=options["issue"],
            today=today_of(tenant),
            now=datetime.now(UTC),
        )
        with scope(tenant.id):
            invoices = documents_by_path(actor, report.invoice_ids)
            problems = problems_of(actor, report.run.id)
            return {
                "run": report.run.public_id,
                "date": report.run.date.isoformat(),
                "status": report.run.status,
                "invoices": [invoice_summary(invoice) for invoice in invoices],
                "problems": [problem_summary(problem) for problem in problems],
            }
