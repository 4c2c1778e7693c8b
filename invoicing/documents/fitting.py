"""Long values on paper: wrapped, then shortened, so that everything else keeps its place."""

from collections.abc import Sequence
from dataclasses import replace

from invoicing.documents.columns import WIDTH
from invoicing.documents.content import PrintedDocument
from invoicing.documents.grids import (
    ABOVE,
    MOST_LINES,
    NUMBER_WIDTH,
    PAGE_WIDTH,
    REFERENCE_WIDTH,
    TEXT,
)
from invoicing.documents.naming import PATH
from invoicing.documents.paying import Payment
from invoicing.documents.sections import Section
from invoicing.documents.typesetting.tables import PADDING
from invoicing.documents.typesetting.text import (
    ELLIPSIS,
    MILLIMETRE,
    Face,
    Letters,
    Span,
)

# As the stylesheet sets them.
_ADDRESS = Face(9, breaks=True, hyphenates=False)
_ADDRESS_WIDTH, _ADDRESS_LINES = 80 * MILLIMETRE, 6
_SENDER = Face(6.5, breaks=True, hyphenates=False)
_FACT = Face(8.2, breaks=True, hyphenates=False)
_FACTS_WIDTH, _FACT_GAP, _FACT_LINES = 66 * MILLIMETRE, 2.5 * MILLIMETRE, 4
_FOOT = Face(6.8, breaks=True, hyphenates=False)
_FOOT_GAP, _FOOT_LINES = 3 * MILLIMETRE, 6
_FOOT_FIRM, _FOOT_LEAST = 48 * MILLIMETRE, 25 * MILLIMETRE
_BANK = Face(7.8, breaks=True, hyphenates=False)
_BANK_WIDTH = 43 * MILLIMETRE
_BRAND = Face(14, 700, breaks=True, hyphenates=False)
_BRAND_WIDTH = 120 * MILLIMETRE

_LEVELS_KEPT = (3, 2, 1, 0)
_SHORT_PATH = 60
"""Letters of a path that fits whatever they are."""


def fitted(document: PrintedDocument, letters: Letters) -> PrintedDocument:
    """Return the document with every value broken into lines that its place has room for.

    Names, references and addresses may be as long as the import takes them. The address keeps its
    field, with town and country in it; the facts keep their order; a path keeps its first and its
    last names. What is cut ends in an ellipsis.
    """
    return replace(
        document,
        seller_lines=_lines(document.seller, _BRAND, _BRAND_WIDTH, 2, letters),
        sender_lines=_lines(document.sender, _SENDER, _ADDRESS_WIDTH, 2, letters),
        payment=_with_short_names(document.payment, letters),
        recipient=_address(document, letters),
        foot_columns=_foot(document.foot, letters),
        fact_rows=_facts(document.facts, letters),
        sections=tuple(_with_short_path(one, document, letters) for one in document.sections),
    )


def _lines(text: str, face: Face, width: float, most: int, letters: Letters) -> tuple[str, ...]:
    found = letters.lines((Span(text, face),), face, width, most=most)
    return tuple("".join(piece.text for piece in line.pieces).strip() for line in found)


def _address(document: PrintedDocument, letters: Letters) -> tuple[str, ...]:
    """Return the address in six lines; the trade name goes first where there are more."""
    lines = document.recipient
    whole = sum(len(_lines(line, _ADDRESS, _ADDRESS_WIDTH, 0, letters)) for line in lines)
    if whole > _ADDRESS_LINES and document.has_trade_name:
        lines = (lines[0], *lines[2:])
    return tuple(_share(lines, _ADDRESS, _ADDRESS_WIDTH, _ADDRESS_LINES, letters))


def _share(
    texts: Sequence[str], face: Face, width: float, most: int, letters: Letters
) -> list[str]:
    """Return texts as at most so many lines: one for each, the rest for whoever comes first."""
    spare = most - len(texts)
    shown: list[str] = []
    for text in texts:
        lines = _lines(text, face, width, 1 + max(spare, 0), letters)
        spare -= len(lines) - 1
        shown += lines
    return shown


