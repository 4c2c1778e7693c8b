"""A real web server on a port of its own, as `make run` starts it."""

import contextlib
import http.client
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from billing_hierarchy.embedded.folders import project_folder

# Where a visitor is in the way of others nobody is ever answered: this is patience, no measure.
PATIENCE_SECONDS = 60
HALF_POST = (
    b"POST /sign-in/ HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n"
    b"Content-Type: application/x-www-form-urlencoded\r\n\r\nemail=half"
)


class WebServer:
    """A started server: its port, its process and what it logs."""

    def __init__(self, port: int, process: "subprocess.Popen[bytes]", log: Path) -> None:
        """Take what was started."""
        self.port, self.process, self.log = port, process, log

    def connect(self, sent: bytes = b"") -> socket.socket:
        """Open a connection and send the beginning of a request."""
        found = socket.create_connection(("127.0.0.1", self.port), timeout=PATIENCE_SECONDS)
        found.sendall(sent)
        return found

    def get(self, path: str = "/healthz", **headers: str) -> http.client.HTTPResponse:
        """Ask for a page on a connection of its own, and read all of it."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE_SECONDS)
        with contextlib.closing(connection):
            connection.request("GET", path, headers=headers)
            answer = connection.getresponse()
            answer.read()
            return answer

    def workers(self) -> list[int]:
        """Return the ids of its processes."""
        path = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        return [int(word) for word in path.read_text(encoding="ascii").split()]


@contextlib.contextmanager
def web_server(log: Path) -> Iterator[WebServer]:
    """Start a server with two processes of four threads, and stop it at the end.

    It is given so much time to stop that one which is held up is seen.
    """
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with log.open("wb") as output:
        process = subprocess.Popen(
            [
                sys.executable,
                "-m",
                "gunicorn",
                "--config=python:billing_hierarchy.web_server",
                f"--graceful-timeout={2 * PATIENCE_SECONDS}",
            ],
            cwd=project_folder(),
            env={**os.environ, "PORT": str(port), "WEB_WORKERS": "2", "WEB_THREADS": "4"},
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    found = WebServer(port, process, log)
    try:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while True:
            with contextlib.suppress(OSError):
                found.get()
                break
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < deadline, log.read_text()
            time.sleep(0.1)
        yield found
    finally:
        process.terminate()
        process.wait(PATIENCE_SECONDS)
