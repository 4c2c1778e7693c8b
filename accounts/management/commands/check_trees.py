"""``manage.py check_trees``: compare the stored intervals with the parents."""

from collections.abc import Mapping
from typing import Any

from django.core.management.base import CommandParser

from accounts import tree
from accounts.models import Account
from tenancy.database import scope
from tenancy.ids import public_id
from tenancy.management.interface import TenantsCommand


class Command(TenantsCommand):
    """Report faults of the account trees, and mend them if asked."""

    help = "Compare the account trees' intervals with the parents; --fix computes them anew."

    def add_arguments(self, parser: CommandParser) -> None:
        """Add the mending."""
        super().add_arguments(parser)
        parser.add_argument("--fix", action="store_true", help="compute what is wrong anew")

    def work(self, options: Mapping[str, Any]) -> dict[str, Any]:
        """Check tenant by tenant, each in a transaction of its own."""
        tenants = self.tenant_ids(options)
        trees = nodes = fixed = 0
        faults: list[dict[str, Any]] = []
        left = False
        for tenant_id in tenants:
            with scope(tenant_id):
                tree_count, node_count, found = tree.check(tenant_id)
                trees, nodes = trees + tree_count, nodes + node_count
                if found and options["fix"]:
                    fixed += tree.rebuild(tenant_id, {fault.account_id for fault in found})
                    left = left or bool(tree.check(tenant_id)[2])
                else:
                    left = left or bool(found)
                keys = dict(
                    Account.objects.filter(
                        tenant_id=tenant_id, pk__in={fault.account_id for fault in found}
                    ).values_list("id", "external_id")
                )
            faults += [
                {
                    "account": public_id("acc", fault.account_id),
                    "external_id": keys.get(fault.account_id),
                    "kind": fault.kind,
                    "detail": fault.detail,
                }
                for fault in found
            ]
        return {"ok": not left, "trees": trees, "nodes": nodes, "faults": faults, "fixed": fixed}

    def exit_code(self, answer: Mapping[str, Any]) -> int:
        """Return 1 while faults are left."""
        return 0 if answer["ok"] else 1
