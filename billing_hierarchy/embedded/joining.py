"""Join the embedded services, starting them first where no one has."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from billing_hierarchy.embedded import locks
from billing_hierarchy.embedded.errors import EmbeddedServiceError
from billing_hierarchy.embedded.folders import (
    ServiceFolder,
    free_megabytes,
    local_folder,
    prepare_service_folder,
    project_folder,
    unwritable,
)
from billing_hierarchy.embedded.privileges import server_identity, unprivileged

_VARIABLES = {"postgresql": "DATABASE_URL", "redis": "REDIS_URL"}
_TITLES = {"postgresql": "PostgreSQL", "redis": "Redis"}
_PATIENCE_SECONDS = 180.0
_LEAST_ROOM_MB = 20
_LARGEST_LOG_BYTES = 10 * 2**20

# The descriptors of the users' locks that this process holds until it ends.
_held: dict[str, int] = {}


def ensure_services() -> None:
    """Start or join each service without a given address, and put its addresses into os.environ.

    A service whose address was set by someone else is left alone. Costs milliseconds when the
    services run. May be called again at any time, to bring back services that were killed.

    Raises:
        EmbeddedServiceError: a service cannot run here.
    """
    folders = {name: _join(name) for name in _VARIABLES if is_embedded(name)}
    started = []
    try:
        # Both are started before either is waited for.
        for name, folder in folders.items():
            started += _start(name, folder)
        for name, folder in folders.items():
            _publish(name, _wait_until_ready(name, folder))
    finally:
        for supervisor in started:
            supervisor.wait()


def is_embedded(name: str) -> bool:
    """Return whether the service ``name`` is the embedded one, not one with a given address."""
    return not os.environ.get(_VARIABLES[name]) or _marker(name) in os.environ


def stop_services() -> list[str]:
    """Stop the embedded services, used or not, and return the names of those that ran."""
    stopped = []
    for name in _VARIABLES:
        folder = ServiceFolder(local_folder() / name)
        if not folder.supervisor_lock.exists() or not _is_alive(folder):
            continue
        with contextlib.suppress(OSError, ValueError, KeyError):
            message = json.loads(folder.ready.read_text(encoding="utf-8"))
            os.kill(message["supervisor"], signal.SIGTERM)
            stopped.append(name)
        deadline = time.monotonic() + 30
        while _is_alive(folder) and time.monotonic() < deadline:
            time.sleep(0.05)
    return stopped


def _join(name: str) -> ServiceFolder:
    """Hold the users' lock of the service until this process ends.

    Waits while a supervisor that found no user is stopping its server.
    """
    folder = prepare_service_folder(name)
    try:
        if name not in _held or not _is_current(_held[name], folder.users_lock):
            _held[name] = locks.open_lock(folder.users_lock)
            locks.take_shared(_held[name])
        # Tells the supervisor that the grace time begins anew.
        os.utime(_held[name])
    except OSError as error:
        raise unwritable(folder.path, error) from error
    return folder


def _is_current(descriptor: int, path: Path) -> bool:
    """Return whether ``path`` is still the file behind ``descriptor``."""
    with contextlib.suppress(OSError):
        return path.stat().st_ino == os.fstat(descriptor).st_ino
    return False


def _is_alive(folder: ServiceFolder) -> bool:
    """Return whether a supervisor holds its lock; it may still be starting its server."""
    return locks.is_held_exclusively(folder.supervisor_lock)


def _start(name: str, folder: ServiceFolder) -> list[subprocess.Popen[bytes]]:
    """Start the supervisor unless there is one, and return what has to be waited for.

    The supervisor inherits its lock already locked: there is no moment in which it is neither
    started nor alive.
    """
    if _is_alive(folder):
        return []
    with locks.exclusive(folder.start_lock):
        lock = locks.open_lock(folder.supervisor_lock)
        try:
            # Who only asks whether the lock is held, holds it shared for that moment.
            while not locks.try_exclusive(lock):
                if _is_alive(folder):
                    return []
            folder.ready.unlink(missing_ok=True)
            folder.problem.unlink(missing_ok=True)
            print(f"Starting the embedded {_TITLES[name]} …", file=sys.stderr, flush=True)
            return [_spawn(name, folder, lock)]
        except OSError as error:
            raise unwritable(folder.path, error) from error
        finally:
            os.close(lock)


def _spawn(name: str, folder: ServiceFolder, lock: int) -> subprocess.Popen[bytes]:
    """Start the supervisor, detached: own session, own output, nothing of this process's."""
    log = os.open(folder.log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        if os.geteuid() == 0:
            os.fchown(log, *server_identity(local_folder()))
        if os.fstat(log).st_size > _LARGEST_LOG_BYTES:
            os.ftruncate(log, 0)
        command = [
            sys.executable,
            "-m",
            "billing_hierarchy.embedded.supervisor",
            name,
            str(folder.path),
        ]
        return subprocess.Popen(
            unprivileged(command, server_identity(local_folder())),
            cwd=project_folder(),
            env=_supervisor_environment(),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            pass_fds=(lock,),
            start_new_session=True,
        )
    finally:
        os.close(log)


def _supervisor_environment() -> dict[str, str]:
    """Return the environment without what is meant for the caller alone."""
    unwanted = {"PYTHONWARNINGS", "LC_ALL", "LANGUAGE"}
    kept = {
        variable: value
        for variable, value in os.environ.items()
        if variable not in unwanted and not variable.startswith(("PG", "COV_", "COVERAGE_"))
    }
    # Messages in English, because some are recognised.
    return {**kept, "LC_MESSAGES": "C", "PYTHONUNBUFFERED": "1", "PYTHONDONTWRITEBYTECODE": "1"}


def _wait_until_ready(name: str, folder: ServiceFolder) -> dict[str, str]:
    """Return the addresses of the running service."""
    deadline = time.monotonic() + _PATIENCE_SECONDS
    restarts = 2
    while time.monotonic() < deadline:
        alive = _is_alive(folder)
        if alive and (addresses := _announced(folder)):
            return addresses
        if not alive:
            if folder.problem.exists() or not restarts:
                raise EmbeddedServiceError(_problem(name, folder))
            # It was killed while it started.
            restarts -= 1
            for supervisor in _start(name, folder):
                supervisor.wait()
        time.sleep(0.02)
    raise EmbeddedServiceError(f"{_TITLES[name]} did not start in time: read {folder.log}.")


def _announced(folder: ServiceFolder) -> dict[str, str]:
    """Return the addresses that the supervisor has announced, none before it has."""
    with contextlib.suppress(OSError, ValueError):
        return dict(json.loads(folder.ready.read_text(encoding="utf-8"))["environment"])
    return {}


def _problem(name: str, folder: ServiceFolder) -> str:
    """Return what the supervisor had to say before it gave up."""
    with contextlib.suppress(OSError):
        if said := folder.problem.read_text(encoding="utf-8"):
            return said
    # On a full disk not even the reason could be written down.
    if free_megabytes(folder.path) < _LEAST_ROOM_MB:
        return (
            f"{_TITLES[name]} did not start because the disk that holds {folder.path} is full: "
            "make room, or set BILLING_LOCAL_DIR to a folder elsewhere."
        )
    return f"{_TITLES[name]} did not start: read {folder.log}."


def _publish(name: str, addresses: dict[str, str]) -> None:
    """Put the addresses into the environment, for this process and those that it starts.

    Addresses that a parent process has set for this same service stay: they may lead to another
    database of it, as in the tests.
    """
    if _VARIABLES[name] not in os.environ or os.environ.get(_marker(name)) != str(local_folder()):
        os.environ.update(addresses)
    os.environ[_marker(name)] = str(local_folder())


def _marker(name: str) -> str:
    """Return the variable that tells an address set here from one that the operator has set."""
    return f"BILLING_EMBEDDED_{name.upper()}"
