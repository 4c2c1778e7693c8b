"""Restoring a backup: all of it or nothing, in one transaction of the owner."""

import zipfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from django.core.management import call_command
from django.db import Error, OperationalError, connections, transaction
from django.db.backends.utils import CursorWrapper
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.loader import MigrationLoader

from billing_hierarchy.backup import clearing, tables
from billing_hierarchy.backup.archive import (
    Manifest,
    open_archive,
    read_manifest,
    verify_archive,
)
from billing_hierarchy.backup.errors import (
    BackupDamaged,
    BackupOfAnotherVersion,
    DatabaseInUse,
    DatabaseNotEmpty,
    RestoredDiffers,
)

_LOCK_NOT_AVAILABLE = "55P03"
# Two restores at once: the second waits, and then finds the database filled.
_ADVISORY_KEY = 0x7EB
_PATIENCE = "10s"


@dataclass(frozen=True)
class Restored:
    """What a restore brought about."""

    manifest: Manifest
    upgraded: tuple[str, ...]
    """Migrations applied after the data were there, because the backup is of an earlier version."""


def restore_backup(path: Path, *, replace: bool = False) -> Restored:
    """Make the database what it was when the backup was taken, then bring it up to this version.

    The tables are made by the migrations that the backup had, so their rights and row security
    are those of the roles configured here. Every table is read back and compared before the
    transaction ends.

    Args:
        path: the backup.
        replace: throw away what the database holds; otherwise it has to be empty.

    Raises:
        BackupNotReadable, BackupDamaged: the file is not a whole backup.
        BackupOfAnotherVersion: it has migrations unknown to this version.
        DatabaseNotEmpty: it holds tenants or people, and may not be replaced.
        DatabaseInUse: other processes hold its tables.
        RestoredDiffers: what was stored is not what the backup holds.
    """
    with open_archive(path) as archive:
        manifest = read_manifest(archive, path)
        _refuse_unknown_migrations(manifest)
        verify_archive(archive, manifest, path)
        try:
            with transaction.atomic(using="owner"), connections["owner"].cursor() as cursor:
                _prepare(cursor, replace=replace)
                _migrate_to(manifest.migrations)
                _load(cursor, archive, manifest, path)
        except OperationalError as error:
            if getattr(error.__cause__, "pgcode", None) == _LOCK_NOT_AVAILABLE:
                raise DatabaseInUse from error
            raise
    before = set(manifest.migrations)
    call_command("migrate", database="owner", interactive=False, verbosity=0)
    with connections["owner"].cursor() as cursor:
        after = tables.list_migrations(cursor)
    return Restored(manifest, tuple(".".join(one) for one in after if one not in before))


def _refuse_unknown_migrations(manifest: Manifest) -> None:
    known = set(MigrationLoader(None).disk_migrations)
    if unknown := [
        f"{app}.{name}" for app, name in manifest.migrations if (app, name) not in known
    ]:
        raise BackupOfAnotherVersion(version=manifest.version, migrations=", ".join(unknown))


def _prepare(cursor: CursorWrapper, *, replace: bool) -> None:
    """Leave the database without tables, unless somebody's data are in them."""
    cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_ADVISORY_KEY])
    cursor.execute("SELECT set_config('lock_timeout', %s, true)", [_PATIENCE])
    if not replace and clearing.is_occupied(cursor):
        raise DatabaseNotEmpty
    clearing.clear(cursor)


def _migrate_to(migrations: Iterable[tuple[str, str]]) -> None:
    """Make the tables as they were, inside the running transaction."""
    wanted = set(migrations)
    executor = MigrationExecutor(connections["owner"])
    graph = executor.loader.graph
    followed = {
        parent.key for key in wanted for parent in graph.node_map[key].parents if parent.key != key
    }
    # The last of each chain; what it builds upon comes with it.
    executor.migrate(sorted(wanted - followed))


def _load(cursor: CursorWrapper, archive: zipfile.ZipFile, manifest: Manifest, path: Path) -> None:
    """Store all rows as they are, past triggers and policies, and compare them."""
    tables.spell_alike(cursor)
    found = {table.name: table for table in tables.list_tables(cursor)}
    if set(found) != {part.name for part in manifest.tables}:
        raise BackupDamaged(path=path, why="its tables are not those of its migrations")
    with _unguarded(cursor, sorted(found)):
        for part in manifest.tables:
            with archive.open(part.member) as member:
                try:
                    tables.read_rows(cursor, part.name, part.columns, member)
                except Error as error:
                    why = f"{part.name}: {str(error).strip().splitlines()[0]}"
                    raise BackupDamaged(path=path, why=why) from error
        for name, (last_value, is_called) in manifest.sequences.items():
            cursor.execute(
                "SELECT setval(%s::regclass, %s, %s)", [f'"{name}"', last_value, is_called]
            )
        # Foreign keys are checked here, all at once.
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        for part in manifest.tables:
            if tables.write_rows(cursor, found[part.name]) != part.content:
                raise RestoredDiffers(table=part.name)
        _settle_events(cursor, found)
    cursor.execute("ANALYZE")


def _settle_events(cursor: CursorWrapper, found: Mapping[str, tables.Table]) -> None:
    """Put restored events before all that this server will ever write, in the order they had.

    They carry the numbers of transactions of the server they come from, which may have been ahead
    of this one: they would be held back until it has caught up, and then stand among later events.
    """
    if "transaction" in found["accounts_event"].columns:
        cursor.execute(_SETTLE)


_SETTLE = """
    WITH newest AS (SELECT max(transaction) AS number FROM accounts_event)
    UPDATE accounts_event SET transaction = transaction - newest.number
    FROM newest WHERE newest.number >= pg_current_xact_id()::text::bigint
"""


@contextmanager
def _unguarded(cursor: CursorWrapper, names: list[str]) -> Iterator[None]:
    """Empty the tables and let the owner store rows that triggers and policies would refuse.

    Nobody else sees the tables in that state: they are locked, and it ends with the transaction.
    """
    cursor.execute(
        "SELECT relname FROM pg_class WHERE relforcerowsecurity"
        " AND relnamespace = 'public'::regnamespace ORDER BY relname"
    )
    forced = [row[0] for row in cursor.fetchall()]
    cursor.execute("SET CONSTRAINTS ALL DEFERRED")
    for name in forced:
        cursor.execute(f'ALTER TABLE "{name}" NO FORCE ROW LEVEL SECURITY')
    for name in names:
        cursor.execute(f'ALTER TABLE "{name}" DISABLE TRIGGER USER')
    cursor.execute("TRUNCATE " + ", ".join(f'"{name}"' for name in names))
    yield
    for name in names:
        cursor.execute(f'ALTER TABLE "{name}" ENABLE TRIGGER USER')
    for name in forced:
        cursor.execute(f'ALTER TABLE "{name}" FORCE ROW LEVEL SECURITY')
