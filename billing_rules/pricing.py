"""What a quantity costs for one full period, unrounded, with every step that leads there."""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction
from itertools import pairwise
from math import ceil
from typing import Final

_QUANTITY_DECIMALS: Final = 6
_PRICE_DECIMALS: Final = 12
_INTEGER_DIGITS: Final = 15
_ZERO: Final = Decimal(0)
_WHOLE: Final = Decimal(100)
_PERCENT_DECIMALS: Final = 6


class InvalidTerms(ValueError):
    """The terms of a price contradict themselves; ``code`` says how.

    Codes: unit_amount_required, unit_amount_not_allowed, tiers_required, tiers_not_allowed,
    tiers_not_ascending, last_tier_not_infinite, package_size_required, package_size_not_allowed,
    package_size_not_positive, amount_negative, amount_not_finite, amount_out_of_range,
    percentage_too_large, percentage_too_precise.
    """

    def __init__(self, code: str) -> None:
        """Keep the stable code beside the message."""
        super().__init__(code.replace("_", " "))
        self.code = code


class InvalidQuantity(ValueError):
    """A quantity can't be priced; ``code`` says why.

    Codes: quantity_negative, quantity_not_finite, quantity_out_of_range.
    """

    def __init__(self, code: str) -> None:
        """Keep the stable code beside the message."""
        super().__init__(code.replace("_", " "))
        self.code = code


class Model(StrEnum):
    """How a price depends on the quantity."""

    FLAT = "flat"
    PER_UNIT = "per_unit"
    GRADUATED = "graduated"
    VOLUME = "volume"
    PACKAGE = "package"
    PERCENTAGE = "percentage"


_TIERED: Final = frozenset({Model.GRADUATED, Model.VOLUME})


@dataclass(frozen=True, slots=True)
class Tier:
    """A range of quantities: above the tier before, up to and including ``up_to``.

    ``up_to`` is None for the last tier, which has no end. Amounts are in major units.
    """

    up_to: Decimal | None
    unit_amount: Decimal
    flat_amount: Decimal


@dataclass(frozen=True, slots=True)
class PriceTerms:
    """The terms of a price, checked. Amounts are in major units, for one full period.

    ``unit_amount`` is the price itself (flat), of one unit (per unit), of one package, or how many
    percent of a quantity that is an amount, and None for the tiered models; ``tiers`` and
    ``package_size`` belong to their models only. ``minimum`` is what a full period costs at least,
    in any quantity, None for nothing.

    Raises:
        InvalidTerms: a needed part is missing, an unused one is given, a number is negative, not
            finite, has 16 or more digits before or 13 or more after the decimal point, the
            tiers don't ascend to a last one without end, or a percentage is above 100 or has
            seven or more decimals.

    Source: docs/billing-rules.md, R19.
    """

    model: Model
    unit_amount: Decimal | None
    tiers: tuple[Tier, ...] = ()
    package_size: Decimal | None = None
    minimum: Decimal | None = None

    def __post_init__(self) -> None:
        """Refuse terms that contradict themselves."""
        tiered, packaged = self.model in _TIERED, self.model == Model.PACKAGE
        _require_presence("unit_amount", self.unit_amount is not None, needed=not tiered)
        _require_presence("tiers", bool(self.tiers), needed=tiered)
        _require_presence("package_size", self.package_size is not None, needed=packaged)
        for amount in self._numbers():
            _require_plain_amount(amount)
        if self.package_size == 0:
            raise InvalidTerms("package_size_not_positive")
        if tiered:
            _require_ascending(self.tiers)
        if self.model == Model.PERCENTAGE and self.unit_amount is not None:
            _require_percentage(self.unit_amount)

    def _numbers(self) -> Iterator[Decimal]:
        for number in (self.unit_amount, self.package_size, self.minimum):
            if number is not None:
                yield number
        for tier in self.tiers:
            yield tier.unit_amount
            yield tier.flat_amount
            if tier.up_to is not None:
                yield tier.up_to


@dataclass(frozen=True, slots=True)
class PricedStep:
    """One step of an explanation: ``quantity * unit_amount + flat_amount == amount``.

    ``tier`` is the tier that was reached, None for models without tiers. ``quantity`` is what
    was priced in this step: units, packages, 1 for a flat price, or the amount that a percentage
    is taken of, whose ``unit_amount`` is the share: 0.029 for 2.9 %.
    """

    tier: Tier | None
    quantity: Decimal
    unit_amount: Decimal
    flat_amount: Decimal
    amount: Fraction


@dataclass(frozen=True, slots=True)
class Priced:
    """A price in major units for one full period, unrounded: the sum of its steps.

    ``before`` is that sum where it is less than the minimum, which the price is then; else None.
    """

    amount: Fraction
    steps: tuple[PricedStep, ...]
    before: Fraction | None = None


