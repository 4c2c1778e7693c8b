"""Taking a backup: one snapshot of all tables, verified before the file gets its name."""

import contextlib
import os
import zipfile
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import IO

from django.db import connections, transaction
from django.db.backends.utils import CursorWrapper

from billing_hierarchy import VERSION
from billing_hierarchy.backup import tables
from billing_hierarchy.backup.archive import (
    Manifest,
    TablePart,
    create_archive,
    member_of,
    open_archive,
    verify_archive,
    write_manifest,
)
from billing_hierarchy.backup.errors import (
    BackupExists,
    BackupNotWritable,
    BackupRuns,
    NothingToBackUp,
)
from billing_hierarchy.embedded import locks


def take_backup(path: Path, *, now: datetime) -> Manifest:
    """Write everything that the database holds at one moment into a file of that name.

    Others go on working meanwhile. The file appears under its name when it is whole and was read
    back; a process that is killed leaves a hidden ``.partial`` beside it, which the next one takes
    over.

    Raises:
        BackupExists, BackupRuns, BackupNotWritable: the file can't be written.
        NothingToBackUp: the database has no tables.
    """
    if path.exists():
        raise BackupExists(path=path)
    partial = path.with_name(f".{path.name}.partial")
    try:
        with _written_alone(partial, path) as file:
            with create_archive(file) as archive:
                manifest = _write(archive, now)
            file.flush()
            os.fsync(file.fileno())
            with open_archive(partial) as archive:
                verify_archive(archive, manifest, path)
            partial.rename(path)
        _keep_name(path.parent)
    except OSError as error:
        raise BackupNotWritable(path=path, why=error.strerror or str(error)) from error
    return manifest


@contextlib.contextmanager
def _written_alone(partial: Path, path: Path) -> Iterator[IO[bytes]]:
    """Open the file for its owner's eyes, emptied; remove it if the work fails."""
    descriptor = os.open(partial, os.O_RDWR | os.O_CREAT, 0o600)
    with os.fdopen(descriptor, "r+b") as file:
        # Who finds the file renamed meanwhile has just met another backup's end.
        if not locks.try_exclusive(descriptor) or not _is_still(partial, descriptor):
            raise BackupRuns(path=path)
        file.truncate(0)
        try:
            yield file
        except BaseException:
            partial.unlink(missing_ok=True)
            raise


def _is_still(path: Path, descriptor: int) -> bool:
    """Return whether the open file still has this name."""
    with contextlib.suppress(FileNotFoundError):
        return path.stat().st_ino == os.fstat(descriptor).st_ino
    return False


def _write(archive: zipfile.ZipFile, now: datetime) -> Manifest:
    """Write all tables as one snapshot shows them: by the role that row security does not bind."""
    connection = connections["maintenance"]
    with transaction.atomic(using="maintenance"), connection.cursor() as cursor:
        cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        tables.spell_alike(cursor)
        found = tables.list_tables(cursor)
        if "django_migrations" not in {table.name for table in found}:
            raise NothingToBackUp
        names = ", ".join(f'"{table.name}"' for table in found)
        # No migration comes between the first table and the last.
        cursor.execute(f"LOCK TABLE {names} IN ACCESS SHARE MODE")
        parts = tuple(_write_table(archive, cursor, table) for table in found)
        manifest = Manifest(
            version=VERSION,
            made_at=now.isoformat(),
            postgresql=_server_version(cursor),
            migrations=tuple(tables.list_migrations(cursor)),
            tables=parts,
            # They stand outside of snapshots: read last, they are past every row.
            sequences=tables.list_sequences(cursor),
        )
    write_manifest(archive, manifest)
    return manifest


def _write_table(archive: zipfile.ZipFile, cursor: CursorWrapper, table: tables.Table) -> TablePart:
    with archive.open(member_of(table.name), "w", force_zip64=True) as member:
        content = tables.write_rows(cursor, table, member)
    return TablePart(table.name, table.columns, content)


def _server_version(cursor: CursorWrapper) -> str:
    cursor.execute("SHOW server_version")
    return str(cursor.fetchone()[0])


def _keep_name(folder: Path) -> None:
    """Have the file system write down the new name, so that a power cut does not lose it."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
