"""Draws the code to pay by without asking of each of its thousand bars what unit it is in.

The writer of codes makes one path of moves and horizontal lines. The library draws the same with
it as without, to the byte.
"""

import re
from typing import Any, Final

from weasyprint import svg
from weasyprint.svg.path import path

_BARS: Final = re.compile(r"M\d+ \d+(\.5)?(h\d+|m-?\d+ \d+)*")
_STEPS: Final = re.compile(r"([Mmh])(-?\d+)(?: (\d+(?:\.5)?))?")


def _draw_path(image: Any, node: Any, font_size: Any) -> None:
    """Draw a path: bars at once, everything else as the library does."""
    steps = node.get("d", "")
    if not _BARS.fullmatch(steps):
        path(image, node, font_size)
        return
    begin, draw = image.stream.move_to, image.stream.line_to
    x, y = 0.0, 0.0
    begin(0, 0)
    for letter, right, down in _STEPS.findall(steps):
        if letter == "h":
            x += int(right)
            draw(x, y)
            continue
        if letter == "M":
            x, y = float(right), float(down)
        else:
            x, y = x + int(right), y + int(down)
        begin(x, y)


def draw_codes_at_once() -> None:
    """Let the library draw paths by this; other paths are drawn by its own function."""
    svg.TAGS["path"] = _draw_path
