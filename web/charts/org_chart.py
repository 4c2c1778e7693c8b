"""An org chart as SVG: cards from left to right, and lines that say who is invoiced and who pays.

To assistive technology it is a tree; without a script its cards and folds are plain links.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from web.charts.cards import SMALL, Card, joined, linked, plain, text
from web.charts.lettering import width_of
from web.charts.tree_layout import (
    BETWEEN_LEVELS,
    CARD_HEIGHT,
    CARD_WIDTH,
    MARGIN,
    Layout,
    Spot,
    laid_out,
)

_HEADING: Final = 64
_LEGEND: Final = 40
_MAP_WIDTH: Final = 176
_MAP_HEIGHT: Final = 128
_BESIDE: Final = 7
"""How far a line that says something runs beside the line of the tree."""


class Line(StrEnum):
    """What a line between two cards says."""

    INVOICED = "invoiced"
    PAYS = "pays"


@dataclass(frozen=True, slots=True)
class Tie:
    """A line from one card to another."""

    line: Line
    start: str
    end: str


def org_chart(cards: Sequence[Card], ties: Sequence[Tie], title: str, hidden: str) -> SafeString:
    """Draw an org chart for a page.

    Args:
        cards: depth first.
        ties: lines between cards that are drawn.
        title: what the picture shows.
        hidden: classes of the picture, that hide lines.
    """
    layout = _layout(cards)
    return format_html(
        '<svg class="org {}" viewBox="0 0 {} {}" width="{}" height="{}" role="tree"'
        ' aria-label="{}" data-org="">{}{}</svg>',
        hidden,
        *(f"{size:.0f}" for size in (layout.width, layout.height) * 2),
        title,
        _drawn_lines(cards, ties, layout),
        joined(linked(card, layout.spots[card.key]) for card in cards),
    )


def org_chart_file(
    cards: Sequence[Card],
    ties: Sequence[Tie],
    heading: tuple[str, str],
    legend: Sequence[tuple[Line, str]],
    style: SafeString,
) -> SafeString:
    """Draw an org chart that stands alone: with a heading of two lines, a legend and its style.

    Args:
        cards: depth first.
        ties: lines between cards that are drawn.
        heading: what the picture shows, and small below it what its figures are.
        legend: what the lines say.
        style: rules of CSS for all of it.
    """
    layout = _layout(cards)
    widest = max(width_of(words, size) for words, size in zip(heading, (18, SMALL), strict=True))
    width = max(layout.width, widest + 2 * MARGIN)
    height = _HEADING + layout.height + _LEGEND
    return format_html(
        '<svg xmlns="http://www.w3.org/2000/svg" class="org" viewBox="0 0 {} {}" width="{}"'
        ' height="{}"><title>{}</title><style>{}</style><rect class="paper" width="{}"'
        ' height="{}"/>{}{}<g transform="translate(0 {})">{}{}</g>'
        '<g transform="translate({} {})">{}</g></svg>',
        *(f"{size:.0f}" for size in (width, height) * 2),
        heading[0],
        style,
        f"{width:.0f}",
        f"{height:.0f}",
        text("heading", MARGIN, 34, heading[0]),
        text("kind", MARGIN, 54, heading[1]),
        _HEADING,
        _drawn_lines(cards, ties, layout),
        joined(plain(card, layout.spots[card.key]) for card in cards),
        MARGIN,
        f"{_HEADING + layout.height:.0f}",
        joined(_explained(line, words, place) for place, (line, words) in enumerate(legend)),
    )


def miniature(cards: Sequence[Card]) -> SafeString:
    """Draw the cards alone, small: the map on which the part that is in sight is marked."""
    layout = _layout(cards)
    share = min(_MAP_WIDTH / layout.width, _MAP_HEIGHT / layout.height)
    boxes = format_html_join(
        "",
        '<rect x="{}" y="{}" width="{}" height="{}"/>',
        (
            (f"{spot.x:.0f}", f"{spot.y:.0f}", CARD_WIDTH, CARD_HEIGHT)
            for spot in layout.spots.values()
        ),
    )
    return format_html(
        '<svg class="org-map" viewBox="0 0 {} {}" width="{}" height="{}" aria-hidden="true">{}'
        '<rect class="sight"/></svg>',
        f"{layout.width:.0f}",
        f"{layout.height:.0f}",
        f"{layout.width * share:.0f}",
        f"{layout.height * share:.0f}",
        boxes,
    )


def _drawn_lines(cards: Sequence[Card], ties: Sequence[Tie], layout: Layout) -> SafeString:
    spots = layout.spots
    edges = [
        ("edge", _stepped(spots[card.above], spots[card.key], 0)) for card in cards if card.above
    ]
    drawn = [
        (f"tie {tie.line.value}", _tied(tie, spots[tie.start], spots[tie.end])) for tie in ties
    ]
    paths = format_html_join("\n", '<path class="{}" d="{}"/>', [*edges, *drawn])
    return format_html('<g class="lines">{}</g>', paths)


def _stepped(above: Spot, below: Spot, beside: float) -> str:
    """Return the way from a card to one in the next column, ``beside`` the line of the tree."""
    turn = above.right + BETWEEN_LEVELS / 2 + beside
    start, end = above.middle + beside, below.middle + beside
    return f"M{above.right:.0f} {start:.1f}H{turn:.0f}V{end:.1f}H{below.x:.0f}"


def _tied(tie: Tie, start: Spot, end: Spot) -> str:
    beside = -_BESIDE if tie.line == Line.INVOICED else _BESIDE
    if end.x < start.x and start.x - end.right <= BETWEEN_LEVELS:
        return _stepped(end, start, beside)
    from_y, to_y = start.middle + beside, end.middle + beside
    bend = BETWEEN_LEVELS * 0.75
    if end.x < start.x:
        out, away, into = start.x, -bend, end.right
        back = bend
    elif end.x == start.x:
        out, away, into, back = start.x, -bend, end.x, -bend
    else:
        out, away, into, back = start.right, bend, end.x, -bend
    return (
        f"M{out:.0f} {from_y:.1f}C{out + away:.0f} {from_y:.1f} "
        f"{into + back:.0f} {to_y:.1f} {into:.0f} {to_y:.1f}"
    )


def _layout(cards: Sequence[Card]) -> Layout:
    return laid_out([(card.key, card.above) for card in cards])


def _explained(line: Line, words: str, place: int) -> SafeString:
    left = 180 * place
    return format_html(
        '<path class="tie {}" d="M{} 8H{}"/>{}',
        line.value,
        left,
        left + 28,
        text("kind", left + 36, 12, words),
    )
