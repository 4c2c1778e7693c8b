"""Databases for tests: one migrated template, a clone per worker, a clone per test that commits.

Tests run as the application's own role, which may not bypass row security and may not TRUNCATE.
So a test that really commits (``transaction=True``, ``live_server``) is not cleaned up after:
it gets a database of its own, made in a fraction of a second, and the database is dropped.
"""

import hashlib
import itertools
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import pytest
from django.core.management import call_command
from django.db import ProgrammingError, connections
from django.db.backends.utils import CursorWrapper
from pytest_django import DjangoDbBlocker

from billing_hierarchy.embedded import locks
from billing_hierarchy.embedded.folders import local_folder, project_folder
from tests.scenes import set_scenes, strike_scenes

_ALIASES = {
    "default": "DATABASE_URL",
    "owner": "DATABASE_OWNER_URL",
    "maintenance": "DATABASE_MAINTENANCE_URL",
}
_TEMPLATE_PREFIX = "template_"
_CLONE_PREFIX = "test_"
_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def django_db_setup(django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """Give this process a clone of the migrated template and drop it at the end."""
    with django_db_blocker.unblock(), clone():
        django_db_blocker.block()
        try:
            yield
        finally:
            django_db_blocker.restore()
            strike_scenes()


@pytest.fixture
def committed_database(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[str]:
    """Give the test, its threads and the processes it starts a database to commit to.

    Yields:
        its name; the environment leads to it.
    """
    with django_db_blocker.unblock(), clone() as name:
        yield name


@pytest.fixture
def _django_db_helper(
    request: pytest.FixtureRequest, django_db_setup: None, django_db_blocker: DjangoDbBlocker
) -> None:
    """Give tests that commit a database of their own, the others what they begin from."""
    marker = request.node.get_closest_marker("django_db")
    commits = bool(marker and (marker.kwargs.get("transaction") or marker.args[:1] == (True,)))
    if commits or {"transactional_db", "live_server", "committed_database"} & set(
        request.fixturenames
    ):
        request.getfixturevalue("committed_database")
    else:
        with django_db_blocker.unblock():
            set_scenes(request)
        request.getfixturevalue("_django_db_helper")


@contextmanager
def clone(of: str = "") -> Iterator[str]:
    """Make a clone of the migrated template, lead all connections to it, drop it afterwards.

    Args:
        of: the name of another database to clone; nobody may be connected to it.
    """
    strike_scenes()
    name = f"{_CLONE_PREFIX}{os.getpid()}_{next(_numbers)}"
    before = str(connections.settings["owner"]["NAME"])
    # One after another: a template cannot be copied while it is being made.
    with locks.exclusive(_lock()):
        template = of or _template()
        if of:
            connections.close_all()
        _execute(
            f'CREATE DATABASE "{name}" TEMPLATE "{template}"',
            # Test data need not survive a power cut.
            f'ALTER DATABASE "{name}" SET synchronous_commit TO off',
        )
    try:
        _lead_to(name)
        yield name
    finally:
        _lead_to(before)
        _drop(name)


def _drop(name: str) -> None:
    """Drop a database, whoever is connected to it."""
    try:
        _execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
    except ProgrammingError:
        # The server's own housekeeping is there, which only a plain DROP sends away.
        _execute(f'DROP DATABASE IF EXISTS "{name}"')


def _template() -> str:
    """Return the name of the migrated template, made if these migrations have none yet."""
    name = f"{_TEMPLATE_PREFIX}{_digest()}"
    existing = _databases()
    for other in existing:
        if _is_left_over(other, name):
            _drop(other)
    if name not in existing:
        unfinished = f"{name}_unfinished"
        before = str(connections.settings["owner"]["NAME"])
        _execute(f'CREATE DATABASE "{unfinished}"')
        _lead_to(unfinished)
        try:
            call_command("migrate", database="owner", interactive=False, verbosity=0)
            _keep_plans()
        finally:
            _lead_to(before)
        _execute(f'ALTER DATABASE "{unfinished}" RENAME TO "{name}"')
    return name


def _keep_plans() -> None:
    """Let no housekeeping come between tests.

    Most tests take their rows back, so that it would note every table as empty at some moment,
    and what comes after would be planned for a single row and run for minutes.
    """
    with connections["owner"].cursor() as cursor:
        cursor.execute("SELECT quote_ident(tablename) FROM pg_tables WHERE schemaname = 'public'")
        for (table,) in cursor.fetchall():
            cursor.execute(f"ALTER TABLE {table} SET (autovacuum_enabled = false)")


def _is_left_over(other: str, template: str) -> bool:
    """Return whether ``other`` is of an earlier state of the migrations or of a killed run."""
    if other.startswith(_TEMPLATE_PREFIX):
        return other != template
    number = other.removeprefix(_CLONE_PREFIX).split("_")[0]
    return other != number and number.isdigit() and not Path(f"/proc/{number}").exists()


def _digest() -> str:
    """Return a digest of all that migrations are made of."""
    digest = hashlib.sha256()
    root = project_folder()
    # Only packages are looked into: databases come and go below .local meanwhile.
    for package in sorted(path.parent for path in root.glob("*/__init__.py")):
        for pattern in ("migrations/*.py", "**/migrations.py"):
            for path in sorted(package.glob(pattern)):
                digest.update(path.read_bytes())
    digest.update((root / "requirements.lock").read_bytes())
    digest.update(Path(__file__).read_bytes())
    return digest.hexdigest()[:16]


def _lock() -> Path:
    folder = local_folder()
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder / "test-databases.lock"


def _databases() -> list[str]:
    with _maintaining() as cursor:
        cursor.execute("SELECT datname FROM pg_database ORDER BY datname")
        return [name for (name,) in cursor.fetchall()]


def _execute(*statements: str) -> None:
    with _maintaining() as cursor:
        for statement in statements:
            cursor.execute(statement)


@contextmanager
def _maintaining() -> Iterator[CursorWrapper]:
    """Yield a cursor of the owner in the database that belongs to no one, outside a transaction."""
    connection = connections["owner"].copy()
    connection.settings_dict["NAME"] = "postgres"
    try:
        with connection.cursor() as cursor:
            yield cursor
    finally:
        connection.close()


def _lead_to(name: str) -> None:
    """Lead Django's connections, and the processes started from here, to the database ``name``."""
    for alias, variable in _ALIASES.items():
        connections[alias].close()
        connections.settings[alias]["NAME"] = name
        if address := os.environ.get(variable):
            os.environ[variable] = urlunsplit(urlsplit(address)._replace(path=f"/{name}"))
