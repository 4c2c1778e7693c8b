"""What can be sold so: the members of products and prices, and how they fit together."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from billing_rules.money import is_currency, plain_digits, withdrawal
from billing_rules.periods import Unit
from billing_rules.pricing import InvalidTerms, Model, PriceTerms, Tier
from billing_rules.tax import Category
from billing_rules.tax_rates import TaxClass
from subscriptions.models import Price
from subscriptions.models.limits import (
    MAX_TIERS,
    PRICE_DECIMALS,
    PRICE_DIGITS,
    QUANTITY_DECIMALS,
    QUANTITY_DIGITS,
    fits,
)
from tenancy.errors import FieldError, Invalid
from tenancy.formats import date_text

_LONGEST_NAME = 200
_LONGEST_UNIT = 20
_MOST_INTERVALS = 1_200
# Where the rules find fault with the terms as a whole, the member that is to blame.
_BLAMED = {"tiers": "tiers", "last": "tiers", "package": "package_size"}
_FAULTS: Final[Mapping[str, Promise]] = {
    "unit_amount_required": gettext_lazy("This model needs an amount."),
    "tiers_required": gettext_lazy("This model needs tiers."),
    "tiers_not_ascending": gettext_lazy("Each tier has to end above the one before it."),
    "last_tier_not_infinite": gettext_lazy("The last tier has no end."),
    "package_size_required": gettext_lazy("This model needs a package size."),
    "package_size_not_positive": gettext_lazy("A package holds more than 0."),
    "percentage_too_large": gettext_lazy("A percentage is 100 at most."),
    "percentage_too_precise": gettext_lazy("A percentage has at most 6 decimals."),
    "amount_negative": gettext_lazy("No amount or quantity may be below 0."),
}


METERED_IN_ARREARS: Final = gettext_lazy("What is metered is charged at the end of its period.")
MINIMUM_OF_FLAT: Final = gettext_lazy("A flat price costs the same in any quantity: no minimum.")
METERED_BY_QUANTITY: Final = gettext_lazy("A flat price does not depend on what was used.")


class InvalidProduct(Invalid):
    """A product that can't be sold so; ``errors`` names each member."""

    code = "invalid_product"
    message = gettext_lazy("This product is not valid.")


class InvalidPrice(Invalid):
    """A price that contradicts itself; ``errors`` names each member."""

    code = "invalid_price"
    message = gettext_lazy("This price is not valid.")


@dataclass(frozen=True, slots=True)
class NewPrice:
    """A price as somebody wants it.

    Amounts are in major units, for one full period; ``setup_fee`` is charged once beside, 0 is
    none; ``minimum_amount`` is what a full period costs at least, 0 for nothing.
    ``tax_category`` is ``S``, whose rate the ``tax_class`` names, or ``Z``. With a
    ``meter_id`` the quantity is what the meter measures.
    """

    name: str
    model: str
    currency: str
    interval: str
    unit_amount: Decimal | None = None
    tiers: Sequence[Tier] = ()
    package_size: Decimal | None = None
    setup_fee: Decimal | None = None
    minimum_amount: Decimal | None = None
    interval_count: int = 1
    timing: str = Price.Timing.ADVANCE
    unit: str = ""
    tax_category: str = Category.S
    tax_class: str = TaxClass.STANDARD
    external_id: str | None = None
    meter_id: UUID | None = None
    errors: list[FieldError] = field(default_factory=list)

    def refuse(self, member: str, code: str, detail: str) -> None:
        """Note what is wrong with one member."""
        self.errors.append(FieldError(code, detail, f"/{member}"))


def columns_of(wanted: NewPrice) -> dict[str, Any]:
    """Return a price as it is stored."""
    is_zero = wanted.tax_category == Category.Z
    return {
        "external_id": wanted.external_id or None,
        "name": wanted.name.strip(),
        "model": wanted.model,
        "currency": wanted.currency,
        "unit": wanted.unit.strip(),
        "unit_amount": wanted.unit_amount,
        "tiers": [
            {
                "up_to": None if tier.up_to is None else plain_digits(tier.up_to),
                "unit_amount": plain_digits(tier.unit_amount),
                "flat_amount": plain_digits(tier.flat_amount),
            }
            for tier in wanted.tiers
        ],
        "package_size": wanted.package_size,
        "setup_fee": wanted.setup_fee or None,
        "minimum_amount": wanted.minimum_amount or None,
        "interval": wanted.interval,
        "interval_count": wanted.interval_count,
        "timing": wanted.timing,
        "tax_class": TaxClass.ZERO if is_zero else wanted.tax_class,
        "tax_category": Category.Z if is_zero else Category.S,
        "meter_id": wanted.meter_id,
    }


def wanted_of(price: Price) -> NewPrice:
    """Return a stored price as somebody would want it."""
    terms = price.terms
    return NewPrice(
        name=price.name,
        model=price.model,
        currency=price.currency,
        interval=price.interval,
        unit_amount=terms.unit_amount,
        tiers=terms.tiers,
        package_size=terms.package_size,
        setup_fee=price.setup_fee,
        minimum_amount=price.minimum_amount,
        interval_count=price.interval_count,
        timing=price.timing,
        unit=price.unit,
        tax_category=price.tax_category,
        tax_class=price.tax_class,
        external_id=price.external_id,
        meter_id=price.meter_id,
    )


