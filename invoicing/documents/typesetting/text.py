"""Text in the fonts of documents: shaped once, measured, broken into lines, drawn."""

from dataclasses import dataclass, field, replace
from math import inf
from typing import Any

from weasyprint.css.properties import INITIAL_VALUES
from weasyprint.draw.text import draw_emojis, draw_first_line
from weasyprint.matrix import Matrix
from weasyprint.text.fonts import FontConfiguration

from invoicing.documents.directions import RIGHT_TO_LEFT
from invoicing.documents.typesetting.shaping import split_first_line, strut
from invoicing.engine.glyphs import FAMILY

POINT = 4 / 3
"""A point in the unit of pages, of which 96 are an inch."""
MILLIMETRE = 96 / 25.4
LINE_HEIGHT = 1.4
ELLIPSIS = "…"
HYPHENATED = (12, 4, 4)
"""Letters of the shortest word that is hyphenated, and of its shortest parts: names stay whole."""

_AROUND_WORDS = ".,;:!?()[]\"'„“”‚‘’«»›‹"

Colour = tuple[float, float, float]


@dataclass(frozen=True, slots=True)
class Face:
    """How text looks: size in points, weight and colour; ``breaks`` where it may be parted.

    ``hyphenates`` long words where they are parted.
    """

    size: float = 9
    weight: int = 400
    colour: Colour = (0.090, 0.125, 0.173)
    breaks: bool = False
    hyphenates: bool = True


@dataclass(frozen=True, slots=True)
class Span:
    """Text of one face."""

    text: str
    face: Face


@dataclass(frozen=True, slots=True)
class Piece:
    """Text on one line, ``x`` from the left of its cell."""

    text: str
    face: Face
    x: float
    width: float


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a cell: its pieces, what it takes and where its text stands, from its top."""

    pieces: tuple[Piece, ...]
    height: float
    baseline: float

    @property
    def width(self) -> float:
        """Where its text ends."""
        return max((piece.x + piece.width for piece in self.pieces), default=0)


class _Style(dict[str, Any]):
    """What the library reads from the style of a box."""

    font_config: FontConfiguration


@dataclass
class Letters:
    """Shapes the text of one document in one language; what is repeated costs once."""

    fonts: FontConfiguration
    dictionaries: dict[Any, Any]
    language: str
    _styles: dict[Face, _Style] = field(default_factory=dict)
    _broken: dict[tuple[str, Face, float, bool], Any] = field(default_factory=dict)
    _struts: dict[Face, tuple[float, float]] = field(default_factory=dict)

    def lines(
        self, spans: tuple[Span, ...], face: Face, width: float, *, most: int = 0
    ) -> list[Line]:
        """Return spans that follow each other as lines of at most ``width``.

        A word longer than a line is hyphenated or else parted; what holds an article number or
        another code is parted without a hyphen that would seem to be part of it. ``face`` gives
        the lines their height. Of more than ``most`` lines the last says that text is cut.
        """
        lines: list[list[Piece]] = [[]]
        x = 0.0
        for span in spans:
            rest, own = span.text, _face_for(span)
            # Each line of text from right to left says so again: it is shaped by itself.
            begin = RIGHT_TO_LEFT if rest.startswith(RIGHT_TO_LEFT) else ""
            while rest:
                text, resume, size = self._first_line(rest, own, width - x, starts=x == 0)
                if x and own.breaks and size > width - x:
                    lines, x = [*lines, []], 0.0
                    rest = rest.lstrip(" ")
                    continue
                lines[-1].append(Piece(text, own, x, size))
                x += size
                if resume is None:
                    break
                rest = rest.encode()[resume:].decode()
                rest = begin + rest if rest else rest
                lines, x = [*lines, []], 0.0
        if most and len(lines) > most:
            lines = [*lines[: most - 1], [self._cut(lines[most - 1], width)]]
        height, baseline = self._strut(face)
        return [Line(tuple(pieces), height, baseline) for pieces in lines]

    def _cut(self, line: list[Piece], width: float) -> Piece:
        """Return a line with an ellipsis behind as much of it as there is room for."""
        face, text = line[-1].face, "".join(piece.text for piece in line).rstrip(" \u2010")
        while True:
            shown = f"{text}{ELLIPSIS}"
            _text, _resume, size = self._first_line(shown, _unbroken(face), inf, starts=True)
            if size <= width or not text:
                return Piece(shown, face, 0, size)
            text = text[:-1].rstrip()

    def width(self, span: Span) -> float:
        """Return how long a span is on one line."""
        (line,) = self.lines((span,), span.face, inf)
        return line.width

    def style(self, face: Face) -> _Style:
        """Return a face in the library's words."""
        if face not in self._styles:
            style = _Style(INITIAL_VALUES)
            style.font_config = self.fonts
            style["font_family"] = FAMILY
            style["font_size"] = face.size * POINT
            style["font_weight"] = face.weight
            style["font_variant_numeric"] = ("tabular-nums",)
            style["line_height"] = LINE_HEIGHT
            style["lang"] = self.language
            style["white_space"] = "normal" if face.breaks else "nowrap"
            style["hyphens"] = "auto" if face.breaks and face.hyphenates else "none"
            style["hyphenate_limit_chars"] = HYPHENATED
            style["overflow_wrap"] = "anywhere" if face.breaks else "normal"
            self._styles[face] = style
        return self._styles[face]

    def _strut(self, face: Face) -> tuple[float, float]:
        if face not in self._struts:
            self._struts[face] = strut(self.style(face))
        return self._struts[face]

    def _first_line(
        self, text: str, face: Face, width: float, *, starts: bool
    ) -> tuple[str, int | None, float]:
        """Return what fits of ``text``, where the rest begins in bytes, and its width."""
        key = (text, face, width if face.breaks else inf, starts)
        if key not in self._broken:
            # The library looks for ``dictionaries`` to hyphenate with.
            layout, _length, resume, size, _height, _baseline = split_first_line(
                text, self.style(face), self, key[2], 0, is_line_start=starts
            )
            self._broken[key] = (layout.text, resume, size)
        return self._broken[key]  # type: ignore[no-any-return]


