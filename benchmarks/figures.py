"""Figures: how they are printed, and where they are kept."""

import csv
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

HISTORY = Path(__file__).parent / "history.csv"
_COLUMNS = (
    "date",
    "commit",
    "name",
    "size",
    "figure",
    "unit",
    "floor",
    "ratio",
    "peak_mib",
    "bound",
    "ok",
)


@dataclass(frozen=True, slots=True)
class Figure:
    """One thing that was measured.

    Attributes:
        name: what, as ``run, one worker``.
        size: of how much, as ``100000 subscriptions``.
        value: how much it took.
        unit: of ``value`` and ``floor``.
        floor: what the same took without anything of ours in between; None where there is none.
        peak_mib: the most memory that the process had, in MiB; None where it was not looked at.
        bound: what it must keep to, as ``ratio <= 4``: one of value, ratio and peak_mib, a sign
            and a number; several are joined by ``, ``; empty for a figure that only informs.
    """

    name: str
    size: str
    value: float
    unit: str
    floor: float | None = None
    peak_mib: float | None = None
    bound: str = ""

    @property
    def ratio(self) -> float | None:
        """How many times the floor it took."""
        return self.value / self.floor if self.floor else None

    @property
    def is_kept(self) -> bool:
        """Whether it keeps to all of its bounds."""
        return all(self._keeps(bound) for bound in self.bound.split(", ") if bound)

    def _keeps(self, bound: str) -> bool:
        name, sign, limit = bound.split()
        value = {"value": self.value, "ratio": self.ratio, "peak_mib": self.peak_mib}[name]
        if value is None:
            return False
        return value <= float(limit) if sign == "<=" else value >= float(limit)

    def cells(self) -> list[str]:
        """Return it as the cells of a row, from the name on."""
        kept = ("yes" if self.is_kept else "NO") if self.bound else ""
        return [
            self.name,
            self.size,
            _short(self.value),
            self.unit,
            _short(self.floor),
            _short(self.ratio),
            _short(self.peak_mib),
            self.bound,
            kept,
        ]


def _short(value: float | None) -> str:
    if value is None:
        return ""
    return f"{value:.0f}" if value >= 1_000 else f"{value:.3g}"


def table(figures: Iterable[Figure]) -> str:
    """Return figures as a table for a terminal."""
    rows = [list(_COLUMNS[2:]), *(figure.cells() for figure in figures)]
    widths = [max(len(row[place]) for row in rows) for place in range(len(rows[0]))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True))
             for row in rows]  # fmt: skip
    return "\n".join(line.rstrip() for line in [lines[0], "-" * sum(widths), *lines[1:]])


def keep(figures: Iterable[Figure]) -> None:
    """Append figures to the history, with the date and the commit they belong to."""
    is_new = not HISTORY.exists()
    start = [datetime.now(UTC).date().isoformat(), _commit()]
    with HISTORY.open("a", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        if is_new:
            writer.writerow(_COLUMNS)
        writer.writerows([*start, *figure.cells()] for figure in figures)


def _commit() -> str:
    """Return the commit that is checked out, with ``+`` when any file but the history differs."""
    commit = _git("rev-parse", "--short=10", "HEAD")
    changed = _git("status", "--porcelain", "--untracked-files=no", "--", ".", f":!{HISTORY}")
    return f"{commit or 'unknown'}{'+' if changed else ''}"


def _git(*arguments: str) -> str:
    ran = subprocess.run(
        ["git", *arguments], cwd=HISTORY.parents[1], capture_output=True, text=True, check=False
    )
    return ran.stdout.strip()
