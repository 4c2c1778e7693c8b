"""Whether the database has the tables of this version: whoever starts without them is told so."""

from collections.abc import Iterable
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
    return _named(known_migrations() - _applied_migrations())


def later_migrations() -> list[str]:
    """Return the migrations that the database has and this version does not know."""
    return _named(_applied_migrations() - known_migrations())


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


def _applied_migrations() -> set[tuple[str, str]]:
    """Return what the database has; nothing where there are no tables yet."""
    with connection.cursor() as cursor:
        try:
            cursor.execute("SELECT app, name FROM django_migrations")
        except ProgrammingError:
            return set()
        return set(cursor.fetchall())


def _named(migrations: Iterable[tuple[str, str]]) -> list[str]:
    return [".".join(one) for one in sorted(migrations)]
