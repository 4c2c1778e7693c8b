"""The floor: the rows that a run made, written again by one set-based statement for each table.

Same tables, same constraints, triggers and row security, same role, one transaction. What the
product adds to that is reading, computing and getting the values to the database.
"""

import time
from dataclasses import dataclass
from uuid import UUID

from django.db import connection, connections
from django.db.backends.utils import CursorWrapper

from benchmarks.processor import processor
from tenancy.database import scope

# In the order in which they refer to one another.
_TABLES = (
    "subscriptions_period",
    "invoicing_charge",
    "invoicing_invoice",
    "invoicing_invoicesection",
    "invoicing_invoiceline",
    "invoicing_invoicetax",
    "invoicing_ledgerentry",
    "invoicing_ledgerposting",
    "invoicing_documenttomake",
    "accounts_auditentry",
    "accounts_event",
    "tenancy_outboxentry",
)
# Tables are emptied only together with all that refer to them, at however many removes.
_REFERRING = """
    WITH RECURSIVE emptied (table_id) AS (
        SELECT name::regclass::oid FROM unnest(%s) AS name
        UNION
        SELECT conrelid FROM pg_constraint JOIN emptied ON confrelid = table_id WHERE contype = 'f'
    )
    SELECT table_id::regclass::text FROM emptied
    WHERE NOT table_id = ANY (%s::regclass[]::oid[]) ORDER BY 1
"""
# What was loaded before the run stands there too.
_LOGS = ("accounts_auditentry", "accounts_event")
_OF_THE_RUN = "WHERE at >= (SELECT min(started_at) FROM invoicing_billingrun)"
# An invoice is numbered after its lines are there, in the product as here.
_NUMBERING = (
    "status",
    "series_year",
    "series_number",
    "number",
    "issue_date",
    "due_date",
    "issued_at",
)


@dataclass(frozen=True, slots=True)
class Floor:
    """What writing took: seconds, and seconds of the processor, which other work hardly changes."""

    seconds: float
    processor: float


def measure_floor(tenant_id: UUID) -> Floor:
    """Take the rows of a finished run away, and measure how they are written again."""
    _set_aside()
    connection.close()
    start = time.monotonic()
    with processor() as taken:
        _write(tenant_id)
    return Floor(time.monotonic() - start, taken.both)


def _write(tenant_id: UUID) -> None:
    with scope(tenant_id), connection.cursor() as cursor:
        for table in _TABLES:
            cursor.execute(_insert(table))
        numbering = ", ".join(f"{column} = kept.{column}" for column in _NUMBERING)
        cursor.execute(
            f"UPDATE invoicing_invoice AS invoice SET {numbering}"  # noqa: S608
            " FROM kept_invoicing_invoice AS kept"
            " WHERE invoice.tenant_id = kept.tenant_id AND invoice.id = kept.id"
        )
        cursor.execute(
            "UPDATE subscriptions_item AS item"
            " SET chain_end = kept.chain_end, next_action_date = kept.next_action_date"
            " FROM kept_subscriptions_item AS kept"
            " WHERE item.tenant_id = kept.tenant_id AND item.id = kept.id"
        )


def _set_aside() -> None:
    """Keep the rows in plain tables and empty those they were in, as the owner may."""
    with connections["owner"].cursor() as cursor:
        cursor.execute("ALTER TABLE invoicing_billingrun NO FORCE ROW LEVEL SECURITY")
        for table in (*_TABLES, "subscriptions_item"):
            own = _OF_THE_RUN if table in _LOGS else ""
            cursor.execute(f"ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY")
            cursor.execute(f"CREATE TABLE kept_{table} AS SELECT * FROM {table} {own}")  # noqa: S608
            cursor.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
            cursor.execute(f"GRANT SELECT ON kept_{table} TO PUBLIC")
            cursor.execute(f"ANALYZE kept_{table}")
        cursor.execute("ALTER TABLE invoicing_billingrun FORCE ROW LEVEL SECURITY")
        emptied = (*_TABLES, *_empty_referring(cursor))
        for table in emptied:
            cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
        cursor.execute(f"TRUNCATE {', '.join(emptied)}")
        for table in emptied:
            cursor.execute(f"ALTER TABLE {table} ENABLE TRIGGER USER")
        cursor.execute("VACUUM FULL subscriptions_item")


def _empty_referring(cursor: CursorWrapper) -> list[str]:
    """Return the other tables that refer to those; a run that filled one has a wrong floor."""
    names = list(_TABLES)
    cursor.execute(_REFERRING, [names, names])
    referring = [name for (name,) in cursor.fetchall()]
    for table in referring:
        cursor.execute(f"SELECT count(*) FROM {table}")  # noqa: S608
        (count,) = cursor.fetchone()
        assert not count, f"a run writes {table} too: it belongs to the tables of the floor"
    return referring


def _insert(table: str) -> str:
    if table != "invoicing_invoice":
        return f"INSERT INTO {table} SELECT * FROM kept_{table}"  # noqa: S608
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT * FROM kept_{table} LIMIT 0")  # noqa: S608
        columns = [column.name for column in cursor.description]
    unnumbered = [
        "'to_approve'" if column == "status" else "NULL" if column in _NUMBERING else column
        for column in columns
    ]
    return (
        f"INSERT INTO {table} ({', '.join(columns)})"  # noqa: S608
        f" SELECT {', '.join(unnumbered)} FROM kept_{table}"
    )
