"""Names in scripts that run from right to left, among text that runs from left to right."""

import re

RIGHT_TO_LEFT = "\u2067"
"""Begins text that runs from right to left, whatever is around it (Unicode Standard Annex 9)."""
LEFT_TO_RIGHT = "\u2066"
END = "\u2069"

_RIGHTWARDS = re.compile("[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc\U00010800-\U00010fff]")
_LETTER = re.compile(r"[^\W\d_]")
_LATIN_LETTER = "0-9A-Za-z\u00c0-\u024f"
_LATIN = re.compile(f"[{_LATIN_LETTER}](?:[{_LATIN_LETTER}.,:/%&+\u00a0 -]*[{_LATIN_LETTER}%+])?")


def isolated(text: str) -> str:
    """Return text that keeps its order wherever it stands.

    What is written from right to left is set apart from its surroundings, and a number and its
    unit in it, or a name in Latin letters, stay together in their own order: “50 GB”, not “GB 50”.
    Other text comes back as it is.
    """
    if text.isascii() or not _RIGHTWARDS.search(text):
        return text
    inner = _LATIN.sub(lambda found: f"{LEFT_TO_RIGHT}{found[0]}{END}", text)
    first = _LETTER.search(text)
    runs_rightwards = first is not None and bool(_RIGHTWARDS.match(first[0]))
    return f"{RIGHT_TO_LEFT if runs_rightwards else LEFT_TO_RIGHT}{inner}{END}"
