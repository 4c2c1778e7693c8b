"""Fresh statistics for the planner after very much was written at once."""

from collections.abc import Iterable

from django.db import connection, models

WORTH_IT = 500
"""Fewer new rows than this do not mislead the planner."""


def refresh_statistics(tables: Iterable[type[models.Model]]) -> None:
    """Count the rows of these tables anew, within the running transaction.

    Without it the planner takes a new tenant's ten thousand rows for one, and joins them row by
    row until the database's own housekeeping comes by.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT accounts_refresh_statistics(%s)", [[table._meta.db_table for table in tables]]
        )