def require_product_name(name: str) -> str:
    """Return the name of a product without spaces around it.

    Raises:
        InvalidProduct: it is empty or too long.
    """
    stripped = name.strip()
    if not 0 < len(stripped) <= _LONGEST_NAME or not stripped.isprintable():
        wrong = FieldError("invalid", _("A name of 1 to 200 characters is expected."), "/name")
        raise InvalidProduct(errors=[wrong])
    return stripped


def require_possible(wanted: NewPrice, *, today: date | None) -> None:
    """Return if a price can be so.

    Args:
        wanted: the price.
        today: a currency that was withdrawn by then is refused; None lets it stay.

    Raises:
        InvalidPrice: all that is wrong with it is named.
    """
    _check(wanted, today)
    if wanted.errors:
        raise InvalidPrice(errors=wanted.errors)


def _check(wanted: NewPrice, today: date | None) -> None:
    """Note everything that is wrong with a price."""
    name = wanted.name.strip()
    if not 0 < len(name) <= _LONGEST_NAME or not name.isprintable():
        wanted.refuse("name", "invalid", _("A name of 1 to 200 characters is expected."))
    if len(wanted.unit.strip()) > _LONGEST_UNIT:
        wanted.refuse("unit", "too_long", _("At most 20 characters are possible."))
    _check_currency(wanted, today)
    choices: dict[str, Sequence[str]] = {
        "interval": [unit.value for unit in Unit],
        "timing": Price.Timing.values,
        "tax_category": [Category.S.value, Category.Z.value],
        "tax_class": [tax_class.value for tax_class in TaxClass],
        "model": [model.value for model in Model],
    }
    for member, possible in choices.items():
        if getattr(wanted, member) not in possible:
            wanted.refuse(
                member,
                "invalid_choice",
                _("One of these is expected: %(choices)s.") % {"choices": ", ".join(possible)},
            )
    if wanted.meter_id is not None:
        _check_metered(wanted)
    elif wanted.minimum_amount and wanted.model == Model.FLAT:
        wanted.refuse("minimum_amount", "minimum_of_flat", str(MINIMUM_OF_FLAT))
    if not 1 <= wanted.interval_count <= _MOST_INTERVALS:
        wanted.refuse("interval_count", "out_of_range", _("1 to 1200 is expected."))
    if _fits_the_columns(wanted) and wanted.model in choices["model"]:
        _check_terms(wanted)


def _check_metered(wanted: NewPrice) -> None:
    """Note what cannot be charged by what was used: that is known when the period is over."""
    if wanted.timing != Price.Timing.ARREARS:
        wanted.refuse("timing", "metered_in_arrears", str(METERED_IN_ARREARS))
    if wanted.model == Model.FLAT:
        wanted.refuse("model", "metered_by_quantity", str(METERED_BY_QUANTITY))


def _check_currency(wanted: NewPrice, today: date | None) -> None:
    if not is_currency(wanted.currency):
        wanted.refuse("currency", "invalid", _("A currency code such as EUR is expected."))
        return
    ended = None if today is None else withdrawal(wanted.currency, today)
    if ended is not None:
        wanted.refuse(
            "currency",
            "currency_withdrawn",
            _("%(currency)s was withdrawn on %(day)s. Use %(successor)s.")
            % {
                "currency": wanted.currency,
                "day": date_text(ended.day),
                "successor": ended.successor,
            },
        )


def _fits_the_columns(wanted: NewPrice) -> bool:
    """Note numbers that can't be stored as they are; they would be rounded without a word."""
    numbers = [
        ("unit_amount", wanted.unit_amount, PRICE_DIGITS, PRICE_DECIMALS),
        ("package_size", wanted.package_size, QUANTITY_DIGITS, QUANTITY_DECIMALS),
        ("setup_fee", wanted.setup_fee, PRICE_DIGITS, PRICE_DECIMALS),
        ("minimum_amount", wanted.minimum_amount, PRICE_DIGITS, PRICE_DECIMALS),
    ]
    for tier in wanted.tiers:
        numbers += [
            ("tiers", tier.up_to, QUANTITY_DIGITS, QUANTITY_DECIMALS),
            ("tiers", tier.unit_amount, PRICE_DIGITS, PRICE_DECIMALS),
            ("tiers", tier.flat_amount, PRICE_DIGITS, PRICE_DECIMALS),
        ]
    refused = False
    for member, number, digits, decimals in numbers:
        if number is not None and not fits(number, digits, decimals):
            refused = True
            wanted.refuse(
                member,
                "out_of_range",
                _("At most %(digits)d digits before and %(decimals)d after the point.")
                % {"digits": digits, "decimals": decimals},
            )
    for member, amount in (
        ("setup_fee", wanted.setup_fee),
        ("minimum_amount", wanted.minimum_amount),
    ):
        if not refused and amount is not None and amount < 0:
            wanted.refuse(member, "amount_negative", str(_FAULTS["amount_negative"]))
    if len(wanted.tiers) > MAX_TIERS:
        refused = True
        wanted.refuse("tiers", "too_many", _("At most 100 tiers are possible."))
    return not refused


def _check_terms(wanted: NewPrice) -> None:
    """Let the rules judge the terms as a whole."""
    try:
        PriceTerms(
            Model(wanted.model), wanted.unit_amount, tuple(wanted.tiers), wanted.package_size
        )
    except InvalidTerms as fault:
        wanted.refuse(
            _BLAMED.get(fault.code.partition("_")[0], "unit_amount"),
            fault.code,
            str(_FAULTS[fault.code])
            if fault.code in _FAULTS
            else _("These terms do not fit the model “%(model)s”.") % {"model": wanted.model},
        )
