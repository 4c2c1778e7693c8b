"""The cards of an org chart: what stands on them, as parts of SVG."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from web.charts.lettering import fitted, in_lines, width_of
from web.charts.tree_layout import CARD_HEIGHT, CARD_WIDTH, Spot

SMALL: Final = 12
"""The size of the letters that are not a name, in pixels."""
_PAD: Final = 12
_NAME_SIZE: Final = 13
_PILL_SIZE: Final = 11
_PILL_HEIGHT: Final = 18


@dataclass(frozen=True, slots=True)
class Pill:
    """A word on a coloured ground."""

    text: str
    tone: str


@dataclass(frozen=True, slots=True)
class Fold:
    """What opens or closes the cards below one: the sign on it, its name and its address."""

    sign: str
    label: str
    url: str
    is_open: bool


@dataclass(frozen=True, slots=True)
class Card:
    """One card. ``label`` is all that it says, ``note`` stands right of ``kind``.

    One that ``stands_for`` others is not an account, but those that are not drawn.
    """

    key: str
    above: str
    url: str
    name: str
    label: str
    level: int
    kind: str = ""
    note: str = ""
    pills: Sequence[Pill] = ()
    fold: Fold | None = None
    position: int = 1
    siblings: int = 1
    is_top: bool = False
    is_quiet: bool = False
    stands_for_others: bool = False


def joined(parts: Iterable[SafeString]) -> SafeString:
    """Put parts of a picture together."""
    return format_html_join("\n", "{}", ((part,) for part in parts))


def linked(card: Card, spot: Spot) -> SafeString:
    """Draw a card of a page: a part of a tree, with links to the account and to what is below."""
    state = format_html(' aria-expanded="{}"', str(card.fold.is_open).lower()) if card.fold else ""
    return format_html(
        '<g class="{}" role="treeitem" aria-level="{}" aria-posinset="{}" aria-setsize="{}"{}'
        ' aria-label="{}" data-key="{}" transform="translate({} {})">'
        '<a class="open" href="{}" aria-label="{}"><title>{}</title>{}</a>{}</g>',
        _kinds(card),
        card.level,
        card.position,
        card.siblings,
        state,
        card.label,
        card.key,
        f"{spot.x:.0f}",
        f"{spot.y:.1f}",
        card.url,
        card.label,
        card.label,
        _face(card),
        _fold(card.fold) if card.fold else "",
    )


def plain(card: Card, spot: Spot) -> SafeString:
    """Draw a card of a file, in which addresses lead nowhere."""
    sign = "" if card.fold is None or card.fold.is_open else card.fold.sign
    return format_html(
        '<g class="{}" transform="translate({} {})"><title>{}</title>{}{}</g>',
        _kinds(card),
        f"{spot.x:.0f}",
        f"{spot.y:.1f}",
        card.label,
        _face(card),
        text("sign", CARD_WIDTH - _PAD, 76, sign, "end"),
    )


def _kinds(card: Card) -> str:
    flags = {
        "top": card.is_top,
        "quiet": card.is_quiet,
        "others": card.stands_for_others,
    }
    return " ".join(["card", *(name for name, is_so in flags.items() if is_so)])


def _face(card: Card) -> SafeString:
    box = '<rect class="box" width="{}" height="{}" rx="8"/>{}'
    return format_html(box, CARD_WIDTH, CARD_HEIGHT, joined(_lettering(card)))


def _lettering(card: Card) -> Iterator[SafeString]:
    room = CARD_WIDTH - 2 * _PAD
    if card.stands_for_others:
        yield text("name", CARD_WIDTH / 2, CARD_HEIGHT / 2 + 5, card.name, "middle")
        return
    lines = in_lines(card.name, _NAME_SIZE, room, 2)
    is_short = len(lines) == 1
    for place, line in enumerate(lines):
        yield text("name", _PAD, (26 if is_short else 20) + 16 * place, line)
    below = 46 if is_short else 54
    kind = fitted(card.kind, SMALL, room - width_of(card.note, SMALL) - 8)
    yield text("kind", _PAD, below, kind)
    yield text("note", CARD_WIDTH - _PAD, below, card.note, "end")
    yield from _pills(card, room)


def _pills(card: Card, room: float) -> Iterator[SafeString]:
    left, room = float(_PAD), room - (_fold_width(card.fold) + 4 if card.fold else 0)
    for pill in card.pills:
        space = room - (left - _PAD) - 14
        if space < 24:
            return
        word = fitted(pill.text, _PILL_SIZE, space)
        width = width_of(word, _PILL_SIZE) + 14
        yield format_html(
            '<rect class="pill {}" x="{}" y="63" width="{}" height="{}" rx="9"/>',
            pill.tone, f"{left:.0f}", f"{width:.0f}", _PILL_HEIGHT,
        )  # fmt: skip
        yield text(f"word {pill.tone}", left + width / 2, 76, word, "middle")
        left += width + 6


def _fold_width(fold: Fold) -> float:
    return max(26.0, width_of(fold.sign, SMALL) + 12)


def _fold(fold: Fold) -> SafeString:
    width = _fold_width(fold)
    left = CARD_WIDTH - width - 5
    return format_html(
        '<a class="fold" href="{}" aria-label="{}" data-fold=""><title>{}</title>'
        '<rect x="{}" y="59" width="{}" height="25" rx="6"/>{}</a>',
        fold.url,
        fold.label,
        fold.label,
        f"{left:.0f}",
        f"{width:.0f}",
        text("sign", left + width / 2, 76, fold.sign, "middle"),
    )


def text(kind: str, x: float, y: float, words: str, anchor: str = "start") -> SafeString:
    """Draw one line of text; assistive technology reads the names of things instead."""
    return format_html(
        '<text class="{}" x="{}" y="{}" text-anchor="{}" aria-hidden="true">{}</text>',
        kind,
        f"{x:.0f}",
        f"{y:.0f}",
        anchor,
        words,
    )
