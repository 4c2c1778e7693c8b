"""The file: a ZIP archive of one text per table, and a manifest that says what has to be there."""

import contextlib
import json
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, Any

from billing_hierarchy.backup.errors import BackupDamaged, BackupNotReadable
from billing_hierarchy.backup.tables import Content, Digesting

PRODUCT = "billing-hierarchy"
FORMAT = 1
_MANIFEST = "manifest.json"
_PIECE = 1 << 20


@dataclass(frozen=True)
class TablePart:
    """One table in the archive."""

    name: str
    columns: tuple[str, ...]
    content: Content

    @property
    def member(self) -> str:
        """The name of its text in the archive, which PostgreSQL's COPY reads."""
        return member_of(self.name)


@dataclass(frozen=True)
class Manifest:
    """What a backup holds, and which version of the product wrote it."""

    version: str
    made_at: str
    postgresql: str
    migrations: tuple[tuple[str, str], ...]
    tables: tuple[TablePart, ...]
    sequences: dict[str, tuple[int, bool]]

    @property
    def rows(self) -> int:
        """The rows of all tables."""
        return sum(table.content.rows for table in self.tables)


def member_of(table: str) -> str:
    """Return the name of a table's text in the archive."""
    return f"tables/{table}.copy"


def write_manifest(archive: zipfile.ZipFile, manifest: Manifest) -> None:
    """Put the manifest into the archive: the last member, so that half an archive has none."""
    data = {"product": PRODUCT, "format": FORMAT, **asdict(manifest)}
    archive.writestr(_MANIFEST, json.dumps(data, indent=1))


@contextlib.contextmanager
def open_archive(path: Path) -> Iterator[zipfile.ZipFile]:
    """Open a backup to read it.

    Raises:
        BackupNotReadable: there is no such file, or it may not be read.
        BackupDamaged: it is no archive, or a member of it is broken.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            yield archive
    except zipfile.BadZipFile as error:
        raise BackupDamaged(path=path, why=str(error).rstrip(".")) from error
    except OSError as error:
        raise BackupNotReadable(path=path, why=error.strerror or str(error)) from error


def read_manifest(archive: zipfile.ZipFile, path: Path) -> Manifest:
    """Return the archive's manifest.

    Raises:
        BackupDamaged: it has none, or one of another product or format.
    """
    try:
        data = json.loads(archive.read(_MANIFEST))
        if (data["product"], data["format"]) != (PRODUCT, FORMAT):
            raise BackupDamaged(path=path, why=f"{data['product']}, format {data['format']}")
        return Manifest(
            version=data["version"],
            made_at=data["made_at"],
            postgresql=data["postgresql"],
            migrations=tuple((app, name) for app, name in data["migrations"]),
            tables=_parts(data["tables"]),
            sequences={name: (last, called) for name, (last, called) in data["sequences"].items()},
        )
    except (KeyError, ValueError, TypeError) as error:
        raise BackupDamaged(path=path, why=f"no manifest ({error})") from error


def verify_archive(archive: zipfile.ZipFile, manifest: Manifest, path: Path) -> None:
    """Compare every table's text with its digest.

    Raises:
        BackupDamaged: a text is missing or is not what was written.
    """
    for table in manifest.tables:
        found = Digesting()
        try:
            with archive.open(table.member) as member:
                while piece := member.read(_PIECE):
                    found.write(piece)
        except KeyError as error:
            raise BackupDamaged(path=path, why=f"{table.name} is missing") from error
        if found.sha256 != table.content.sha256:
            raise BackupDamaged(path=path, why=f"{table.name} was changed")


def create_archive(file: IO[bytes]) -> zipfile.ZipFile:
    """Return an archive to write to; its tables may be of any size."""
    return zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, allowZip64=True, compresslevel=4)


def _parts(rows: Sequence[Any]) -> tuple[TablePart, ...]:
    return tuple(
        TablePart(row["name"], tuple(row["columns"]), Content(**row["content"])) for row in rows
    )
