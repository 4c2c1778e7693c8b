"""A web server beside visitors who send slowly or say nothing: how long others wait for it."""

import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

from django.db import connection

from benchmarks.figures import Figure
from tests.databases import clone
from tests.platform.web_servers import HALF_POST, web_server

_KINDS = (
    ("half-sent requests", 16, HALF_POST),
    ("half-sent heads", 40, b"GET / HT"),
    ("idle connections", 40, b""),
)
_LOOKS = 20


def measure(*, is_quick: bool) -> Iterator[Figure]:
    """Yield the longest of some looks at the health page beside each kind of visitor."""
    looks = _LOOKS // 10 if is_quick else _LOOKS
    with clone(), tempfile.TemporaryDirectory() as folder:
        connection.close()
        with web_server(Path(folder) / "log") as site:
            for name, visitors, sent in _KINDS:
                seconds = []
                with ExitStack() as stack:
                    for _ in range(visitors):
                        stack.enter_context(site.connect(sent))
                    for _ in range(looks):
                        start = time.monotonic()
                        assert site.get().status == 200
                        seconds.append(time.monotonic() - start)
                yield Figure("health page, longest wait", f"{visitors} {name}", max(seconds), "s",
                             bound="value <= 1")  # fmt: skip
