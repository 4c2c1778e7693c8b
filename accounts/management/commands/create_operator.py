"""``manage.py create_operator``: somebody who may look after the platform."""

import secrets
from collections.abc import Mapping
from typing import Any

from django.core.management.base import CommandParser

from accounts.operations.operators import create_operator
from tenancy.ids import uuid7
from tenancy.management.interface import BillingCommand, command_actor


class Command(BillingCommand):
    """Make an operator and print the password, which is shown once."""

    help = "Make a login that may look into tenants, with a reason, at /admin/."

    def add_arguments(self, parser: CommandParser) -> None:
        """Add the e-mail address."""
        super().add_arguments(parser)
        parser.add_argument("email", help="of the login")

    def work(self, options: Mapping[str, Any]) -> dict[str, Any]:
        """Make it."""
        password = secrets.token_urlsafe(15)
        actor = command_actor(uuid7())
        person, is_new = create_operator(actor, options["email"], password=password)
        return {
            "email": person.email,
            "password": password if is_new else None,
            "is_new": is_new,
            "address": "/admin/",
        }
