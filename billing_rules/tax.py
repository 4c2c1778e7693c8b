"""Which tax a document carries, and how it is spread over the document's sections."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction
from typing import Final, NamedTuple

from stdnum import get_cc_module
from stdnum.eu import vat
from stdnum.exceptions import ValidationError
from stdnum.util import clean

from billing_rules.allocation import largest_remainder_over
from billing_rules.money import half_up
from billing_rules.territories import vat_id_country

_EU: Final = "AT BE BG CY CZ DE DK EE ES FI FR GR HR HU IE IT LT LU LV MT NL PL PT RO SE SI SK"
EU_COUNTRIES: Final = frozenset(_EU.split())
_NATIONAL_CHECKS: Final = frozenset({"CH", "GB", "IS", "NO"})


class Category(StrEnum):
    """The VAT categories of EN 16931 (UNTDID 5305) that the product uses."""

    S = "S"
    Z = "Z"
    E = "E"
    AE = "AE"
    K = "K"
    G = "G"
    O = "O"  # noqa: E741 - the code of the standard


_CATEGORY_ORDER: Final = {category: place for place, category in enumerate(Category)}


class Regime(StrEnum):
    """The tax regime of a document; one document has one."""

    DOMESTIC = "domestic"
    REVERSE_CHARGE = "reverse_charge"
    EXPORT = "export"


@dataclass(frozen=True, slots=True)
class TaxDecision:
    """The regime of a document and why.

    ``category`` is None where each price keeps its own. ``reason`` and ``warning`` are stable
    codes; a warning does not stop the document.
    """

    regime: Regime
    category: Category | None
    reason: str
    warning: str | None = None


@dataclass(frozen=True, slots=True)
class TaxGroupKey:
    """What lines must share to be taxed together: category and rate in percent.

    Raises:
        ValueError: the rate is negative or not finite, or not 0 in a category other than S.

    Source: EN 16931, BG-23.
    """

    category: Category
    rate: Decimal

    def __post_init__(self) -> None:
        """Refuse a rate that the category can't have."""
        if not self.rate.is_finite() or self.rate < 0:
            raise ValueError(f"a tax rate is 0 or more, not {self.rate}")
        if self.rate and self.category != Category.S:
            raise ValueError(f"only category S has a rate, not {self.category}")


class TaxGroup(NamedTuple):
    """The lines of one category and rate: their sum and its tax, in minor units."""

    key: TaxGroupKey
    base_minor: int
    tax_minor: int


@dataclass(frozen=True, slots=True)
class TaxedDocument:
    """The tax of a document: its groups, and each section's share of every group.

    ``groups`` are ordered by category, then by falling rate; so are the shares of each section
    in ``section_groups``, which has one entry per section, in the order given.
    """

    groups: tuple[TaxGroup, ...]
    section_groups: tuple[tuple[TaxGroup, ...], ...]

    @property
    def tax_minor(self) -> int:
        """The tax of the document, in minor units."""
        return sum(group.tax_minor for group in self.groups)

    @property
    def section_tax_minor(self) -> tuple[int, ...]:
        """The tax of each section, in minor units; the sum is the tax of the document."""
        return tuple(sum(group.tax_minor for group in groups) for groups in self.section_groups)


def decide(
    seller_country: str,
    buyer_country: str,
    buyer_vat_id_valid: bool,
    *,
    small_business: bool = False,
) -> TaxDecision:
    """Return the tax regime between a seller and a buyer of services.

    Args:
        seller_country: where the seller is for VAT: the ``code`` of its ``tax_area``.
        buyer_country: the same of the bill-to (or the service owner, if so set).
        buyer_vat_id_valid: whether the buyer has an id that passes ``vat_id_valid``.
        small_business: whether the seller charges no domestic VAT (§ 19 UStG).

    Returns:
        Same country: domestic, at the price's own category. From one EU country to another:
        reverse charge with a valid VAT id, otherwise domestic with a warning. All else, also
        what a seller outside the EU sells abroad, and what goes to a territory without the EU's
        VAT: export. Domestic sales of a small business are exempt.

    Source: docs/billing-rules.md, R14, R32; Art. 44, 45 and 196 of Directive 2006/112/EC;
        § 19 UStG.
    """
    domestic_category = Category.E if small_business else None
    if buyer_country == seller_country:
        reason = "small_business" if small_business else "domestic"
        return TaxDecision(Regime.DOMESTIC, domestic_category, reason)
    if not {seller_country, buyer_country} <= EU_COUNTRIES:
        return TaxDecision(Regime.EXPORT, Category.O, "outside_scope")
    if buyer_vat_id_valid:
        return TaxDecision(Regime.REVERSE_CHARGE, Category.AE, "reverse_charge")
    return TaxDecision(
        Regime.DOMESTIC, domestic_category, "eu_without_vat_id", "vat_id_missing_or_invalid"
    )


