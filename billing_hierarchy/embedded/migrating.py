"""Apply pending migrations to the embedded database, and to no other."""

import hashlib
import sys
from pathlib import Path

from django.apps import apps
from django.conf import settings
from django.core.management import call_command

from billing_hierarchy.embedded import locks
from billing_hierarchy.embedded.addresses import DATABASE
from billing_hierarchy.embedded.errors import EmbeddedServiceError
from billing_hierarchy.embedded.folders import MIGRATED_STAMP, local_folder
from billing_hierarchy.embedded.joining import is_embedded
from billing_hierarchy.schema_check import later_migrations


def migrate_if_embedded() -> None:
    """Bring the embedded database up to the code's migrations.

    A stamp beside the cluster says which migrations it has, so that a command with nothing to do
    does not pay for asking.

    Raises:
        EmbeddedServiceError: a later version has written the database.
    """
    if not _is_ours():
        return
    folder = local_folder() / "postgresql"
    stamp = folder / MIGRATED_STAMP
    wanted = migrations_digest()
    if _read(stamp) == wanted:
        return
    with locks.exclusive(folder / "migrate.lock"):
        if _read(stamp) == wanted:
            return
        _refuse_later_tables(folder)
        print("Applying pending migrations …", file=sys.stderr, flush=True)
        call_command("migrate", database="owner", interactive=False, verbosity=0, stdout=sys.stderr)
        try:
            stamp.write_text(wanted, encoding="ascii")
        except OSError as error:
            raise EmbeddedServiceError(f"{stamp} cannot be written ({error.strerror}).") from error


def forget_migrations() -> None:
    """Have the next command look at the database again, after it was replaced by a restore."""
    if not _is_ours():
        return
    (local_folder() / "postgresql" / MIGRATED_STAMP).unlink(missing_ok=True)


def _refuse_later_tables(folder: Path) -> None:
    """Return unless the database has migrations that are unknown here.

    This version would leave empty what later ones require, or read what they no longer write.
    """
    if later := later_migrations():
        raise EmbeddedServiceError(
            f"The data in {folder} was written by a later version of the product (this one does "
            f"not know {later[0]}): use that version again, or set BILLING_LOCAL_DIR to another "
            "folder. Nothing was changed."
        )


def _is_ours() -> bool:
    """Return whether the connections lead to the embedded database, not to a test's clone."""
    return is_embedded("postgresql") and settings.DATABASES["owner"]["NAME"] == DATABASE


def _read(stamp: Path) -> str:
    """Return what the stamp says, nothing if there is none."""
    try:
        return stamp.read_text(encoding="ascii")
    except OSError:
        return ""


def migrations_digest() -> str:
    """Return a digest of the names of all migrations of all installed applications."""
    names = sorted(
        f"{config.label}.{path.stem}"
        for config in apps.get_app_configs()
        for path in (Path(config.path) / "migrations").glob("[0-9]*.py")
    )
    return hashlib.sha256("\n".join(names).encode()).hexdigest()
