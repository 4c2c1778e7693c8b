"""Run the whole product: web server, worker and timetable."""

import errno
import http.client
import os
import socket
import sys
import time
from argparse import ArgumentParser
from typing import Any

from django.core.management import call_command, get_commands
from django.core.management.base import BaseCommand, CommandError

from billing_hierarchy.embedded.folders import local_folder
from billing_hierarchy.embedded.joining import ensure_services
from billing_hierarchy.embedded.processes import Processes
from billing_hierarchy.static_files import collect_static_files

_LOOK_AFTER_SECONDS = 2.0


class Command(BaseCommand):
    """``manage.py serve``."""

    help = "Run web server, worker and timetable until interrupted (HOST, PORT)."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Let the demo data be left out."""
        parser.add_argument("--no-demo", action="store_true", help="make no demo tenants")

    def handle(self, *_: Any, **options: Any) -> None:
        """Check the port, make what is missing, then run."""
        host, port = _address()
        _refuse_taken_port(host, port)
        collect_static_files()
        if not options["no_demo"] and "demo" in get_commands():
            call_command("demo", stdout=self.stdout, stderr=self.stderr)
        self._shown = host if host not in {"0.0.0.0", "::"} else "127.0.0.1"  # noqa: S104
        self._port = port
        self._announced = False
        self._next_look = 0.0
        Processes(_commands()).run(self._look_after)
        self.stdout.write("Stopped.")

    def _look_after(self) -> None:
        """Say when the pages can be opened; bring back services that were killed."""
        if time.monotonic() < self._next_look:
            return
        if not self._announced:
            self._announced = _answers(self._shown, self._port)
            if self._announced:
                url = f"http://{_in_url(self._shown)}:{self._port}/"
                self.stdout.write(f"\nBilling hierarchy is running at {url}  (Ctrl+C stops it)\n")
                self.stdout.flush()
            return
        ensure_services()
        self._next_look = time.monotonic() + _LOOK_AFTER_SECONDS


def _address() -> tuple[str, int]:
    """Return where to listen, from the environment."""
    text = os.environ.get("PORT") or "8000"
    if not text.isdigit() or not 0 < int(text) < 65536:
        raise CommandError(f"PORT is {text!r}, but must be a number from 1 to 65535.")
    os.environ["PORT"] = text
    return os.environ.get("HOST") or "127.0.0.1", int(text)


def _refuse_taken_port(host: str, port: int) -> None:
    """Fail before anything is started if the web server could not listen."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
            probe.listen()
        except OSError as error:
            other = port + 1 if port < 65535 else 8000
            cure = {
                errno.EADDRINUSE: f"Port {port} is taken by another program: stop that, or run "
                f"`PORT={other} make run`.",
                errno.EACCES: f"Port {port} is reserved for the administrator: run "
                "`PORT=8000 make run`.",
            }.get(error.errno or 0, f"{host}:{port} cannot be listened at ({error.strerror}).")
            raise CommandError(cure) from error


def _commands() -> dict[str, list[str]]:
    """Return the programs that make up the product."""
    schedule = local_folder() / "timetable"
    # In a container root is common and confined.
    silence = ["-W", "ignore:You're running the worker with superuser privileges"]
    celery = [sys.executable, *silence, "-m", "celery", "--app=billing_hierarchy", "--quiet"]
    level = "--loglevel=WARNING"
    # Addresses of powerful roles are not the web server's.
    without = ["env", "--unset=DATABASE_MAINTENANCE_URL", "--unset=DATABASE_OWNER_URL"]
    gunicorn = [sys.executable, "-m", "gunicorn", "--config=python:billing_hierarchy.web_server"]
    # The timetable looks up each second, so that it hears at once that it shall stop.
    timetable = ["beat", level, "--max-interval=1", f"--schedule={schedule}", "--pidfile="]
    return {
        "The web server": [*without, *gunicorn],
        # Each kind of work has slots of its own: a large file or document keeps no run waiting.
        "The worker of runs": _worker(celery, "runs", "celery,runs", slots=2),
        "The worker of documents": _worker(celery, "documents", "documents", slots=1),
        "The worker of imports and mail": _worker(celery, "imports", "imports,mail", slots=1),
        "The timetable": [*celery, *timetable],
    }


def _worker(celery: list[str], name: str, queues: str, *, slots: int) -> list[str]:
    """Return how to start a worker that serves some queues."""
    options = [f"--hostname={name}@%h", f"--queues={queues}", f"--concurrency={slots}"]
    return [*celery, "worker", "--loglevel=WARNING", *options, "--without-mingle"]


def _answers(host: str, port: int) -> bool:
    """Return whether the web server answers a request, whatever it answers."""
    connection = http.client.HTTPConnection(host, port, timeout=10)
    try:
        connection.request("GET", "/healthz")
        connection.getresponse().read()
    except OSError:
        return False
    finally:
        connection.close()
    return True


def _in_url(host: str) -> str:
    return f"[{host}]" if ":" in host else host
