"""What a price comes to by quantity, as SVG: the price of a unit in steps, and the total."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise
from typing import Final

from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from billing_rules.money import to_minor
from billing_rules.pricing import Model, PriceTerms, price_of
from web.charts.cards import joined, text
from web.charts.lettering import width_of
from web.templatetags.figures import money, quantity, unit_price

WIDTH: Final = 420
_LEFT: Final = 96
_RIGHT: Final = 16
_PLOT: Final = 132
_HEAD: Final = 36
_GAP: Final = 14
_FOOT: Final = 24
_TRACE: Final = Decimal("0.000001")
_UNITS_SHOWN: Final = Decimal(10)
_PACKAGES_SHOWN: Final = 5
_AMOUNT_SHOWN: Final = Decimal(1_000)
_NARROWEST: Final = 12
_MOST_EXAMPLES: Final = 8
_SMALL: Final = 12


@dataclass(frozen=True, slots=True)
class Example:
    """A quantity, what it costs for a full period, and what that is for each unit."""

    quantity: str
    total: str
    average: str


@dataclass(frozen=True, slots=True)
class _Piece:
    """A stretch of quantities above ``start`` up to ``end``, with the values at both."""

    start: Decimal
    end: Decimal
    first: Fraction
    last: Fraction


def price_steps(terms: PriceTerms, currency: str, name: str) -> SafeString:
    """Draw what a price comes to by quantity.

    The upper line is the price of one more unit (graduated) or of every unit (volume, per unit),
    the lower one the total; where nothing is priced by unit there is the total alone. Tiers of
    very different widths are drawn equally wide.

    Args:
        terms: the price.
        currency: of its amounts.
        name: what it is called.
    """
    edges = _edges(terms)
    units = list(_unit_pieces(terms, edges))
    totals = list(_total_pieces(terms, edges))
    plots = [(_("Price per unit"), "unit", units)] if units else []
    plots.append((_("Total"), "total", totals))
    height = len(plots) * (_HEAD + _PLOT + _GAP) + _FOOT
    drawn: list[SafeString] = []
    for place, (title, kind, pieces) in enumerate(plots):
        top = place * (_HEAD + _PLOT + _GAP) + _HEAD
        drawn += _plot(title, kind, pieces, edges, top, currency)
    drawn += _quantities(edges, height - _FOOT)
    label = _("What “%(name)s” costs by quantity") % {"name": name}
    return format_html(
        '<svg class="price-steps" viewBox="0 0 {} {}" role="img" aria-label="{}">{}</svg>',
        WIDTH,
        height,
        label,
        joined(drawn),
    )


def examples_of(terms: PriceTerms, currency: str) -> list[Example]:
    """Return what some quantities cost: those at which something changes, and some between."""
    return [_example(terms, currency, one) for one in _telling(terms)]


def _example(terms: PriceTerms, currency: str, number: Decimal) -> Example:
    amount = price_of(terms, number).amount
    average = Fraction(amount) / Fraction(number)
    rounded = (Decimal(average.numerator) / average.denominator).quantize(Decimal("0.0001"))
    return Example(
        quantity(number), money(to_minor(amount, currency), currency), unit_price(rounded, currency)
    )


def _telling(terms: PriceTerms) -> list[Decimal]:
    if terms.model == Model.PACKAGE and terms.package_size is not None:
        size = terms.package_size
        found = {size / 2, size, size + 1, size * 2, size * 3}
    elif terms.tiers:
        limits = [tier.up_to for tier in terms.tiers if tier.up_to is not None]
        found = {Decimal(1), *limits, *(limit + 1 for limit in limits), _edges(terms)[-1]}
    elif terms.model == Model.PERCENTAGE:
        found = {Decimal(1), Decimal(100), Decimal(1_000), Decimal(10_000)}
    else:
        found = {Decimal(1), Decimal(2), Decimal(5), Decimal(10), Decimal(100)}
    ordered = sorted(number for number in found if number > 0)
    step = max(1, -(-len(ordered) // _MOST_EXAMPLES))
    return ordered[::step]


def _edges(terms: PriceTerms) -> list[Decimal]:
    """Return the quantities at which the picture begins, breaks and ends."""
    limits = [tier.up_to for tier in terms.tiers if tier.up_to is not None]
    if limits:
        last_width = limits[-1] - (limits[-2] if len(limits) > 1 else Decimal(0))
        return [Decimal(0), *limits, limits[-1] + last_width]
    if terms.package_size is not None:
        return [terms.package_size * place for place in range(_PACKAGES_SHOWN + 1)]
    is_percentage = terms.model == Model.PERCENTAGE
    return [Decimal(0), _AMOUNT_SHOWN if is_percentage else _UNITS_SHOWN]


def _unit_pieces(terms: PriceTerms, edges: Sequence[Decimal]) -> Iterator[_Piece]:
    if terms.model == Model.PER_UNIT and terms.unit_amount is not None:
        value = Fraction(terms.unit_amount)
        yield _Piece(edges[0], edges[-1], value, value)
    for tier, (start, end) in zip(terms.tiers, pairwise(edges), strict=False):
        value = Fraction(tier.unit_amount)
        yield _Piece(start, end, value, value)


def _total_pieces(terms: PriceTerms, edges: Sequence[Decimal]) -> Iterator[_Piece]:
    """Yield what quantities come to; up to where a minimum is reached that is the minimum."""
    plain, least = replace(terms, minimum=None), Fraction(terms.minimum or 0)
    for start, end in pairwise(edges):
        first, last = price_of(plain, start + _TRACE).amount, price_of(plain, end).amount
        if first < least < last:
            share = (least - first) / (last - first)
            turn = start + (end - start) * share.numerator / share.denominator
            yield _Piece(start, turn, least, least)
            yield _Piece(turn, end, least, last)
        else:
            yield _Piece(start, end, max(first, least), max(last, least))


def _x(number: Decimal, edges: Sequence[Decimal]) -> float:
    """Return where a quantity stands; tiers are equally wide where some would be hairs."""
    room, whole = WIDTH - _LEFT - _RIGHT, float(edges[-1])
    narrow = min(float(end - start) for start, end in pairwise(edges))
    if narrow * _NARROWEST >= whole:
        return _LEFT + room * float(number) / whole
    place, start, end = next(
        (place, start, end)
        for place, (start, end) in enumerate(pairwise(edges))
        if start <= number <= end
    )
    return _LEFT + room * (place + float((number - start) / (end - start))) / (len(edges) - 1)


def _plot(
    title: str,
    kind: str,
    pieces: Sequence[_Piece],
    edges: Sequence[Decimal],
    top: int,
    currency: str,
) -> Iterator[SafeString]:
    values = [value for piece in pieces for value in (piece.first, piece.last)]
    most = max([*values, Fraction(0)]) or Fraction(1)
    bottom = top + _PLOT
    yield text("head", 0, top - 18, title)
    for share in (Fraction(0), Fraction(1, 2), Fraction(1)):
        y = bottom - float(share) * _PLOT
        yield format_html(
            '<line class="grid" x1="{}" y1="{}" x2="{}" y2="{}"/>',
            _LEFT, f"{y:.1f}", WIDTH - _RIGHT, f"{y:.1f}",
        )  # fmt: skip
        yield text("axis", _LEFT - 8, y + 4, _amount(most * share, kind, currency), "end")
    points = [
        f"{_x(at, edges):.1f} {bottom - float(value / most) * _PLOT:.1f}"
        for piece in pieces
        for at, value in ((piece.start, piece.first), (piece.end, piece.last))
    ]
    yield format_html('<path class="line {}" d="M{}"/>', kind, "L".join(points))


def _amount(value: Fraction, kind: str, currency: str) -> str:
    if kind == "total":
        return money(to_minor(value, currency), currency)
    exact = (Decimal(value.numerator) / value.denominator).quantize(Decimal("0.000001"))
    return unit_price(exact.normalize() if exact else Decimal(0), currency)


def _quantities(edges: Sequence[Decimal], top: int) -> Iterable[SafeString]:
    """Write the quantities below, as far as each has room beside the one before."""
    free = float(_LEFT) - 20
    for edge in edges:
        x, words = _x(edge, edges), quantity(edge)
        half = width_of(words, _SMALL) / 2
        at = min(x, WIDTH - half)
        if at - half < free + 8:
            continue
        free = at + half
        yield format_html(
            '<line class="tick" x1="{0}" y1="{1}" x2="{0}" y2="{2}"/>',
            f"{x:.1f}", top - _GAP, top - _GAP + 4,
        )  # fmt: skip
        yield text("axis", at, top + 6, words, "middle")
