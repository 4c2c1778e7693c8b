"""Whether a database is in use by somebody, and how it becomes empty. Only for the owner."""

from django.db.backends.utils import CursorWrapper

_TELLING = ("accounts_tenant", "accounts_person")


def is_occupied(cursor: CursorWrapper) -> bool:
    """Return whether there are tenants or people."""
    for name in _TELLING:
        cursor.execute("SELECT to_regclass(%s) IS NOT NULL", [f"public.{name}"])
        if not cursor.fetchone()[0]:
            continue
        # The owner does not see tenants either; for this transaction it does.
        cursor.execute(f'ALTER TABLE "{name}" NO FORCE ROW LEVEL SECURITY')
        cursor.execute(f'SELECT EXISTS (SELECT FROM "{name}")')  # noqa: S608
        if cursor.fetchone()[0]:
            return True
    return False


def clear(cursor: CursorWrapper) -> None:
    """Drop the owner's tables, sequences and functions; what others put there stays."""
    for kind, listed in (
        (
            "TABLE",
            "SELECT format('%I.%I', schemaname, tablename) FROM pg_tables"
            " WHERE schemaname = 'public' AND tableowner = current_user",
        ),
        (
            "SEQUENCE",
            "SELECT format('%I.%I', schemaname, sequencename) FROM pg_sequences"
            " WHERE schemaname = 'public' AND sequenceowner = current_user",
        ),
        (
            "FUNCTION",
            "SELECT oid::regprocedure::text FROM pg_proc"
            " WHERE pronamespace = 'public'::regnamespace"
            " AND proowner = (SELECT oid FROM pg_roles WHERE rolname = current_user)",
        ),
    ):
        cursor.execute(listed)
        if names := [row[0] for row in cursor.fetchall()]:
            cursor.execute(f"DROP {kind} {', '.join(names)} CASCADE")
