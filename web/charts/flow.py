"""A flow in three columns as SVG: bands as thick as what they carry, each mark a link."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from web.charts.cards import joined, text
from web.charts.lettering import fitted

WIDTH: Final = 1040
_BAR: Final = 14
_ROOM: Final = 200
_HEIGHT: Final = 320
_LEAST: Final = 3.0
_BETWEEN: Final = 26
_TOP: Final = 40
_COLUMNS: Final = (_ROOM, (WIDTH - _BAR) / 2, WIDTH - _ROOM - _BAR)


@dataclass(frozen=True, slots=True)
class Stop:
    """What a band passes in a column: its name, where it leads, its amount in words."""

    key: str
    name: str
    url: str
    amount: str


@dataclass(frozen=True, slots=True)
class Band:
    """What flows from the first column through the second to the third; ``label`` says it all."""

    keys: tuple[str, str, str]
    size: int
    label: str
    url: str


def flow_chart(
    heads: Sequence[str],
    stops: Sequence[Sequence[Stop]],
    bands: Sequence[Band],
    title: str,
) -> SafeString:
    """Draw a flow.

    Args:
        heads: what the three columns are.
        stops: those of each column, in the order they are drawn.
        bands: what flows between them; what is nothing or less is drawn as a hair.
        title: what the picture shows.
    """
    sizes = [_sizes(bands, column) for column in range(3)]
    scale = _HEIGHT / max(sum(max(band.size, 0) for band in bands), 1)
    places = [_places(stops[column], sizes[column], scale) for column in range(3)]
    height = max(_end(column) for column in places) + _BETWEEN
    return format_html(
        '<svg class="flow" viewBox="0 0 {} {}" role="group" aria-label="{}">{}{}{}</svg>',
        WIDTH,
        f"{height:.0f}",
        title,
        joined(_head(column, head) for column, head in enumerate(heads)),
        joined(_bands(bands, places, scale)),
        joined(
            _stop(column, stop, places[column][stop.key])
            for column in range(3)
            for stop in stops[column]
        ),
    )


def _sizes(bands: Iterable[Band], column: int) -> Mapping[str, int]:
    sizes: dict[str, int] = defaultdict(int)
    for band in bands:
        sizes[band.keys[column]] += max(band.size, 0)
    return sizes


def _places(
    stops: Sequence[Stop], sizes: Mapping[str, int], scale: float
) -> dict[str, tuple[float, float]]:
    """Return where each stop of a column begins, and how high it is."""
    places, at = {}, float(_TOP)
    for stop in stops:
        height = max(sizes.get(stop.key, 0) * scale, _LEAST)
        places[stop.key] = (at, height)
        at += height + _BETWEEN
    return places


def _end(places: Mapping[str, tuple[float, float]]) -> float:
    return max((at + height for at, height in places.values()), default=float(_TOP))


def _bands(
    bands: Sequence[Band], places: Sequence[Mapping[str, tuple[float, float]]], scale: float
) -> Iterable[SafeString]:
    used: dict[tuple[int, str, int], float] = defaultdict(float)
    for band in bands:
        thick = max(max(band.size, 0) * scale, 1.0)
        ways = []
        for left in (0, 1):
            ends = []
            for column, side in ((left, 1), (left + 1, 0)):
                key = band.keys[column]
                ends.append(places[column][key][0] + used[column, key, side] + thick / 2)
                used[column, key, side] += thick
            ways.append(_curve(_COLUMNS[left] + _BAR, ends[0], _COLUMNS[left + 1], ends[1]))
        yield format_html(
            '<a href="{}" aria-label="{}"><title>{}</title>{}</a>',
            band.url,
            band.label,
            band.label,
            format_html_join(
                "",
                '<path class="band {}" d="{}" stroke-width="{}"/>',
                (
                    (kind, way, f"{thick:.1f}")
                    for kind, way in zip(("invoiced", "pays"), ways, strict=True)
                ),
            ),
        )


def _curve(from_x: float, from_y: float, to_x: float, to_y: float) -> str:
    middle = (from_x + to_x) / 2
    return (
        f"M{from_x:.0f} {from_y:.1f}C{middle:.0f} {from_y:.1f} "
        f"{middle:.0f} {to_y:.1f} {to_x:.0f} {to_y:.1f}"
    )


def _head(column: int, head: str) -> SafeString:
    x, anchor = ((0, "start"), (WIDTH / 2, "middle"), (WIDTH, "end"))[column]
    return text("head", x, 16, head, anchor)


def _stop(column: int, stop: Stop, place: tuple[float, float]) -> SafeString:
    top, height = place
    x = _COLUMNS[column]
    anchor = ("end", "start", "start")[column]
    beside = x - 8 if column == 0 else x + _BAR + 8
    middle = top + height / 2
    label = f"{stop.name}: {stop.amount}"
    return format_html(
        '<a href="{}" aria-label="{}"><title>{}</title>'
        '<rect class="stop" x="{}" y="{}" width="{}" height="{}" rx="2"/>{}{}</a>',
        stop.url,
        label,
        label,
        f"{x:.0f}",
        f"{top:.1f}",
        _BAR,
        f"{height:.1f}",
        text("name", beside, middle - 1, fitted(stop.name, 13, _ROOM - 16), anchor),
        text("note", beside, middle + 14, stop.amount, anchor),
    )
