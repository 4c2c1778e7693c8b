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


def refresh_outdated_statistics() -> int:
    """Count the rows of those tables anew in which much was written since they were last counted.

    For the end of an import or of a run, when its transactions are over. How much is much says the
    database's function, for all tables alike; its own housekeeping would come by only after a
    minute, and until then every statement about a new tenant is planned for a single row.

    Returns:
        How many tables; none within a transaction, which would keep others from counting them.
    """
    if connection.in_atomic_block:
        return 0
    with connection.cursor() as cursor:
        # What this connection wrote is told to the others from time to time only.
        cursor.execute("SELECT pg_stat_force_next_flush()")
        cursor.execute("SELECT tenancy_refresh_outdated_statistics()")
        return int(cursor.fetchone()[0])
