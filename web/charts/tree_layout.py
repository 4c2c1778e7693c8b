"""Where the cards of a tree stand: from left to right, leaves one below the other."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

CARD_WIDTH: Final = 232
CARD_HEIGHT: Final = 88
BETWEEN_LEVELS: Final = 64
BETWEEN_CARDS: Final = 16
MARGIN: Final = 24


@dataclass(frozen=True, slots=True)
class Spot:
    """The upper left corner of a card."""

    x: float
    y: float

    @property
    def right(self) -> float:
        """Where the card ends."""
        return self.x + CARD_WIDTH

    @property
    def middle(self) -> float:
        """Half its height."""
        return self.y + CARD_HEIGHT / 2


@dataclass(frozen=True, slots=True)
class Layout:
    """All cards, and the size of the picture."""

    spots: Mapping[str, Spot]
    width: float
    height: float


def laid_out(members: Sequence[tuple[str, str]]) -> Layout:
    """Return where each card stands; one with others below it stands beside the first of them.

    So the top is in sight however many there are, also where no script moves the picture.

    Args:
        members: keys with the key above each, depth first; the top's is not among them.
    """
    below: dict[str, list[str]] = defaultdict(list)
    depths: dict[str, int] = {}
    for key, above in members:
        below[above].append(key)
        depths[key] = depths.get(above, -1) + 1
    heights: dict[str, float] = {}
    free = float(MARGIN)
    for key, _above in members:
        if not below[key]:
            heights[key] = free
            free += CARD_HEIGHT + BETWEEN_CARDS
    for key, _above in reversed(members):
        if below[key]:
            heights[key] = heights[below[key][0]]
    column = CARD_WIDTH + BETWEEN_LEVELS
    spots = {key: Spot(MARGIN + depths[key] * column, heights[key]) for key, _above in members}
    width = max(spot.right for spot in spots.values()) + MARGIN
    return Layout(spots, width, free - BETWEEN_CARDS + MARGIN)
