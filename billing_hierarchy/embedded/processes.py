"""Keep a few programs running side by side, restart those that die, end all of them together."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from billing_hierarchy.embedded.privileges import leashed

_POLL_SECONDS = 0.2
_STOP_SECONDS = 7.0
# A program that dies at once is not restarted in a tight loop.
_SHORTEST_LIFE_SECONDS = 5.0
_LONGEST_PAUSE_SECONDS = 30.0


@dataclass
class _Kept:
    """One program and how its last lives went."""

    name: str
    command: Sequence[str]
    process: subprocess.Popen[bytes] | None = None
    started: float = 0.0
    pause: float = 0.0
    due: float = field(default=0.0)


class Processes:
    """Programs that live as long as this process, each in a process group of its own.

    Each gets SIGTERM from the kernel when this process dies without a word.
    """

    def __init__(self, commands: Mapping[str, Sequence[str]]) -> None:
        """Take the programs by name; nothing is started yet."""
        self._kept = [_Kept(name, command) for name, command in commands.items()]
        self._stopping = False

    def run(self, look_after: Callable[[], None]) -> None:
        """Start all, restart what dies and call ``look_after`` now and then, until told to stop."""
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._ask_to_stop)
        try:
            while not self._stopping:
                for kept in self._kept:
                    self._keep(kept)
                look_after()
                time.sleep(_POLL_SECONDS)
        finally:
            self._stop()

    def _ask_to_stop(self, *_: object) -> None:
        self._stopping = True

    def _keep(self, kept: _Kept) -> None:
        """Start the program if it does not run and its pause is over."""
        now = time.monotonic()
        if kept.process is not None:
            if kept.process.poll() is None:
                return
            status = kept.process.returncode
            # Its own children may have outlived it.
            _signal_group(kept.process, signal.SIGKILL)
            kept.process = None
            lived_long = now - kept.started >= _SHORTEST_LIFE_SECONDS
            kept.pause = 0.0 if lived_long else min(kept.pause * 2 or 1.0, _LONGEST_PAUSE_SECONDS)
            kept.due = now + kept.pause
            _say(f"{kept.name} ended with status {status}; starting it again.")
        if now >= kept.due:
            kept.process = subprocess.Popen(
                leashed(kept.command, "SIGTERM"), stdin=subprocess.DEVNULL, process_group=0
            )
            kept.started = now

    def _stop(self) -> None:
        """End all programs: ask, wait, insist."""
        running = [kept.process for kept in self._kept if kept.process is not None]
        for process in running:
            with contextlib.suppress(ProcessLookupError):
                process.terminate()
        deadline = time.monotonic() + _STOP_SECONDS
        for process in running:
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(max(0.0, deadline - time.monotonic()))
        for process in running:
            _signal_group(process, signal.SIGKILL)
            process.wait()


def _signal_group(process: subprocess.Popen[bytes], number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, number)


def _say(message: str) -> None:
    print(message, file=sys.stderr, flush=True)
