"""PostgreSQL refuses to run as root; give it up without needing another user or other modes.

As root a server runs as the owner of the local folder or, when that is root too, as an unnamed
user. It keeps only the right to pass file modes, so that it also runs below a home of mode 0700.
"""

import os
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

from billing_hierarchy.embedded.errors import EmbeddedServiceError

_UNNAMED = 65534
_KEPT = {"dac_override": 1, "dac_read_search": 2}
_SETPCAP = 8


def server_identity(local: Path) -> tuple[int, int]:
    """Return the user and group id under which servers with data below ``local`` run."""
    if os.geteuid() != 0:
        return os.geteuid(), os.getegid()
    owner = local.stat()
    return (owner.st_uid, owner.st_gid) if owner.st_uid else (_UNNAMED, _UNNAMED)


def unprivileged(command: Sequence[str], identity: tuple[int, int]) -> list[str]:
    """Return ``command`` so that it runs as ``identity``, unchanged unless this process is root."""
    if os.geteuid() != 0:
        return list(command)
    setpriv = shutil.which("setpriv")
    if setpriv is None:
        raise EmbeddedServiceError(
            "PostgreSQL does not run as root and the program setpriv is missing: "
            "install the package util-linux, or run this as another user."
        )
    held = _effective_capabilities()
    kept = ",".join(["-all", *(f"+{name}" for name, bit in _KEPT.items() if held >> bit & 1)])
    # initdb asks access(2), which forgets kept rights unless this bit is set.
    further = ["--securebits=+no_setuid_fixup", f"--bounding-set={kept}"]
    user, group = identity
    return [
        setpriv,
        f"--reuid={user}",
        f"--regid={group}",
        "--clear-groups",
        f"--inh-caps={kept}",
        f"--ambient-caps={kept}",
        *(further if held >> _SETPCAP & 1 else []),
        *command,
    ]


def leashed(command: Sequence[str], signal_name: str) -> list[str]:
    """Return ``command`` so that it gets a signal when the process that starts it dies."""
    leash = Path(__file__).with_name("leash.py")
    return [sys.executable, "-I", str(leash), signal_name, str(os.getpid()), *command]


def _effective_capabilities() -> int:
    """Return this process's capabilities as the kernel's bit mask."""
    for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
        if line.startswith("CapEff:"):
            return int(line.split()[1], 16)
    return 0
