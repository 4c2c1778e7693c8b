"""Quantities day by day, as SVG: a bar for each day."""

from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from decimal import Decimal
from typing import Final

from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from tenancy.formats import date_text
from web.charts.cards import joined, text
from web.charts.lettering import width_of
from web.templatetags.figures import quantity

WIDTH: Final = 860
HEIGHT: Final = 190
_LEFT: Final = 84
_RIGHT: Final = 8
_TOP: Final = 12
_FOOT: Final = 26
_SMALL: Final = 12
_WIDEST: Final = 36
_GAP: Final = 0.25


def day_bars(amounts: Mapping[date, Decimal], since: date, until: date, name: str) -> SafeString:
    """Draw a bar for each day; a day without an amount has none.

    Args:
        amounts: by day, 0 or more.
        since: the first day.
        until: the day after the last one.
        name: what is drawn.
    """
    count = max((until - since).days, 1)
    most = max(amounts.values(), default=Decimal(0)) or Decimal(1)
    bottom = HEIGHT - _FOOT
    step = (WIDTH - _LEFT - _RIGHT) / count
    drawn = [*_grid(most, bottom), *_bars(amounts, since, most, step, bottom)]
    drawn += _days(since, count, step, bottom)
    label = _("“%(name)s” day by day") % {"name": name}
    return format_html(
        '<svg class="day-bars" viewBox="0 0 {} {}" role="img" aria-label="{}">{}</svg>',
        WIDTH,
        HEIGHT,
        label,
        joined(drawn),
    )


def _grid(most: Decimal, bottom: float) -> Iterator[SafeString]:
    for share in (Decimal(0), Decimal("0.5"), Decimal(1)):
        y = bottom - float(share) * (bottom - _TOP)
        yield format_html(
            '<line class="grid" x1="{}" y1="{}" x2="{}" y2="{}"/>',
            _LEFT, f"{y:.1f}", WIDTH - _RIGHT, f"{y:.1f}",
        )  # fmt: skip
        yield text("axis", _LEFT - 8, y + 4, quantity(most * share), "end")


def _bars(
    amounts: Mapping[date, Decimal], since: date, most: Decimal, step: float, bottom: float
) -> Iterator[SafeString]:
    width = min(step * (1 - _GAP), _WIDEST)
    for day, amount in sorted(amounts.items()):
        height = float(amount / most) * (bottom - _TOP)
        middle = _LEFT + ((day - since).days + 0.5) * step
        yield format_html(
            '<rect class="used" x="{}" y="{}" width="{}" height="{}" rx="2"><title>{}</title>'
            "</rect>",
            f"{middle - width / 2:.1f}",
            f"{bottom - height:.1f}",
            f"{width:.1f}",
            f"{height:.1f}",
            f"{date_text(day)}: {quantity(amount)}",
        )


def _days(since: date, count: int, step: float, bottom: float) -> Iterator[SafeString]:
    """Write days below, as far as each has room beside the one before."""
    free = 0.0
    for place in range(count):
        words = date_text(since + timedelta(days=place))
        half = width_of(words, _SMALL) / 2
        at = max(min(_LEFT + (place + 0.5) * step, WIDTH - half), half)
        if at - half < free + 16:
            continue
        free = at + half
        yield text("axis", at, bottom + 18, words, "middle")
