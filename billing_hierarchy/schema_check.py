"""Whether the database has the tables of this version: whoever starts without them is told so."""

from functools import cache
from pathlib import Path

from django.apps import apps
from django.core.exceptions import ImproperlyConfigured
from django.db import ProgrammingError, connection


@cache
def known_migrations() -> frozenset[tuple[str, str]]:
    """Return all migrations of all installed applications, as pairs of app and name."""
    return frozenset(
        (config.label, path.stem)
        for config in apps.get_app_configs()
        for path in (Path(config.path) / "migrations").glob("[0-9]*.py")
    )


def pending_migrations() -> list[str]:
    """Return the migrations that the database lacks; later ones than this version's may be there.

    One statement.
    """
    with connection.cursor() as cursor:
        try:
            cursor.execute("SELECT app, name FROM django_migrations")
        except ProgrammingError:
            applied = set()
        else:
            applied = set(cursor.fetchall())
    return [".".join(one) for one in sorted(known_migrations() - applied)]


def refuse_older_tables() -> None:
    """Return if the database has all migrations of this version.

    Raises:
        ImproperlyConfigured: it lacks some.
    """
    if pending := pending_migrations():
        raise ImproperlyConfigured(
            f"The database lacks {len(pending)} migrations of this version, {pending[0]} first:"
            " run `manage.py migrate --database owner`."
        )
