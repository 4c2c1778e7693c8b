"""Embedded services in a folder of their own, with the processes that use them."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from billing_hierarchy.embedded.folders import project_folder

USER = """
import json, os, sys
from billing_hierarchy.embedded.joining import ensure_services
ensure_services()
import psycopg2
connection = psycopg2.connect(os.environ["DATABASE_URL"])
cursor = connection.cursor()
cursor.execute("SELECT pg_postmaster_start_time()::text")
print(json.dumps({
    "server": cursor.fetchone()[0],
    **{name: value for name, value in os.environ.items() if name.endswith("_URL")},
}), flush=True)
connection.close()
sys.stdin.read()
"""


class Local:
    """A local folder with services that end a second after their last use."""

    def __init__(self, path: Path) -> None:
        """Start nothing yet."""
        self.path = path
        self.users: list[subprocess.Popen[str]] = []
        self.environment = {
            **{n: v for n, v in os.environ.items() if not n.startswith(("BILLING_", "COV_"))},
            "BILLING_LOCAL_DIR": str(path),
            "BILLING_GRACE_SECONDS": "1",
            "PYTHONPATH": str(project_folder()),
        }
        for name in list(self.environment):
            if name.endswith("_URL"):
                del self.environment[name]

    def start_user(self, **environment: str) -> subprocess.Popen[str]:
        """Start a process that joins the services and then stays until its input ends."""
        user = subprocess.Popen(
            [sys.executable, "-c", USER],
            env={**self.environment, **environment},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.users.append(user)
        return user

    def join(self, **environment: str) -> dict[str, str]:
        """Start a user and return what it sees once it has joined."""
        user = self.start_user(**environment)
        assert user.stdout
        assert user.stderr
        answer = user.stdout.readline()
        assert answer, user.stderr.read()
        return dict(json.loads(answer))

    def manage(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run a management command with these services to its end."""
        return subprocess.run(
            [sys.executable, "manage.py", *arguments],
            cwd=project_folder(),
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )

    def processes(self) -> dict[int, list[bytes]]:
        """Return supervisors and servers of this folder by process id."""
        found = {}
        for entry in Path("/proc").iterdir():
            with contextlib.suppress(OSError):
                words = (entry / "cmdline").read_bytes()
                inside = (entry / "cwd").readlink().is_relative_to(self.path)
                if entry.name.isdigit() and (os.fsencode(self.path) in words or inside):
                    found[int(entry.name)] = words.split(b"\0")
        return found

    def kill(self, *kinds: bytes) -> None:
        """Kill supervisors and servers without notice; only those of some kinds if given."""
        for number, words in self.processes().items():
            if not kinds or any(kind in word for kind in kinds for word in words):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(number, signal.SIGKILL)

    def kill_users(self) -> None:
        """Kill all users without notice."""
        for user in self.users:
            user.kill()
            user.communicate()
        self.users.clear()

    def wait_until_quiet(self, seconds: float) -> None:
        """Return when no supervisor and no server is left."""
        deadline = time.monotonic() + seconds
        while left := self.processes():
            assert time.monotonic() < deadline, f"still running: {left}"
            time.sleep(0.1)
