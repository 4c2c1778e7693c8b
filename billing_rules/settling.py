"""What should be charged for days that have been charged, minus what was: credits and charges."""

from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from fractions import Fraction

from billing_rules.periods import Period
from billing_rules.proration import prorate, split_charged


@dataclass(frozen=True, slots=True)
class Charged:
    """What was charged for some days, and for which terms.

    Attributes:
        charge: names the charge it comes from.
        terms: names the price and quantity charged.
        period: the days.
        full: the period of the anchor's grid that contains them.
        amount: the unrounded price of the full period, in major units.
        net_minor: what was charged for these days, in minor units.
    """

    charge: Hashable
    terms: Hashable
    period: Period
    full: Period
    amount: Fraction
    net_minor: int


@dataclass(frozen=True, slots=True)
class Credited:
    """Some days of what a charge was for that were credited since."""

    charge: Hashable
    period: Period


@dataclass(frozen=True, slots=True)
class Owed:
    """What some days should cost: one price in one quantity, at a fraction of its full period."""

    terms: Hashable
    period: Period
    full: Period
    amount: Fraction


@dataclass(frozen=True, slots=True)
class Settlement:
    """What makes good the difference: what is taken back, and what is charged instead.

    ``taken_back`` holds positive amounts in minor units, each to be credited.
    """

    taken_back: tuple[Charged, ...]
    charged: tuple[tuple[Owed, int], ...]


def standing(events: Iterable[Charged | Credited], currency: str) -> list[Charged]:
    """Return what is charged after charges and credits, in the order in which they came about.

    Raises:
        ValueError: a credit is for days that its charge does not stand for any more.

    Source: docs/billing-rules.md, Changes.
    """
    found: list[Charged] = []
    for event in events:
        if isinstance(event, Charged):
            found.append(event)
            continue
        place = next(
            (
                place
                for place, piece in enumerate(found)
                if piece.charge == event.charge and piece.period.covers(event.period)
            ),
            None,
        )
        if place is None:
            raise ValueError(f"{event} credits what was not charged")
        before, _taken, after = _cut(found[place], event.period, currency)
        found[place : place + 1] = [piece for piece in (before, after) if piece is not None]
    return found


def since(pieces: Iterable[Charged], day: date, currency: str) -> list[Charged]:
    """Return what is charged for a day and later, in the order of days.

    Of a piece that begins before, the rest: what was charged minus what the days before cost.

    Source: docs/billing-rules.md, R3; docs/billing-rules.md, Change plans.
    """
    found = [
        piece if piece.period.start >= day else _split(piece, day, currency)[1]
        for piece in pieces
        if piece.period.end > day
    ]
    return sorted(found, key=lambda piece: piece.period.start)


def settle(pieces: Iterable[Charged], owed: Sequence[Owed], currency: str) -> Settlement:
    """Return the credits and charges that turn what is charged into what is owed.

    What is charged at the very terms that are owed stays as it is. Everything else is credited,
    and what is owed is charged for just the days that nothing stands for then.

    Args:
        pieces: what is charged; none overlap.
        owed: what should be, for days that have fallen due; none overlap.
        currency: ISO 4217.

    Returns:
        Both in the order of their days.

    Raises:
        OutsidePeriod: something owed is not inside its full period.
        ValueError: the currency is unknown.

    Source: docs/billing-rules.md, Changes; docs/billing-rules.md, R3.
    """
    kept: list[Period] = []
    taken: list[Charged] = []
    for piece in pieces:
        agreed = sorted(
            (
                _common(piece.period, one.period)
                for one in owed
                if one.terms == piece.terms and _overlap(piece.period, one.period)
            ),
            key=lambda period: period.start,
        )
        kept += agreed
        rest: Charged | None = piece
        for period in _without(piece.period, agreed):
            if rest is None:  # pragma: no cover - what is left covers what is without
                break
            _before, cut, rest = _cut(rest, period, currency)
            taken.append(cut)
    charged = [
        (part, prorate(part.amount, part.period, part.full, currency))
        for one in owed
        for part in (
            replace(one, period=period)
            for period in _without(
                one.period, [_common(one.period, k) for k in kept if _overlap(one.period, k)]
            )
        )
    ]
    return Settlement(
        tuple(sorted(taken, key=lambda piece: piece.period.start)),
        tuple(sorted(charged, key=lambda pair: pair[0].period.start)),
    )


def _cut(
    piece: Charged, period: Period, currency: str
) -> tuple[Charged | None, Charged, Charged | None]:
    """Return what a charge stands for before some of its days, for them, and after them."""
    before, cut, after = None, piece, None
    if period.start > cut.period.start:
        before, cut = _split(cut, period.start, currency)
    if period.end < cut.period.end:
        cut, after = _split(cut, period.end, currency)
    return before, cut, after


def _split(piece: Charged, on: date, currency: str) -> tuple[Charged, Charged]:
    first, second = split_charged(
        piece.net_minor, piece.amount, piece.period, piece.full, currency, on=on
    )
    return (
        replace(piece, period=Period(piece.period.start, on), net_minor=first),
        replace(piece, period=Period(on, piece.period.end), net_minor=second),
    )


def _overlap(one: Period, other: Period) -> bool:
    return one.start < other.end and other.start < one.end


def _common(one: Period, other: Period) -> Period:
    return Period(max(one.start, other.start), min(one.end, other.end))


def _without(whole: Period, parts: Iterable[Period]) -> list[Period]:
    """Return the stretches of a period that none of its parts has."""
    found, start = [], whole.start
    for part in sorted(parts, key=lambda period: period.start):
        if start < part.start:
            found.append(Period(start, part.start))
        start = max(start, part.end)
    if start < whole.end:
        found.append(Period(start, whole.end))
    return found
