"""What something takes of the processor: here, and in the database for this connection.

Other work on the machine makes a clock on the wall run on; this it changes by a few per cent.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from django.db import connection


@dataclass(slots=True)
class Processor:
    """Seconds of the processor, once the block is over."""

    python: float = 0.0
    database: float = 0.0

    @property
    def both(self) -> float:
        """Of the two."""
        return self.python + self.database


@contextmanager
def processor() -> Iterator[Processor]:
    """Measure a block that keeps to this thread and to the connection that it finds."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        backend = cursor.fetchone()[0]
    taken = Processor()
    python, database = time.thread_time(), _seconds_of(backend)
    yield taken
    taken.python, taken.database = time.thread_time() - python, _seconds_of(backend) - database


def _seconds_of(process: int) -> float:
    """Return the time that a process of this machine has run."""
    return int(Path(f"/proc/{process}/schedstat").read_text(encoding="ascii").split()[0]) / 1e9
