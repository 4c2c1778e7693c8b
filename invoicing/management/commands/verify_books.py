"""``manage.py verify_books``: check every invariant of the books."""

from collections.abc import Mapping
from typing import Any

from django.core.management.base import CommandParser

from accounts.actor import Actor
from accounts.management.interface import BillingCommand, tenant_named
from accounts.tenancy import scope
from accounts.tenancy.lookup import all_tenant_ids
from invoicing.queries.books import verify_books


class Command(BillingCommand):
    """Report every violation; exit 1 if there is one."""

    help = "Check the books' invariants: periods, charges, documents, numbers, ledger, trees."

    def add_arguments(self, parser: CommandParser) -> None:
        """Add the tenant."""
        super().add_arguments(parser)
        parser.add_argument("--tenant", metavar="SLUG", help="one tenant only")

    def work(self, options: Mapping[str, Any]) -> dict[str, Any]:
        """Check tenant by tenant, each in a transaction of its own."""
        slug = options["tenant"]
        tenants = [tenant_named(slug).id] if slug is not None else all_tenant_ids()
        totals: dict[str, int] = {}
        violations = []
        for tenant_id in tenants:
            with scope(tenant_id):
                checked, found = verify_books(
                    Actor.system(tenant_id, origin="command", label="command line")
                )
            for name, count in checked.items():
                totals[name] = totals.get(name, 0) + count
            violations += [
                {
                    "invariant": violation.invariant,
                    "tenant": violation.tenant,
                    "object": violation.object,
                    "detail": violation.detail,
                }
                for violation in found
            ]
        return {
            "ok": not violations,
            "tenants": len(tenants),
            "checked": totals,
            "violations": violations,
        }

    def exit_code(self, answer: Mapping[str, Any]) -> int:
        """Return 1 if anything is broken."""
        return 0 if answer["ok"] else 1