def _unbroken(face: Face) -> Face:
    return replace(face, breaks=False)


def _face_for(span: Span) -> Face:
    """Return a span's face, without hyphens if the span holds a code."""
    if span.face.breaks and span.face.hyphenates and holds_code(span.text):
        return replace(span.face, hyphenates=False)
    return span.face


def holds_code(text: str) -> bool:
    """Return whether one of the long words is no word: it has digits, signs or inner capitals."""
    return any(
        any(not sign.isalpha() for sign in part) or not part[1:].islower()
        for word in text.split()
        if len(word) >= HYPHENATED[0]
        for part in word.strip(_AROUND_WORDS).split("-")
        if len(part) > 1
    )


@dataclass
class Pen:
    """Draws text into the streams of one document; each text and face is shaped once."""

    letters: Letters
    _drawn: dict[tuple[str, Face], tuple[list[Any], list[Any]]] = field(default_factory=dict)

    def draw(self, stream: Any, piece: Piece, x: float, y: float) -> None:
        """Draw a piece whose text stands on ``y``."""
        operators, emojis = self._shape(stream, piece.text, piece.face)
        stream.set_color_rgb(*piece.face.colour)
        stream.begin_text()
        stream.set_text_matrix(*Matrix(d=-1, e=x, f=y).values)
        stream.stream.extend(operators)
        stream.end_text()
        draw_emojis(stream, self.letters.style(piece.face), x, y, emojis)

    def _shape(self, stream: Any, text: str, face: Face) -> tuple[list[Any], list[Any]]:
        if (text, face) not in self._drawn:
            shaped = _Shaped(text, self.letters.style(face))
            scratch = stream.clone(stream=[])
            emojis = draw_first_line(scratch, shaped, "clip", "none", Matrix())
            # The first operator places the text, which differs from place to place.
            self._drawn[text, face] = (scratch.stream[1:], emojis)
        return self._drawn[text, face]


class _Shaped:
    """A line of text as the library draws it."""

    baseline = 0

    def __init__(self, text: str, style: _Style) -> None:
        """Shape ``text``, which is known to be one line."""
        self.text, self.style = text, style
        self.pango_layout, *_ = split_first_line(text, style, None, None, 0)
        self.pango_layout.reactivate(style)
