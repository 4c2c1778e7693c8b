"""Accounts are found as people type; names with letters of their own stand where they belong."""

from collections.abc import Iterator
from typing import Any, ClassVar

from django.db import migrations, models

from billing_rules.ordering import sort_key
from billing_rules.searching import search_key

AT_ONCE = 5_000
READ = """
    SELECT id, name, external_id, legal_name, vat_id, email FROM accounts_account
    WHERE id > %s ORDER BY id LIMIT %s
"""
WRITE = """
    UPDATE accounts_account AS account
    SET sort_key = new.sort_key, search_key = new.search_key
    FROM unnest(%s::uuid[], %s::text[], %s::text[]) AS new (id, sort_key, search_key)
    WHERE account.id = new.id
"""


def _batches(cursor: Any) -> Iterator[list[Any]]:
    last = "00000000-0000-0000-0000-000000000000"
    while True:
        cursor.execute(READ, [last, AT_ONCE])
        rows = cursor.fetchall()
        if not rows:
            return
        yield rows
        last = rows[-1][0]


def fill(_apps: Any, schema_editor: Any) -> None:
    """Fold what is stored already. Under forced row security the owner would see no row."""
    with schema_editor.connection.cursor() as cursor:
        cursor.execute("ALTER TABLE accounts_account NO FORCE ROW LEVEL SECURITY")
        for rows in _batches(cursor):
            keys = [[row[0], sort_key(row[1]), search_key(row[1:])] for row in rows]
            cursor.execute(WRITE, list(map(list, zip(*keys, strict=True))))
        cursor.execute("ALTER TABLE accounts_account FORCE ROW LEVEL SECURITY")


class Migration(migrations.Migration):
    """Add the key, and fill it and the key of sorting."""

    dependencies: ClassVar[list[tuple[str, str]]] = [("accounts", "0011_four_eyes")]
    operations: ClassVar[list[Any]] = [
        migrations.AddField(
            "account", "search_key", models.TextField(blank=True, default="", db_default="")
        ),
        migrations.RunPython(fill, migrations.RunPython.noop),
    ]
