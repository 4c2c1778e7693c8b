"""How numbers, dates and truth values may be written, by the kind of file.

Comma files are plain: decimal point, ISO dates. In what German Excel saves, with semicolons, tabs
or as a workbook, its own forms count as well.
"""

import re
from dataclasses import dataclass
from datetime import date
from typing import Final

from django.utils.translation import gettext as _

_AMBIGUOUS: Final = re.compile(r"[+-]?[0-9]+\.[0-9]{3}")
_THOUSANDS: Final = re.compile(r"([+-]?)([0-9]{1,3}(?:\.[0-9]{3})+)(?:,([0-9]*))?")
_COMMA: Final = re.compile(r"([+-]?[0-9]*),([0-9]+)")
_GERMAN_DAY: Final = re.compile(r"([0-9]{1,2})\.([0-9]{1,2})\.([0-9]{4})")
_ISO_DAY: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")

TRUE: Final = frozenset({"true", "1", "yes", "wahr", "ja"})
FALSE: Final = frozenset({"false", "0", "no", "falsch", "nein"})


class Ambiguous(ValueError):
    """A number that two people would read differently: ``2.500`` is 2500 or 2.5."""

    def __init__(self, text: str) -> None:
        """Keep both readings."""
        whole, _point, fraction = text.partition(".")
        self.readings = (f"{whole}{fraction}", f"{whole},{fraction.rstrip('0') or '0'}")
        super().__init__(text)


@dataclass(frozen=True, slots=True)
class Forms:
    """The forms of one kind of file.

    Attributes:
        name: of the kind.
        is_german: whether decimal commas and ``dd.mm.yyyy`` are read.
        number, day: examples of an accepted form.
    """

    name: str
    is_german: bool
    number: str
    day: str

    def plain_number(self, text: str) -> str:
        """Return a number as written with a decimal point and nothing else; others as they are.

        Raises:
            Ambiguous: a point stands before exactly three digits, and no comma.

        Source: docs/billing-rules.md, R30.
        """
        if not self.is_german:
            return text
        if _AMBIGUOUS.fullmatch(text):
            raise Ambiguous(text)
        if found := _THOUSANDS.fullmatch(text):
            sign, whole, fraction = found.groups()
            return f"{sign}{whole.replace('.', '')}" + (f".{fraction}" if fraction else "")
        if found := _COMMA.fullmatch(text):
            return f"{found[1] or '0'}.{found[2]}"
        return text

    def read_day(self, text: str) -> date | None:
        """Return the day that a text names, None where it has no accepted form.

        Raises:
            ValueError: it has one, and there is no such day.
        """
        if _ISO_DAY.fullmatch(text):
            return date.fromisoformat(text)
        if self.is_german and (found := _GERMAN_DAY.fullmatch(text)):
            return date(int(found[3]), int(found[2]), int(found[1]))
        return None

    def days_in_words(self) -> str:
        """Return how a date is written here, for a message."""
        if self.is_german:
            return _("2026-12-31 or 31.12.2026")
        return "2026-12-31"


PLAIN: Final = Forms("csv", False, "1234.50", "2026-12-31")
GERMAN: Final = Forms("excel", True, "1234,50", "31.12.2026")