def _with_short_names(payment: Payment, letters: Letters) -> Payment:
    """Return how to pay with names in lines; numbers of accounts stay on one, whatever it takes."""
    if not payment.facts:
        return payment
    (label, holder), *numbers = payment.facts
    lines = _lines(holder, _BANK, _BANK_WIDTH, 3, letters)
    facts = ((label, "\n".join(lines)), *numbers)
    return replace(payment, facts=facts)


def _facts(
    facts: Sequence[tuple[str, str]], letters: Letters
) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """Return the facts by lines; a value too long for its column has the whole width."""
    labels = max((letters.width(Span(label, _plain(_FACT))) for label, _value in facts), default=0)
    room = _FACTS_WIDTH - labels - _FACT_GAP - 1
    shown = []
    for label, value in facts:
        fits = letters.width(Span(value, _plain(_FACT))) <= room
        lines = (value,) if fits else _fact_lines(value, letters)
        # What is below its label is told by having several lines.
        shown.append((label, lines if fits or len(lines) > 1 else (*lines, "")))
    return tuple(shown)


def _fact_lines(value: str, letters: Letters) -> tuple[str, ...]:
    """Return a fact in lines; of a path names in the middle are left out first."""
    names, width = value.split(PATH), _FACTS_WIDTH - 1
    for kept in _LEVELS_KEPT:
        whole = _lines(value, _FACT, width, 0, letters)
        if len(whole) <= _FACT_LINES:
            return whole
        if len(names) > kept + 3:
            value = PATH.join((names[0], ELLIPSIS, *names[len(names) - kept - 1 :]))
    return _lines(value, _FACT, width, _FACT_LINES, letters)


def _foot(
    columns: Sequence[Sequence[str]], letters: Letters
) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """Return the columns of the foot, each with its width: as wide as they need and there is."""
    face = _plain(_FOOT)
    needed = [
        max(letters.width(Span(line, face)) for line in column) + _FOOT_GAP for column in columns
    ]
    widest = max(needed, default=0)
    # Numbers of banks and tax offices keep their lines as long as others can give way.
    firm = [one if one <= _FOOT_FIRM else 0 for one in needed]
    while sum(min(one, max(widest, own)) for one, own in zip(needed, firm, strict=True)) > WIDTH:
        widest -= 1
        firm = firm if widest > _FOOT_LEAST else [0] * len(firm)
    widths = [min(one, max(widest, own)) for one, own in zip(needed, firm, strict=True)]
    spare = (WIDTH - sum(widths)) / max(len(widths), 1)
    return tuple(
        (
            f"{(width + spare) / MILLIMETRE:.3f}mm",
            tuple(_share(column, _FOOT, width - _FOOT_GAP + 0.5, _FOOT_LINES, letters)),
        )
        for column, width in zip(columns, widths, strict=True)
    )


def _plain(face: Face) -> Face:
    return replace(face, breaks=False)


def _with_short_path(section: Section, document: PrintedDocument, letters: Letters) -> Section:
    """Return a section whose path leaves its own name room: names in the middle are left out."""
    if len(section.above) + len(section.name) <= _SHORT_PATH:
        return section
    room = WIDTH - NUMBER_WIDTH - 24 * MILLIMETRE - 2 * PADDING
    room -= REFERENCE_WIDTH if document.has_references else 0
    room -= PAGE_WIDTH if document.has_detail else 0
    for short in _shortened(section):
        spans = (Span(short.above, ABOVE), Span(short.name, TEXT))
        if len(letters.lines(spans, TEXT, room)) <= MOST_LINES:
            return short
    return replace(section, levels=(ELLIPSIS,) if section.levels else ())


def _shortened(section: Section) -> list[Section]:
    levels = section.levels
    found = [section]
    for kept in _LEVELS_KEPT:
        if len(levels) > kept + 2:
            last = levels[len(levels) - kept :]
            found.append(replace(section, levels=(levels[0], ELLIPSIS, *last)))
    return found
