"""Days inside sentences, in the language of whoever reads them."""

from datetime import date
from typing import Final

from babel.dates import format_date
from django.utils.translation import get_language

_CONVENTIONS: Final = {"en": "en_GB", "de": "de_DE"}


def date_text(day: date) -> str:
    """Write a day inside a sentence: "3 Nov 2026" or "03.11.2026"."""
    language = (get_language() or "en").partition("-")[0]
    return str(format_date(day, "medium", locale=_CONVENTIONS.get(language, "en_GB")))
