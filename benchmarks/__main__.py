"""Measure, print a table of each benchmark, and append it to ``benchmarks/history.csv``."""

import argparse
import importlib
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import django

if TYPE_CHECKING:
    from benchmarks.figures import Figure

NAMES = (
    "run",
    "family",
    "tree",
    "documents",
    "visitors",
    "refusals",
    "clock",
    "commands",
    "imports",
    "approval",
    "idle",
    "plans",
    "calendar",
    "books",
    "usage",
)


def main() -> int:
    """Run the benchmarks that are named, else all; return 1 when a bound is not kept."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(NAMES)}")
    parser.add_argument("--quick", action="store_true", help="a tenth of the size, not kept")
    options = parser.parse_args()
    names = options.names or NAMES
    if unknown := set(names) - set(NAMES):
        parser.error(f"there is no benchmark {', '.join(sorted(unknown))}")

    from billing_hierarchy.embedded.joining import ensure_services

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "billing_hierarchy.settings")
    os.environ.setdefault("BILLING_PLAIN_STATIC", "1")
    ensure_services()
    if len(names) > 1:
        return _each_alone(names, options.quick)
    django.setup()

    from benchmarks import figures

    found = []
    for figure in _measured(names[0], options.quick):
        print(f"  {'  '.join(cell for cell in figure.cells() if cell)}", flush=True)
        found.append(figure)
    print(f"\n{figures.table(found)}")
    if not options.quick:
        figures.keep(found)
    return 0 if all(figure.is_kept for figure in found) else 1


def _each_alone(names: Sequence[str], is_quick: bool) -> int:
    """Measure each in a process of its own, so that none has the memory and caches of others."""
    size = ["--quick"] if is_quick else []
    codes = [
        subprocess.run([sys.executable, "-m", "benchmarks", name, *size], check=False).returncode
        for name in names
    ]
    return int(any(codes))


def _measured(name: str, is_quick: bool) -> Iterator["Figure"]:
    start = time.monotonic()
    print(f"{name} …", flush=True)
    yield from importlib.import_module(f"benchmarks.{name}").measure(is_quick=is_quick)
    print(f"{name}: {time.monotonic() - start:.0f} s", flush=True)


if __name__ == "__main__":
    sys.exit(main())
