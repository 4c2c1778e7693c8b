"""How wide text is, about: pictures are laid out where no browser measures it."""

from typing import Final

_NARROW: Final = frozenset("iljI.,:;'|!ft()[]{}/ -·’\u00a0")
_WIDE: Final = frozenset("mwMW@%—…&")
_ELLIPSIS: Final = "…"


def width_of(text: str, size: float) -> float:
    """Return about how many pixels a text takes; rather too many than too few.

    Args:
        text: one line.
        size: the size of the letters in pixels.
    """
    return sum(_share(sign) for sign in text) * size


def fitted(text: str, size: float, room: float) -> str:
    """Return a text as far as it fits, with an ellipsis where something is left out."""
    if width_of(text, size) <= room:
        return text
    left = room - width_of(_ELLIPSIS, size)
    kept = ""
    for sign in text:
        left -= _share(sign) * size
        if left < 0:
            break
        kept += sign
    return kept.rstrip() + _ELLIPSIS


def in_lines(text: str, size: float, room: float, most: int) -> list[str]:
    """Return a text in lines that fit, broken between words; the last ends with an ellipsis.

    Args:
        text: what is written.
        size: the size of the letters in pixels.
        room: how wide a line may be.
        most: how many lines there may be.
    """
    words, lines = text.split(), [""]
    for place, word in enumerate(words):
        longer = f"{lines[-1]} {word}".strip()
        if width_of(longer, size) <= room or not lines[-1]:
            lines[-1] = longer
        elif len(lines) == most:
            lines[-1] = " ".join([lines[-1], *words[place:]])
            break
        else:
            lines.append(word)
    return [fitted(line, size, room) for line in lines]


def _share(sign: str) -> float:
    """Return the width of a sign as a share of the letters' size."""
    if sign in _NARROW:
        return 0.34
    if sign in _WIDE or ord(sign) > 0x2FFF:
        return 0.98
    return 0.71 if sign.isupper() else 0.6
