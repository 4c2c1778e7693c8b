"""``manage.py export``: what is there of a kind, as a file that the import reads back unchanged."""

import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser
from django.utils.translation import gettext_lazy as _

from accounts.exports.import_files import ENDINGS, write_import_file
from accounts.queries.accounts import resolve_reference
from tenancy.clock import today_of
from tenancy.database import scope
from tenancy.errors import Invalid
from tenancy.files.kinds import ImportKind, import_kinds
from tenancy.management.interface import FileNotReadable, TenantCommand, command_actor


class UnknownEnding(Invalid):
    """The name of a file says what it is."""

    code = "unknown_ending"
    message = _("The name of the file has to end in .csv or .xlsx.")


class FileNotWritable(FileNotReadable):
    """A file named on the command line can't be written."""

    code = "file_not_writable"
    message = _("The file “%(path)s” cannot be written: %(why)s")


class Command(TenantCommand):
    """Write a file with the columns of an import, of all or of an account and those below it."""

    help = "Write what is there as a CSV or XLSX file that the import reads back unchanged."

    def add_arguments(self, parser: CommandParser) -> None:
        """Add kind, file and subtree."""
        super().add_arguments(parser)
        parser.add_argument("kind", choices=tuple(_kinds()))
        parser.add_argument("file", metavar="FILE")
        parser.add_argument(
            "--in", dest="within", metavar="ACCOUNT", help="only this account's subtree"
        )

    def work(self, options: Mapping[str, Any]) -> dict[str, Any]:
        """Write a whole file, or none."""
        tenant, path = self.tenant(options), Path(options["file"])
        ending = path.suffix.removeprefix(".").lower()
        if ending not in ENDINGS:
            raise UnknownEnding
        actor, within, kind = command_actor(tenant.id), None, _kinds()[options["kind"]]
        assert kind.rows is not None  # noqa: S101 - that is what these kinds have
        with tempfile.TemporaryFile() as file, scope(tenant.id):
            if options["within"] is not None:
                within = resolve_reference(actor, options["within"])
            rows = kind.rows(actor, within=within, today=today_of(tenant))
            count = write_import_file(file, ending, kind.columns, rows, sheet=str(kind.label))
            file.seek(0)
            try:
                with path.open("wb") as target:
                    shutil.copyfileobj(file, target)
            except OSError as error:
                raise FileNotWritable(path=options["file"], why=error.strerror or "?") from error
        return {"kind": kind.name, "file": options["file"], "rows": count}


def _kinds() -> Mapping[str, ImportKind]:
    return {name: kind for name, kind in import_kinds().items() if kind.rows is not None}
