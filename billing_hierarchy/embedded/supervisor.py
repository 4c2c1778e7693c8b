"""The detached process that owns one embedded server: starts, restarts and at last stops it.

It is started by the first process that needs the server, and lives as long as any process holds
the users' lock, plus a grace time. The kernel frees that lock however its holder ends, so nothing
has to be told, counted or cleaned up. Dies the supervisor, then the server is told by the kernel.
"""

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

from billing_hierarchy.embedded import locks
from billing_hierarchy.embedded.errors import EmbeddedServiceError
from billing_hierarchy.embedded.folders import ServiceFolder, prepare_socket_folder
from billing_hierarchy.embedded.postgresql import PostgreSQL
from billing_hierarchy.embedded.privileges import leashed
from billing_hierarchy.embedded.redis_server import Redis
from billing_hierarchy.embedded.service import Service

SERVICES: dict[str, type[Service]] = {"postgresql": PostgreSQL, "redis": Redis}

_POLL_SECONDS = 0.25
_START_SECONDS = 120.0
_STOP_SECONDS = 20.0
_ATTEMPTS = 8
_DEFAULT_GRACE_SECONDS = 5.0


class Supervisor:
    """Keeps one server alive while it is used."""

    def __init__(self, service_class: type[Service], folder: ServiceFolder) -> None:
        """Prepare to run the server of ``folder``."""
        self._folder = folder
        self._sockets = prepare_socket_folder(folder)
        self._service = service_class(folder, self._sockets)
        self._users_lock = locks.open_lock(folder.users_lock)
        self._grace_seconds = float(
            os.environ.get("BILLING_GRACE_SECONDS") or _DEFAULT_GRACE_SECONDS
        )
        self._server: subprocess.Popen[bytes] | None = None

    def run(self) -> None:
        """Start the server, keep it until no one uses it any more, stop it."""
        try:
            self._start()
            self._watch()
        finally:
            self._folder.ready.unlink(missing_ok=True)
            self._stop()
            if not self._sockets.is_relative_to(self._folder.path):
                shutil.rmtree(self._sockets, ignore_errors=True)

    def _start(self) -> None:
        """Start the server and tell those who wait.

        A killed server's own children need a moment to notice and let go of its memory, and until
        then a new one refuses to start: therefore several attempts.
        """
        for attempt in range(_ATTEMPTS):
            self._service.prepare()
            self._server = subprocess.Popen(
                leashed(self._service.command(), self._service.stop_signal),
                stdin=subprocess.DEVNULL,
                cwd=self._folder.path,
            )
            if self._becomes_ready(self._server):
                self._service.complete()
                self._announce()
                return
            time.sleep(0.25 * (attempt + 1))
        raise EmbeddedServiceError(_start_problem(self._service.title, self._folder.log))

    def _becomes_ready(self, server: subprocess.Popen[bytes]) -> bool:
        deadline = time.monotonic() + _START_SECONDS
        while server.poll() is None:
            if self._service.is_ready():
                return True
            if time.monotonic() > deadline:
                raise EmbeddedServiceError(
                    f"{self._service.title} did not become ready in {_START_SECONDS:.0f} seconds: "
                    f"read {self._folder.log}."
                )
            time.sleep(0.03)
        return False

    def _announce(self) -> None:
        aside = self._folder.ready.with_suffix(".new")
        message = {"supervisor": os.getpid(), "environment": self._service.addresses()}
        aside.write_text(json.dumps(message), encoding="utf-8")
        aside.rename(self._folder.ready)

    def _watch(self) -> None:
        """Return when no one has used the server for the grace time, or the folder is gone."""
        unused_since: float | None = None
        last_joined = self._joined_at()
        while last_joined is not None:
            time.sleep(_POLL_SECONDS)
            if self._server is not None and self._server.poll() is not None:
                self._start()
            if not locks.try_exclusive(self._users_lock):
                unused_since = None
                continue
            # From here a new user waits; if the server is to stop, until the supervisor is gone.
            now, joined = time.monotonic(), self._joined_at()
            if unused_since is None or joined != last_joined:
                unused_since, last_joined = now, joined
            if now - unused_since >= self._grace_seconds:
                return
            locks.release(self._users_lock)

    def _joined_at(self) -> int | None:
        """Return when someone last joined, or None if the folder was removed or made anew."""
        try:
            found = self._folder.users_lock.stat()
        except OSError:
            return None
        same = found.st_ino == os.fstat(self._users_lock).st_ino
        return found.st_mtime_ns if same else None

    def _stop(self) -> None:
        if self._server is None or self._server.poll() is not None:
            return
        for step in (signal.Signals[self._service.stop_signal], signal.SIGQUIT, signal.SIGKILL):
            self._server.send_signal(step)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._server.wait(_STOP_SECONDS)
                return


def _start_problem(title: str, log: Path) -> str:
    """Return one sentence for a server that ended instead of becoming ready."""
    with contextlib.suppress(OSError):
        said = log.read_text(encoding="utf-8", errors="replace")[-4000:]
        if "No space left on device" in said:
            return (
                f"{title} did not start because the disk is full: make room, "
                "or set BILLING_LOCAL_DIR to a folder on another disk."
            )
        if "error while loading shared libraries" in said:
            library = said.rsplit("libraries:", 1)[1].split(":", 1)[0].strip()
            return f"{title} needs the library {library}, which is missing: install it."
    return f"{title} did not start: read {log}."


def main() -> int:
    """Run the supervisor of one service, whose lock this process inherited."""
    name, path = sys.argv[1:]
    # Become nobody's child, so that no caller has to collect it, however long it lives.
    if os.fork():
        return 0
    folder = ServiceFolder(Path(path))
    # End in order, through ``finally``, when asked to.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    try:
        Supervisor(SERVICES[name], folder).run()
    except EmbeddedServiceError as error:
        folder.problem.write_text(str(error), encoding="utf-8")
        return 1
    except OSError as error:
        sentence = f"{SERVICES[name].title} did not start ({error}): make room or mend the folder."
        with contextlib.suppress(OSError):
            folder.problem.write_text(sentence, encoding="utf-8")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
