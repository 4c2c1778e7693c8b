"""Run a management command with all that it needs running."""

import errno
import importlib.util
import os
import sys
from pathlib import Path

from billing_hierarchy.embedded.errors import EmbeddedServiceError
from billing_hierarchy.embedded.folders import local_folder, unwritable

_NEED_NO_DATABASE = {
    "collectstatic",
    "compilemessages",
    "diffsettings",
    "help",
    "makemessages",
    "stop_services",
    "version",
}
# They look at migrations themselves, or are what one uses when those are broken.
_APPLY_NO_MIGRATIONS = {
    "backup",
    "check",
    "dbshell",
    "makemigrations",
    "migrate",
    "optimizemigration",
    "restore",
    "showmigrations",
    "spectacular",
    "sqlmigrate",
    "squashmigrations",
}


def main(arguments: list[str]) -> None:
    """Start or join the services that the command needs, then run it.

    Nothing here writes to standard output: that belongs to the command.
    """
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "billing_hierarchy.settings")
    if importlib.util.find_spec("django") is None:
        sys.exit(
            "error: the required packages are missing: run `make setup`, "
            "then `.venv/bin/python manage.py …`."
        )
    try:
        _prepare(arguments)
        _execute(arguments)
    except EmbeddedServiceError as error:
        sys.exit(f"error: {error}")
    except OSError as error:
        if sentence := _explanation(error):
            sys.exit(f"error: {sentence}")
        raise
    except KeyboardInterrupt:
        sys.exit(130)


def _prepare(arguments: list[str]) -> None:
    """Start or join services and bring the embedded database up to date, as the command needs."""
    command = next((word for word in arguments[1:2] if not word.startswith("-")), None)
    if command is None or command in _NEED_NO_DATABASE or {"-h", "--help"} & set(arguments):
        return
    from billing_hierarchy.embedded.joining import ensure_services  # noqa: PLC0415

    ensure_services()
    if command in _APPLY_NO_MIGRATIONS:
        return
    # Settings, read on import of what follows, need the addresses that are only known now.
    import django  # noqa: PLC0415
    from django.core.exceptions import ImproperlyConfigured  # noqa: PLC0415

    from billing_hierarchy.embedded.migrating import migrate_if_embedded  # noqa: PLC0415
    from billing_hierarchy.role_check import refuse_powerful_role  # noqa: PLC0415
    from billing_hierarchy.schema_check import refuse_older_tables  # noqa: PLC0415

    django.setup()
    migrate_if_embedded()
    try:
        refuse_powerful_role()
        refuse_older_tables()
    except ImproperlyConfigured as error:
        raise EmbeddedServiceError(str(error)) from error


def _execute(arguments: list[str]) -> None:
    from django.core.management import execute_from_command_line  # noqa: PLC0415
    from django.db import OperationalError  # noqa: PLC0415

    try:
        execute_from_command_line(arguments)
    except OperationalError as error:
        said = (str(error).strip().splitlines() or ["no message"])[0]
        raise EmbeddedServiceError(
            f"the database does not do its work ({said}): mend it, or unset DATABASE_URL to use "
            "the embedded one."
        ) from error


def _explanation(error: OSError) -> str:
    """Return one sentence for a failure that the person at the keyboard can mend, else nothing."""
    if "cannot load library" in str(error):
        return (
            "the library Pango, which draws the PDF files, is missing: run `make setup`, or "
            "install libpango-1.0-0, libpangoft2-1.0-0 and libharfbuzz-subset0."
        )
    if error.errno == errno.ENOSPC:
        return "the disk is full: make room, or set BILLING_LOCAL_DIR to a folder elsewhere."
    if error.filename and Path(os.fsdecode(error.filename)).is_relative_to(local_folder()):
        return str(unwritable(local_folder(), error))
    return ""
