"""``manage.py verify_books``: check every invariant of the books."""

from collections.abc import Mapping
from typing import Any

from invoicing.queries.books import verify_books
from tenancy.database import scope
from tenancy.management.interface import TenantsCommand, command_actor


class Command(TenantsCommand):
    """Report every violation; exit 1 if there is one."""

    help = "Check the books' invariants: periods, charges, documents, numbers, ledger, trees."

    def work(self, options: Mapping[str, Any]) -> dict[str, Any]:
        """Check tenant by tenant, each in a transaction of its own."""
        tenants = self.tenant_ids(options)
        totals: dict[str, int] = {}
        violations = []
        for tenant_id in tenants:
            with scope(tenant_id):
                checked, found = verify_books(command_actor(tenant_id))
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
