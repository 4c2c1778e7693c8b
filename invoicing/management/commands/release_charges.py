"""``manage.py release_charges``: let the next run bill what was held back for an account."""

from collections.abc import Mapping
from typing import Any

from django.core.management.base import CommandParser

from accounts.queries.accounts import get_account, resolve_reference
from invoicing.operations.runs.discarding import release_charges
from tenancy.clock import now_of
from tenancy.database import scope
from tenancy.management.interface import TenantCommand, command_actor


class Command(TenantCommand):
    """What stood on drafts for one recipient."""

    help = "Release what was held back of an account's drafts; the next run bills it."

    def add_arguments(self, parser: CommandParser) -> None:
        """Add the recipient."""
        super().add_arguments(parser)
        parser.add_argument("account", metavar="ACCOUNT", help="acc_… or ext:…, the recipient")

    def work(self, options: Mapping[str, Any]) -> dict[str, Any]:
        """Release it and say how much it was."""
        tenant = self.tenant(options)
        actor = command_actor(tenant.id)
        with scope(tenant.id):
            account = get_account(actor, resolve_reference(actor, options["account"]))
        charges = release_charges(actor, account.pk, now=now_of(tenant))
        return {
            "account": account.public_id,
            "account_external_id": account.external_id,
            "charges": charges,
        }
