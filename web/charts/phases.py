"""A bar of phases one after the other as SVG, with a mark for today."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

_WIDTH: Final = 1000
_HEIGHT: Final = 18


@dataclass(frozen=True, slots=True)
class Phase:
    """A stretch of time; ``end`` is the first day after it, ``tone`` its colour."""

    start: date
    end: date
    tone: str
    label: str


def phase_bar(phases: Sequence[Phase], today: date, title: str) -> SafeString:
    """Draw phases that follow each other; whoever shows it says in text what they are.

    Args:
        phases: in order, without gaps; at least one.
        today: is marked where it lies within them.
        title: what the picture shows.
    """
    first, last = phases[0].start, phases[-1].end
    scale = _WIDTH / max((last - first).days, 1)

    def place(day: date) -> float:
        return (day - first).days * scale

    return format_html(
        '<svg class="phase-bar" viewBox="0 0 {} {}" preserveAspectRatio="none" role="img"'
        ' aria-label="{}">{}{}</svg>',
        _WIDTH,
        _HEIGHT,
        title,
        format_html_join(
            "",
            '<rect class="{}" x="{}" y="3" width="{}" height="12"><title>{}</title></rect>',
            (
                (one.tone, f"{place(one.start):.1f}",
                 f"{place(one.end) - place(one.start):.1f}", one.label)
                for one in phases
            ),
        ),
        _today(place(today)) if first <= today < last else "",
    )  # fmt: skip


def _today(at: float) -> SafeString:
    return format_html('<rect class="today" x="{}" y="0" width="3" height="18"/>', f"{at:.1f}")


def joined_phases(phases: Iterable[Phase]) -> list[Phase]:
    """Return phases of which neighbours that say the same are one."""
    found: list[Phase] = []
    for one in phases:
        if found and (found[-1].label, found[-1].tone) == (one.label, one.tone):
            found[-1] = Phase(found[-1].start, one.end, one.tone, one.label)
        else:
            found.append(one)
    return found
