"""How names are ordered: by what is stored beside them, the same in every database."""

import re
import unicodedata


def sort_key(name: str) -> str:
    """Return what orders names: case and accents folded, numbers by value, no collation (R26).

    ``Terminal 2`` comes before ``Terminal 10`` and ``Österreich`` before ``Schweiz``.
    """
    folded = unicodedata.normalize("NFKD", name.casefold())
    plain = "".join(letter for letter in folded if not unicodedata.combining(letter))
    return re.sub(r"[0-9]+", lambda digits: digits[0].lstrip("0").zfill(12), plain)[:400]
