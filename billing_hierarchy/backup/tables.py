"""What a database consists of, and its rows as text that is the same in every PostgreSQL."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Protocol

from django.db.backends.utils import CursorWrapper

# One text for one value, whatever the server or the role prefers.
_SPELLING = {
    "datestyle": "ISO, YMD",
    "intervalstyle": "postgres",
    "timezone": "UTC",
    "bytea_output": "hex",
    "extra_float_digits": "3",
    # A policy that would leave rows out is an error, not a gap in the backup.
    "row_security": "off",
}

_TABLES = """
    SELECT c.relname,
        (SELECT array_agg(a.attname::text ORDER BY a.attnum) FROM pg_attribute AS a
         WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''),
        (SELECT array_agg(quote_ident(a.attname)
             || CASE WHEN a.attcollation <> 0 THEN ' COLLATE "C"' ELSE '' END
             ORDER BY array_position(i.indkey::int2[], a.attnum))
         FROM pg_index AS i JOIN pg_attribute AS a
             ON a.attrelid = i.indrelid AND a.attnum = ANY (i.indkey)
         WHERE i.indrelid = c.oid AND i.indisprimary)
    FROM pg_class AS c
    WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r'
        AND NOT EXISTS (SELECT FROM pg_depend AS d WHERE d.objid = c.oid AND d.deptype = 'e')
    ORDER BY c.relname COLLATE "C"
"""


class Sink(Protocol):
    """What rows are written to."""

    def write(self, data: bytes, /) -> Any:
        """Take some bytes."""


@dataclass(frozen=True)
class Table:
    """A table, its stored columns, and the order in which its rows are written."""

    name: str
    columns: tuple[str, ...]
    order: tuple[str, ...]


@dataclass(frozen=True)
class Content:
    """What identifies a table's rows."""

    rows: int
    bytes: int
    sha256: str


class Digesting:
    """Passes bytes on and computes their digest."""

    def __init__(self, sink: Sink | None = None) -> None:
        """Pass on to ``sink``, or to nobody."""
        self._sink, self._digest, self.bytes = sink, hashlib.sha256(), 0

    def write(self, data: bytes, /) -> int:
        """Take some bytes."""
        self._digest.update(data)
        self.bytes += len(data)
        if self._sink is not None:
            self._sink.write(data)
        return len(data)

    @property
    def sha256(self) -> str:
        """The digest so far."""
        return self._digest.hexdigest()


def spell_alike(cursor: CursorWrapper) -> None:
    """Have the rest of the transaction write values in the one way that backups are written."""
    for name, value in _SPELLING.items():
        cursor.execute("SELECT set_config(%s, %s, true)", [name, value])


def list_tables(cursor: CursorWrapper) -> list[Table]:
    """Return all tables of the product by name. One statement."""
    cursor.execute(_TABLES)
    return [Table(name, tuple(columns), tuple(key or ())) for name, columns, key in cursor]


def write_rows(cursor: CursorWrapper, table: Table, sink: Sink | None = None) -> Content:
    """Write the table's rows to ``sink`` in the order of their keys, and say what they were."""
    # Without a key the text of the whole row gives the order.
    order = ", ".join(table.order) or f'"{table.name}"::text COLLATE "C"'
    digesting = Digesting(sink)
    cursor.copy_expert(
        f'COPY (SELECT {_quoted(table.columns)} FROM "{table.name}" ORDER BY {order}) TO STDOUT',  # noqa: S608
        digesting,
    )
    return Content(cursor.rowcount, digesting.bytes, digesting.sha256)


def read_rows(cursor: CursorWrapper, name: str, columns: Iterable[str], source: Any) -> None:
    """Store rows that ``write_rows`` has written."""
    cursor.copy_expert(f'COPY "{name}" ({_quoted(columns)}) FROM STDIN', source)


def list_sequences(cursor: CursorWrapper) -> dict[str, tuple[int, bool]]:
    """Return where each sequence stands: its last value, and whether that was given out."""
    cursor.execute(
        "SELECT sequencename FROM pg_sequences WHERE schemaname = 'public'"
        ' ORDER BY sequencename COLLATE "C"'
    )
    found = {}
    for name in [row[0] for row in cursor.fetchall()]:
        cursor.execute(f'SELECT last_value, is_called FROM "{name}"')  # noqa: S608
        found[name] = cursor.fetchone()
    return found


def list_migrations(cursor: CursorWrapper) -> list[tuple[str, str]]:
    """Return the applied migrations as pairs of app and name."""
    cursor.execute('SELECT app, name FROM django_migrations ORDER BY app, name COLLATE "C"')
    return list(cursor.fetchall())


def _quoted(columns: Iterable[str]) -> str:
    return ", ".join(f'"{column}"' for column in columns)
