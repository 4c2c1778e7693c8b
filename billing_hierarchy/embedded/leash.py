"""Tie a process to the life of its parent, also when the parent is killed without notice.

Run as a program it ties itself and becomes the command that it is given::

    python leash.py SIGTERM <parent's process id> program argument ...
"""

import ctypes
import os
import signal
import sys

_PR_SET_PDEATHSIG = 1


def die_with_parent(signal_number: int, parent: int) -> None:
    """Have the kernel send ``signal_number`` to this process when ``parent`` dies.

    Args:
        signal_number: what to send.
        parent: the process id of the parent as it was before this call, because a parent that
            died in between can send nothing any more.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal_number)
    if os.getppid() != parent:
        os.kill(os.getpid(), signal_number)


def main() -> None:
    """Tie this process and become the command."""
    name, parent, *command = sys.argv[1:]
    die_with_parent(signal.Signals[name], int(parent))
    os.execvp(command[0], command)  # noqa: S606  (no shell: nothing is interpreted)


if __name__ == "__main__":
    main()