def price_of(terms: PriceTerms, quantity: Decimal) -> Priced:
    """Return what ``quantity`` costs for one full period, and how that comes about.

    Flat ignores the quantity. Package charges every package begun. Percentage takes the quantity
    as an amount in the price's currency and charges its share. Graduated: every tier reached
    adds its flat amount once and its own units at its price; a quantity of 0 reaches none.
    Volume: the whole quantity at the price of the tier it falls in, plus that tier's flat amount;
    a quantity of 0 falls in the first tier. What comes to less than the minimum costs the minimum.

    Args:
        terms: the price.
        quantity: 0 or more, with at most 6 decimals.

    Raises:
        InvalidQuantity: it is negative, not finite, has 16 or more digits before or 7 or more
            after the decimal point.

    Source: docs/billing-rules.md, R19; docs/billing-rules.md, Minimum commitments.
    """
    _require_plain_quantity(quantity)
    steps = tuple(_steps(terms, quantity))
    amount = steps[0].amount if len(steps) == 1 else sum((one.amount for one in steps), Fraction(0))
    if terms.minimum is not None and amount < terms.minimum:
        return Priced(Fraction(terms.minimum), steps, before=amount)
    return Priced(amount, steps)


def _steps(terms: PriceTerms, quantity: Decimal) -> Iterator[PricedStep]:
    if terms.model == Model.GRADUATED:
        yield from _graduated_steps(terms.tiers, quantity)
    elif terms.model == Model.VOLUME:
        tier = next(tier for tier in terms.tiers if tier.up_to is None or quantity <= tier.up_to)
        yield _step(quantity, tier.unit_amount, tier)
    else:
        unit_amount = terms.unit_amount or _ZERO
        if terms.model == Model.PERCENTAGE:
            unit_amount /= _WHOLE
        yield _step(_counted(terms, quantity), unit_amount)


def _counted(terms: PriceTerms, quantity: Decimal) -> Decimal:
    """Return how often the unit amount is charged in a model without tiers."""
    if terms.model == Model.FLAT:
        return Decimal(1)
    if terms.package_size is None:
        return quantity
    return Decimal(ceil(Fraction(quantity) / Fraction(terms.package_size)))


def _graduated_steps(tiers: tuple[Tier, ...], quantity: Decimal) -> Iterator[PricedStep]:
    reached = _ZERO
    for tier in tiers:
        if quantity <= reached:
            return
        upper = quantity if tier.up_to is None else min(quantity, tier.up_to)
        yield _step(upper - reached, tier.unit_amount, tier)
        reached = upper


def _step(quantity: Decimal, unit_amount: Decimal, tier: Tier | None = None) -> PricedStep:
    flat_amount = _ZERO if tier is None else tier.flat_amount
    # In whole numbers: each fraction on the way would be reduced by itself.
    units, of_units = quantity.as_integer_ratio()
    each, of_each = unit_amount.as_integer_ratio()
    flat, of_flat = flat_amount.as_integer_ratio()
    amount = Fraction(
        units * each * of_flat + flat * of_units * of_each, of_units * of_each * of_flat
    )
    return PricedStep(tier, quantity, unit_amount, flat_amount, amount)


def _require_presence(name: str, is_given: bool, *, needed: bool) -> None:
    if needed and not is_given:
        raise InvalidTerms(f"{name}_required")
    if is_given and not needed:
        raise InvalidTerms(f"{name}_not_allowed")


def _require_ascending(tiers: tuple[Tier, ...]) -> None:
    *limits, last = (tier.up_to for tier in tiers)
    if last is not None:
        raise InvalidTerms("last_tier_not_infinite")
    for lower, upper in pairwise([_ZERO, *limits]):
        if lower is None or upper is None or upper <= lower:
            raise InvalidTerms("tiers_not_ascending")


def _require_percentage(percent: Decimal) -> None:
    """A share keeps two decimals more than its percentage, and has to fit where prices do."""
    if percent > _WHOLE:
        raise InvalidTerms("percentage_too_large")
    if not _is_plain(percent, _PERCENT_DECIMALS):
        raise InvalidTerms("percentage_too_precise")


def _require_plain_amount(amount: Decimal) -> None:
    if not amount.is_finite():
        raise InvalidTerms("amount_not_finite")
    if amount < 0:
        raise InvalidTerms("amount_negative")
    if not _is_plain(amount, _PRICE_DECIMALS):
        raise InvalidTerms("amount_out_of_range")


def _require_plain_quantity(quantity: Decimal) -> None:
    if not quantity.is_finite():
        raise InvalidQuantity("quantity_not_finite")
    if quantity < 0:
        raise InvalidQuantity("quantity_negative")
    if not _is_plain(quantity, _QUANTITY_DECIMALS):
        raise InvalidQuantity("quantity_out_of_range")


def _is_plain(number: Decimal, decimals: int) -> bool:
    """Return whether a finite number fits the digits of a column; never expands its exponent."""
    if number.is_zero():
        return True
    _, digits, exponent = number.as_tuple()
    beyond = -decimals - int(exponent)
    return number.adjusted() < _INTEGER_DIGITS and not any(digits[-beyond:] if beyond > 0 else ())
