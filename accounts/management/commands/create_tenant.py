"""``manage.py create_tenant``: a tenant with its first seller, owner and key."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from django.core.management.base import CommandParser

from accounts.operations.tenants import create_tenant, slug_of
from tenancy.clock import now_of
from tenancy.ids import uuid7
from tenancy.management.interface import BillingCommand, command_actor, day_or_instant


class Command(BillingCommand):
    """Make a tenant and print the secrets that are shown once."""

    help = "Make a tenant, with a seller, an owner's login and an API key."

    def add_arguments(self, parser: CommandParser) -> None:
        """Add name, country, currency and sandbox."""
        super().add_arguments(parser)
        parser.add_argument("name", help="as people read it")
        parser.add_argument("--slug", help="short name; made from the name if left out")
        parser.add_argument("--country", default="DE", help="ISO 3166-1 code (DE)")
        parser.add_argument("--currency", default="EUR", help="ISO 4217 code (EUR)")
        parser.add_argument("--sandbox", action="store_true", help="with a test clock")
        parser.add_argument(
            "--now", type=day_or_instant, metavar="DATE", help="where the test clock stands"
        )

    def work(self, options: Mapping[str, Any]) -> dict[str, Any]:
        """Make it."""
        now = datetime.now(UTC)
        slug = options["slug"] if options["slug"] is not None else slug_of(options["name"])
        new = create_tenant(
            command_actor(uuid7()),
            options["name"],
            slug=slug,
            country=options["country"].upper(),
            currency=options["currency"].upper(),
            is_sandbox=options["sandbox"],
            clock=options["now"],
            now=now,
        )
        return {
            "tenant": {
                "id": new.tenant.public_id,
                "slug": new.tenant.slug,
                "name": new.tenant.name,
                "country": new.tenant.country,
                "currency": new.tenant.currency,
                "sandbox": new.tenant.is_sandbox,
                "now": now_of(new.tenant).astimezone(UTC).isoformat().replace("+00:00", "Z"),
            },
            "api_key": new.api_key,
            "owner_email": new.owner_email,
            "owner_password": new.owner_password,
        }
