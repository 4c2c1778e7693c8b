"""Which signs the installed fonts can't show: found before a document is frozen with boxes."""

import threading
from collections.abc import Iterable
from functools import cache
from typing import Any

from weasyprint.css.properties import INITIAL_VALUES
from weasyprint.text.ffi import ffi, pango
from weasyprint.text.fonts import FontConfiguration
from weasyprint.text.line_break import create_layout

FAMILY = ("Inter", "DejaVu Sans")
"""The fonts that documents are set in."""

_CHECKED_ONCE = "".join(chr(code) for code in (*range(0x21, 0x7F), *range(0xA1, 0x100)))
_lock = threading.Lock()
_covered: dict[str, bool] = {}


def missing_signs(texts: Iterable[str]) -> str:
    """Return the signs of some texts that no installed font has, each once, in their order.

    The library that lays documents out is asked itself, with the fonts it would take: each sign
    once in the life of the process. Text in Western European letters costs a look at it.
    """
    lacking: dict[str, None] = dict.fromkeys(_lacking_latin())
    found: dict[str, None] = {}
    for text in texts:
        if not lacking and _is_latin(text):
            continue
        for sign in text:
            if sign in lacking or not (ord(sign) < 0x100 or _covers(sign)):
                found[sign] = None
    return "".join(found)


def _is_latin(text: str) -> bool:
    if text.isascii():
        return True
    try:
        text.encode("latin-1")
    except UnicodeEncodeError:
        return False
    return True


@cache
def _lacking_latin() -> str:
    """Return the Western European signs that no font has: none, but on a machine without fonts."""
    if not _unknown(_CHECKED_ONCE):
        return ""
    return "".join(sign for sign in _CHECKED_ONCE if _unknown(sign))


def _covers(sign: str) -> bool:
    if sign not in _covered:
        _covered[sign] = sign.isspace() or not _unknown(sign)
    return _covered[sign]


def _unknown(text: str) -> bool:
    """Return whether a font lacks a sign of ``text``, laid out as documents are."""
    with _lock:
        # The line is a part of the layout, which has to live as long.
        layout = create_layout(text, _style(), None, None, 0)
        line, _resume = layout.get_first_line()
        run: Any = line.runs[0]
        while run != ffi.NULL:
            glyphs, run = run.data.glyphs, run.next
            for place in range(glyphs.num_glyphs):
                if glyphs.glyphs[place].glyph & pango.PANGO_GLYPH_UNKNOWN_FLAG:
                    return True
    return False


class _Style(dict[str, Any]):
    """What the library reads from the style of a box."""

    font_config: FontConfiguration


@cache
def _style() -> _Style:
    style = _Style(INITIAL_VALUES)
    style.font_config = FontConfiguration()
    style["font_family"] = FAMILY
    style["font_size"] = 12
    style["lang"] = "en"
    style["white_space"] = "nowrap"
    return style