def group_key(decision: TaxDecision, category: Category, rate: Decimal) -> TaxGroupKey:
    """Return the tax group of a line: the decision's category at 0 %, or else the price's own.

    Args:
        decision: the regime of the document.
        category: the price's category.
        rate: the price's rate in percent, valid on the last day of service.

    Raises:
        ValueError: the price's own category can't have that rate.

    Source: docs/billing-rules.md, R14.
    """
    if decision.category is None:
        return TaxGroupKey(category, rate)
    return TaxGroupKey(decision.category, Decimal(0))


def tax_document(sections: Sequence[Mapping[TaxGroupKey, int]]) -> TaxedDocument:
    """Compute the tax of a document per group, and share it out to the sections.

    A credit note that takes a document back negates the figures stored with it; computed anew,
    the left-over cents of a negative document may go to other sections.

    Args:
        sections: per section, in tree order, the net sum of each tax group, in minor units of
            one currency; of either sign.

    Returns:
        The tax of a group is its sum times its rate, rounded by ``half_up``. Each section's exact
        tax is floored; left-over cents go to the largest fractions, then to the earlier section.

    Source: EN 16931, BR-CO-17; docs/billing-rules.md, R15.
    """
    groups: list[TaxGroup] = []
    section_groups: list[list[TaxGroup]] = [[] for _ in sections]
    for key in sorted({key for section in sections for key in section}, key=group_order):
        members = [place for place, section in enumerate(sections) if key in section]
        bases = [sections[place][key] for place in members]
        total, shares = _taxes(bases, key.rate)
        groups.append(TaxGroup(key, sum(bases), total))
        for place, base, share in zip(members, bases, shares, strict=True):
            section_groups[place].append(TaxGroup(key, base, share))
    return TaxedDocument(tuple(groups), tuple(map(tuple, section_groups)))


def vat_id_valid(country: str, vat_id: str) -> bool:
    """Return whether ``vat_id`` is one of ``country`` and its check digits are right.

    EU ids carry the prefix of their country (Greece: EL or GR). Swiss, British, Icelandic and
    Norwegian ids are checked in their national form. An id of any other country can't be
    checked and is not valid. Nothing is looked up: the id may still be expired.

    Args:
        country: ISO 3166-1 code of the buyer.
        vat_id: as typed; spaces, dots and dashes don't matter.

    Source: docs/billing-rules.md, R14.
    """
    number = clean(vat_id, " -./,").upper()
    if not number.isascii():
        return False
    if country in EU_COUNTRIES:
        prefixes = ("EL", "GR") if country == "GR" else (country,)
        return number.startswith(prefixes) and vat.is_valid(number)
    if country in _NATIONAL_CHECKS:
        return _passes(country, number)
    return False


def vat_id_state(country: str, postal_code: str, vat_id: str) -> str:
    """Return ``valid`` or ``invalid`` by form and check digits, ``unknown`` where none is known.

    Args:
        country: ISO 3166-1 code of the address.
        postal_code: of the address; some parts of a country have the ids of another.
        vat_id: as typed.
    """
    of = vat_id_country(country, postal_code)
    if of not in EU_COUNTRIES | _NATIONAL_CHECKS:
        return "unknown"
    return "valid" if vat_id_valid(of, vat_id) else "invalid"


def _passes(country: str, number: str) -> bool:
    module = get_cc_module(country.lower(), "vat")
    try:
        return module is not None and bool(module.validate(number))
    except ValidationError:
        return False


def group_order(key: TaxGroupKey) -> tuple[int, Decimal]:
    """Sort tax groups: by category, then by falling rate."""
    return _CATEGORY_ORDER[key.category], -key.rate


def _taxes(bases: Sequence[int], rate: Decimal) -> tuple[int, tuple[int, ...]]:
    """Return the tax on the sum of ``bases`` and its shares, in minor units."""
    numerator, denominator = rate.as_integer_ratio()
    denominator *= 100
    total = half_up(Fraction(sum(bases) * numerator, denominator))
    return total, largest_remainder_over([base * numerator for base in bases], denominator, total)
