"""What a discount leaves of the price of a full period, unrounded, and how long it holds."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction
from typing import Final, Generic, TypeVar

from billing_rules.timelines import Stretch, altered

_WHOLE: Final = 100
V = TypeVar("V")
D = TypeVar("D")


class Duration(StrEnum):
    """How long a coupon takes something off: periods of each item's own interval."""

    ONCE = "once"
    PERIODS = "periods"
    FOREVER = "forever"


@dataclass(frozen=True, slots=True)
class Off:
    """What is taken off the price of one full period of an item: a share, or an amount.

    ``percent`` is more than 0 and at most 100; ``amount`` is in major units. One of them is None.
    """

    percent: Decimal | None = None
    amount: Decimal | None = None

    def left_of(self, full_amount: Fraction) -> Fraction:
        """Return what is left of the price of a full period, never less than nothing.

        It is not rounded: a part of the period costs its share of it, and is rounded once.

        Source: docs/billing-rules.md, Discounts.
        """
        if self.percent is not None:
            return full_amount * (_WHOLE - Fraction(self.percent)) / _WHOLE
        return max(Fraction(0), full_amount - Fraction(self.amount or 0))


@dataclass(frozen=True, slots=True)
class Given(Generic[D]):
    """A discount that an item has from ``start`` to the day before ``end``; None: for ever."""

    discount: D
    start: date
    end: date | None


def with_discounts(
    timeline: Sequence[Stretch[V]],
    given: Iterable[Given[D]],
    put: Callable[[V, D | None], V],
    *,
    applies: Callable[[V, D], bool],
) -> list[Stretch[V]]:
    """Return terms in which one discount at most holds on each day: the first that does.

    Whatever discount the terms had before does not matter.

    Args:
        timeline: the terms of an item.
        given: its discounts, the one that goes before the others first.
        put: makes terms that have a discount, or none.
        applies: whether a discount is for such terms.

    Source: docs/billing-rules.md, Discounts.
    """
    found = altered(timeline, date.min, None, lambda terms: put(terms, None))
    for one in reversed(list(given)):
        if one.end is not None and one.end <= one.start:
            continue
        found = altered(
            found,
            one.start,
            one.end,
            lambda terms, one=one: (  # type: ignore[misc]
                put(terms, one.discount) if applies(terms, one.discount) else terms
            ),
        )
    return found
