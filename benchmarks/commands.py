"""A command that does next to nothing: what it costs to start one."""

import os
import resource
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.figures import Figure

_TIMES = 5


def measure(*, is_quick: bool) -> Iterator[Figure]:
    """Yield the processor time of a command's start, the least of some.

    As after ``make setup``, which leaves compiled files behind: the first one here makes its own.
    """
    with TemporaryDirectory() as compiled:
        environment = {**os.environ, "PYTHONPYCACHEPREFIX": compiled}
        environment.pop("PYTHONDONTWRITEBYTECODE", None)
        took = [_start(environment) for _time in range(2 if is_quick else _TIMES)]
    yield Figure("a trivial command", "check_trees --help", min(took[1:]), "s of CPU",
                 bound="value <= 1")  # fmt: skip


def _start(environment: dict[str, str]) -> float:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(
        [sys.executable, "manage.py", "check_trees", "--help"],
        cwd=Path(__file__).parent.parent,
        env=environment,
        check=True,
        stdout=subprocess.DEVNULL,
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
