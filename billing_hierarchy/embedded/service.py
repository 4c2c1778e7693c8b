"""What the supervisor needs to know of a server."""

from pathlib import Path
from typing import Protocol

from billing_hierarchy.embedded.folders import ServiceFolder


class Service(Protocol):
    """A server that listens at a Unix socket only."""

    name: str
    title: str
    stop_signal: str
    """Asks the server to end at once, without losing what is committed."""

    def __init__(self, folder: ServiceFolder, sockets: Path) -> None:
        """Know the folder of the data and the folder of the socket."""

    def prepare(self) -> None:
        """Make the server's data, once, and clear away what a killed server left behind."""

    def command(self) -> list[str]:
        """Return the command that runs the server in the foreground."""

    def is_ready(self) -> bool:
        """Return whether the server takes connections."""

    def complete(self) -> None:
        """Do what only a running server allows, each time it was started; harmless to repeat."""

    def addresses(self) -> dict[str, str]:
        """Return the environment variables that lead to the server."""
