"""What saved files are called: whose, what and of which day, in the reader's language."""

import re
import unicodedata
from datetime import date
from typing import Final
from urllib.parse import quote

_LONGEST: Final = 120
_SPELLED_OUT: Final = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss"})


def file_name(*words: str, ending: str, day: date | None = None) -> str:
    """Return words in small letters with hyphens between: ``nordhafen-rechnungen-2026-11-23.csv``.

    Args:
        words: whose it is and what it holds; empty ones are left out.
        ending: without the point.
        day: as of when, None for what does not age.
    """
    text = unicodedata.normalize("NFC", " ".join(words)).lower()
    stem = re.sub(r"[\W_]+", "-", text).strip("-")[:_LONGEST].rstrip("-")
    parts = [stem, day.isoformat() if day else ""]
    return f"{'-'.join(part for part in parts if part) or 'export'}.{ending}"


def attachment(name: str) -> str:
    """Return the header that saves an answer under a name.

    Source: RFC 6266 with RFC 5987: plain letters for old readers, the name itself for the others.
    """
    spelled = unicodedata.normalize("NFKD", name.translate(_SPELLED_OUT))
    plain = re.sub(r"-{2,}", "-", re.sub(r"[^a-z0-9.-]", "", spelled)).lstrip("-.")
    header = f'attachment; filename="{plain}"'
    return header if plain == name else f"{header}; filename*=UTF-8''{quote(name, safe='')}"
