"""How wide the columns of the lines are: as wide as the longest amount, whatever it is."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from django.utils.translation import pgettext

from invoicing.documents.calculation import CONTEXT
from invoicing.documents.content import PrintedDocument
from invoicing.documents.typesetting.tables import PADDING
from invoicing.documents.typesetting.text import MILLIMETRE, Face, Letters, Span

WIDTH = 165 * MILLIMETRE
"""A4 less the margins of DIN 5008."""

_LEAST = {"quantity": 15, "unit": 14, "price": 20, "tax": 13, "net": 24}
_WIDEST_UNIT = 24 * MILLIMETRE
_PERIOD = 38 * MILLIMETRE
_ROOM_FOR_TEXT = 44 * MILLIMETRE
_SIZES = (9, 8, 7, 6)
_MEASURED = 3


@dataclass(frozen=True, slots=True)
class Columns:
    """The widths of the amounts, and the face they are set in.

    ``has_periods`` says whether periods have a column; without one they stand below the text.
    """

    text: float
    amounts: tuple[float, ...]
    net: float
    face: Face
    has_periods: bool

    @property
    def widths(self) -> tuple[float, ...]:
        """The widths of all columns from the left."""
        return (self.text, *([_PERIOD] if self.has_periods else []), *self.amounts)

    @property
    def before_amounts(self) -> int:
        """How many columns are left of the amounts."""
        return 2 if self.has_periods else 1


def columns_of(document: PrintedDocument, letters: Letters) -> Columns:
    """Return columns that every amount has room in and that leave room for the text.

    What is longer than usual takes from the text; then the periods go below it; then the amounts
    become smaller. Only the longest of each column are measured: digits are all of one width.
    """
    for size in _SIZES:
        face = Face(size)
        amounts, net = _amounts(document, letters, face), _net(document, letters, face)
        for has_periods in (document.has_periods, False):
            text = WIDTH - sum(amounts) - (_PERIOD if has_periods else 0)
            if text >= _ROOM_FOR_TEXT:
                return Columns(text, amounts, net, face, has_periods)
    return Columns(text, amounts, net, face, has_periods=False)


def _amounts(document: PrintedDocument, letters: Letters, face: Face) -> tuple[float, ...]:
    lines = [line for section in document.sections for line in section.lines]
    shown = {
        "quantity": [line.quantity for line in lines],
        "unit": [line.unit for line in lines],
        "price": [line.price for line in lines],
        "tax": [line.tax for line in lines],
        "net": [line.net for line in lines] + [section.net for section in document.sections],
    }
    heads = {
        "quantity": pgettext(CONTEXT, "Qty"),
        "unit": pgettext(CONTEXT, "Unit"),
        "price": pgettext(CONTEXT, "Unit price"),
        "tax": pgettext(CONTEXT, "VAT"),
        "net": f"{pgettext(CONTEXT, 'Net')} {document.currency}",
    }
    strong = replace(face, weight=600)
    widths = {
        name: max(
            _LEAST[name] * MILLIMETRE,
            _longest(texts, letters, strong if name == "net" else face),
            _longest([heads[name]], letters, Face(7.4, 600)),
        )
        for name, texts in shown.items()
    }
    widths["unit"] = min(widths["unit"], _WIDEST_UNIT)
    return tuple(widths.values())


def _net(document: PrintedDocument, letters: Letters, face: Face) -> float:
    """Return the width of sums in the overview: those of accounts and of branches."""
    sums = [section.net for section in document.sections]
    sums += [section.closing.net for section in document.sections if section.closing]
    needed = _longest(sums, letters, replace(face, weight=600))
    return max(_LEAST["net"] * MILLIMETRE, needed)


def _longest(texts: Iterable[str], letters: Letters, face: Face) -> float:
    some = sorted(set(texts), key=len, reverse=True)[:_MEASURED]
    return max((letters.width(Span(text, face)) for text in some), default=0) + 2 * PADDING + 0.5
