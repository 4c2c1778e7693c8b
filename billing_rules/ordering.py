"""How names are ordered: by what is stored beside them, the same in every database."""

import re
import unicodedata
from typing import Final

# Letters that Unicode takes for letters of their own, and dictionaries for marked ones.
_LETTERS: Final = str.maketrans(
    {
        "æ": "ae",
        "œ": "oe",
        "ø": "o",
        "ł": "l",
        "đ": "d",
        "ð": "d",
        "ħ": "h",
        "ı": "i",
        "ŋ": "n",
        "ŧ": "t",
        "þ": "th",
    }
)


def plain_letters(text: str) -> str:
    """Return a text in small letters without any marks: ``Łódź`` is ``lodz``, ``ß`` is ``ss``."""
    if text.isascii():
        return text.lower()
    folded = unicodedata.normalize("NFKD", text.casefold()).casefold()
    unmarked = (letter for letter in folded if not unicodedata.category(letter).startswith("M"))
    return "".join(unmarked).translate(_LETTERS)


def sort_key(name: str) -> str:
    """Return what orders names: case and accents folded, numbers by value, no collation (R26).

    ``Terminal 2`` comes before ``Terminal 10``, ``Österreich`` before ``Schweiz`` and ``Łódź``
    between ``Lodi`` and ``Lund``.
    """
    digits_by_value = re.sub(
        r"[0-9]+", lambda digits: digits[0].lstrip("0").zfill(12), plain_letters(name)
    )
    return digits_by_value[:400]
