"""Reading a list whose indents say what stands below what, as people type and paste it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

_TAB: Final = 4
_BULLETS: Final = "-*\u2022\u2013\u25e6\u25aa\u00b7"
_SPACES: Final = " \t\u00a0\u3000"


@dataclass(frozen=True, slots=True)
class OutlineLine:
    """One line of a list: its number in the text, how deep it stands, and what it says."""

    number: int
    depth: int
    text: str


class BrokenIndent(ValueError):
    """A line stands between the levels of those above it; ``number`` is the line's."""

    def __init__(self, number: int) -> None:
        """Keep which line."""
        super().__init__(f"line {number}")
        self.number = number


def read_outline(text: str) -> Sequence[OutlineLine]:
    """Return the lines of an indented list, the empty ones left out.

    Whatever is used to indent counts: spaces, tabs (four columns), bullets of any editor before
    the words, also a mix. A line that begins further right than the one before stands below it;
    one that begins as far left as an earlier one stands beside that.

    Raises:
        BrokenIndent: a line goes back to a column at which no line above it begins.
    """
    found: list[OutlineLine] = []
    columns: list[int] = []
    for number, line in enumerate(text.splitlines(), start=1):
        column, words = _taken_apart(line)
        if not words:
            continue
        while columns and column < columns[-1]:
            columns.pop()
            if not columns or columns[-1] < column:
                raise BrokenIndent(number)
        if not columns or column > columns[-1]:
            columns.append(column)
        found.append(OutlineLine(number, len(columns) - 1, words))
    return found


def _taken_apart(line: str) -> tuple[int, str]:
    """Return the column at which a line begins, and its words without a bullet."""
    column, place = 0, 0
    for place, letter in enumerate(line):  # noqa: B007 - where it ends is what is asked
        if letter not in _SPACES:
            break
        column += _TAB - column % _TAB if letter == "\t" else 1
    words = line[place:].strip(_SPACES)
    bare = words.lstrip(_BULLETS)
    if bare != words and (not bare or bare[0] in _SPACES):
        words = bare.strip(_SPACES)
    return column, words
