"""A web server process that reads each request whole before a thread looks at it.

Gunicorn starts, replaces and stops the processes; waitress takes the connections in one loop.
Whoever sends slowly, reads slowly or stays silent holds a connection, never a thread.
"""

import os
import time
from collections.abc import Callable, Iterable
from types import FrameType
from typing import Any, Final

from gunicorn.workers.base import Worker
from waitress import wasyncore
from waitress.server import create_server

# Import files may have 20 MiB, which a page of its own says. This is the end of all patience.
LARGEST_BODY: Final = 40 * 1024 * 1024
_MOST_CONNECTIONS: Final = 1000
_SILENT_SECONDS: Final = 60
_LOOK_UP_SECONDS: Final = 1.0
# Each look takes one connection.
_LAST_LOOKS: Final = 50


class BufferingWorker(Worker):
    """One process: a loop that reads and writes, and threads that answer."""

    alive: bool

    def init_process(self) -> None:
        """Count from nothing; nothing listens yet."""
        self._server: Any = None
        self._map: dict[int, Any] = {}
        super().init_process()

    def run(self) -> None:
        """Serve until told to stop, then finish what was begun."""
        self._server = create_server(
            self._count_and_answer,
            map=self._map,
            sockets=[one.sock for one in self.sockets],
            threads=self.cfg.threads,
            ident=None,
            max_request_body_size=LARGEST_BODY,
            connection_limit=_MOST_CONNECTIONS,
            channel_timeout=_SILENT_SECONDS,
            asyncore_use_poll=True,
            **proxy_settings(os.environ),
        )
        while self.alive and self.ppid == os.getppid():
            self.notify()
            self._look(_LOOK_UP_SECONDS)
        self._finish()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Stop at once listening, not at the loop's next turn."""
        super().handle_exit(sig, frame)
        if self._server is not None:
            self._wake()

    def _look(self, seconds: float) -> None:
        wasyncore.loop(timeout=seconds, use_poll=True, map=self._map, count=1)

    def _wake(self) -> None:
        for one in list(self._map.values()):
            pull = getattr(one, "pull_trigger", None)
            if pull is not None:
                pull()
                return

    def _count_and_answer(
        self, environ: dict[str, Any], start_response: Callable[..., Any]
    ) -> Iterable[bytes]:
        """Answer one request; after the last one that this process may take, end it."""
        self.nr += 1
        if self.nr >= self.max_requests and self.alive:
            self.alive = False
            self._wake()
        return self.wsgi(environ, start_response)  # type: ignore[no-any-return]

    def _finish(self) -> None:
        """Take who already knocked, nobody else; answer what came whole, within patience."""
        for _ in range(_LAST_LOOKS):
            self._look(0)
        for one in list(self._map.values()):
            if getattr(one, "accepting", False):
                one.accepting = False
        deadline = time.monotonic() + self.cfg.graceful_timeout
        while self._is_busy() and time.monotonic() < deadline:
            self.notify()
            self._look(0.1)

    def _is_busy(self) -> bool:
        return any(
            getattr(one, "requests", None) or getattr(one, "total_outbufs_len", 0)
            for one in list(self._map.values())
        )


def proxy_settings(environment: Any) -> dict[str, Any]:
    """Return whose word about the client's address is believed: nobody's, unless set.

    Args:
        environment: ``TRUSTED_PROXY``, the address of the proxy in front or ``*`` where only
            proxies can reach this server, and ``TRUSTED_PROXY_HOPS``, how many proxies stand in
            a row: that entry of ``X-Forwarded-For``, counted from its end, is the client's.

    Returns:
        Settings of waitress.
    """
    proxy = environment.get("TRUSTED_PROXY", "").strip()
    if not proxy:
        return {"clear_untrusted_proxy_headers": False}
    return {
        "trusted_proxy": proxy,
        "trusted_proxy_count": int(environment.get("TRUSTED_PROXY_HOPS") or 1),
        "trusted_proxy_headers": {"x-forwarded-for", "x-forwarded-proto"},
        "clear_untrusted_proxy_headers": True,
    }
