"""What the product's commands share: one JSON object, clear refusals, exit codes 0, 1 and 2."""

import json
import logging
import sys
from abc import abstractmethod
from argparse import ArgumentTypeError
from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Any, NoReturn
from uuid import UUID

from django.core.management.base import BaseCommand, CommandParser
from django.db import OperationalError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from tenancy.actor import Actor
from tenancy.database import scope
from tenancy.database.lookup import all_tenant_ids, find_tenant_id
from tenancy.errors import BillingError, Invalid, NotFound
from tenancy.models import Tenant

logger = logging.getLogger(__name__)


class UnknownTenant(NotFound):
    """There is no tenant with this short name."""

    code = "unknown_tenant"
    message = gettext_lazy("There is no tenant “%(slug)s”.")


class NotText(Invalid):
    """A terminal handed over bytes that are no letters."""

    code = "not_text"
    message = gettext_lazy("“%(name)s” is not written in UTF-8.")


class FileNotReadable(NotFound):
    """A file named on the command line can't be read."""

    code = "file_not_readable"
    message = gettext_lazy("The file “%(path)s” cannot be read: %(why)s")


def day(text: str) -> date:
    """Return a date given on the command line as YYYY-MM-DD."""
    try:
        if len(text) != len("2026-12-01"):
            raise ValueError
        return date.fromisoformat(text)
    except ValueError:
        raise ArgumentTypeError(f"“{text[:40]}” is not a date written YYYY-MM-DD") from None


def day_or_instant(text: str) -> date | datetime:
    """Return a date, or an instant of RFC 3339, given on the command line."""
    try:
        return day(text)
    except ArgumentTypeError:
        pass
    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        raise ArgumentTypeError(f"“{text[:40]}” is neither a date nor an instant") from None
    return instant if instant.tzinfo else instant.replace(tzinfo=UTC)


class BillingCommand(BaseCommand):
    """A command that answers with plain data.

    ``work`` returns the answer; ``exit_code`` says whether it is a failure (violations found).
    """

    requires_system_checks = ()
    output_transaction = False

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:
        """Return the parser; its complaints are JSON too where JSON was asked for."""
        parser = super().create_parser(prog_name, subcommand, **kwargs)
        complain = parser.error

        def error(message: str) -> Any:
            if "--json" in sys.argv:
                self.answer({"error": {"code": "usage", "detail": message, "errors": []}})
                sys.exit(2)
            complain(message)

        parser.error = error  # type: ignore[method-assign]
        return parser

    def add_arguments(self, parser: CommandParser) -> None:
        """Add what all of them take."""
        parser.add_argument("--json", action="store_true", help="print one JSON object")

    @abstractmethod
    def work(self, options: Mapping[str, Any]) -> dict[str, Any]:
        """Do the command's work and return its answer."""

    def exit_code(self, answer: Mapping[str, Any]) -> int:
        """Return 1 for an answer that reports violations or refusals."""
        return 0

    def handle(self, *args: Any, **options: Any) -> None:
        """Work, answer, and turn refusals into one clear sentence."""
        try:
            _require_text(options)
            answer = self.work(options)
        except BillingError as error:
            self._refuse(error.code, error.detail, [e.as_row() for e in error.errors], options)
        except OperationalError as error:
            logger.debug("the database is out of reach", exc_info=True)
            detail = _("The database does not answer: %(why)s") % {
                "why": str(error).strip().splitlines()[0]
            }
            self._refuse("database_unavailable", detail, [], options)
        if options["json"]:
            self.answer(answer)
        else:
            self.stdout.write(self.in_words(answer))
        if code := self.exit_code(answer):
            sys.exit(code)

    def answer(self, data: Mapping[str, Any]) -> None:
        """Print one JSON object."""
        text = json.dumps(data, ensure_ascii=False, indent=1, default=str)
        self.stdout.write(text.encode(errors="replace").decode())

    def in_words(self, answer: Mapping[str, Any]) -> str:
        """Return the answer for people: one line a value."""
        return "\n".join(_lines(answer))

    def _refuse(
        self, code: str, detail: str, errors: list[dict[str, Any]], options: Mapping[str, Any]
    ) -> NoReturn:
        if options["json"]:
            self.answer({"error": {"code": code, "detail": detail, "errors": errors}})
        else:
            self.stderr.write(f"{detail} ({code})")
        sys.exit(1)


def _require_text(options: Mapping[str, Any]) -> None:
    for name, value in options.items():
        if isinstance(value, str):
            try:
                value.encode()
            except UnicodeEncodeError as error:
                raise NotText(name=name) from error


class TenantCommand(BillingCommand):
    """A command for one tenant, named by its slug."""

    def add_arguments(self, parser: CommandParser) -> None:
        """Add the tenant."""
        super().add_arguments(parser)
        parser.add_argument("--tenant", required=True, metavar="SLUG", help="the tenant")

    def tenant(self, options: Mapping[str, Any]) -> Tenant:
        """Return the tenant.

        Raises:
            UnknownTenant: there is none with this short name.
        """
        return tenant_named(options["tenant"])


class TenantsCommand(BillingCommand):
    """A command for one tenant or for all, one after another."""

    def add_arguments(self, parser: CommandParser) -> None:
        """Add the tenant."""
        super().add_arguments(parser)
        parser.add_argument("--tenant", metavar="SLUG", help="one tenant only")

    def tenant_ids(self, options: Mapping[str, Any]) -> list[UUID]:
        """Return the tenant that is named, or all.

        Raises:
            UnknownTenant: there is none with this short name.
        """
        slug = options["tenant"]
        return [tenant_named(slug).id] if slug is not None else all_tenant_ids()


def tenant_named(slug: str) -> Tenant:
    """Return the tenant with this short name.

    Raises:
        UnknownTenant: there is none.
    """
    tenant_id = find_tenant_id(slug)
    if tenant_id is None:
        raise UnknownTenant(slug=slug[:70])
    with scope(tenant_id):
        return Tenant.objects.get(pk=tenant_id)


def command_actor(tenant_id: UUID) -> Actor:
    """Return who acts when a command does."""
    return Actor.system(tenant_id, origin="command", label="command line")


def _lines(value: Any, indent: str = "") -> list[str]:
    if isinstance(value, Mapping):
        lines = []
        for name, part in value.items():
            if isinstance(part, Mapping | list) and part:
                lines.append(f"{indent}{name}:")
                lines += _lines(part, indent + "  ")
            else:
                lines.append(f"{indent}{name}: {'-' if part in (None, [], {}, '') else part}")
        return lines
    if isinstance(value, list):
        lines = []
        for part in value:
            inner = _lines(part, indent + "  ")
            lines += [f"{indent}- {inner[0].strip()}", *inner[1:]] if inner else []
        return lines
    return [f"{indent}{value}"]
