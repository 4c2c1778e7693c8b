"""Territories where VAT does not follow the country's code: told by country and postal code."""

import re
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class TaxArea:
    """Where a party is for VAT on services.

    Attributes:
        code: what two parties are compared by: the code of the country whose VAT applies, or of
            a territory that has none of it.
        territory: the name of what makes the difference, empty where the country says it all.
    """

    code: str
    territory: str = ""


@dataclass(frozen=True, slots=True)
class _Rule:
    """A territory: the country that an address there names, the first of its postal code."""

    country: str
    postal_code: str
    area: TaxArea


def _outside(territory: str) -> TaxArea:
    return TaxArea(f"outside:{territory}", territory)


# The first rule that fits counts. Sources: Directive 2006/112/EC, Art. 6 (1) and (2) (territories
# outside), Art. 7 (Monaco, Isle of Man, the bases on Cyprus have no code of ISO 3166), and Art. 8
# of the Protocol on Northern Ireland, which is about goods alone: for services it is as the rest of
# the United Kingdom. § 1 (2) UStG for Helgoland and Büsingen. Postal codes are those of the post
# offices there.
_RULES: Final = (
    _Rule("MC", "", TaxArea("FR", "monaco")),
    # An address in Monaco that names France as its country.
    _Rule("FR", "980", TaxArea("FR", "monaco")),
    _Rule("IM", "", TaxArea("GB", "isle_of_man")),
    _Rule("GB", "IM", TaxArea("GB", "isle_of_man")),
    _Rule("GB", "BT", TaxArea("GB", "northern_ireland")),
    _Rule("ES", "35", _outside("canary_islands")),
    _Rule("ES", "38", _outside("canary_islands")),
    _Rule("ES", "51", _outside("ceuta")),
    _Rule("ES", "52", _outside("melilla")),
    _Rule("DE", "78266", _outside("busingen")),
    _Rule("DE", "27498", _outside("heligoland")),
    _Rule("IT", "23041", _outside("livigno")),
    _Rule("IT", "22061", _outside("campione_d_italia")),
    _Rule("FI", "22", _outside("aland")),
    _Rule("AX", "", _outside("aland")),
    _Rule("GR", "63086", _outside("mount_athos")),
    _Rule("GR", "63087", _outside("mount_athos")),
    _Rule("FR", "971", _outside("french_overseas")),
    _Rule("FR", "972", _outside("french_overseas")),
    _Rule("FR", "973", _outside("french_overseas")),
    _Rule("FR", "974", _outside("french_overseas")),
    _Rule("FR", "975", _outside("french_overseas")),
    _Rule("FR", "976", _outside("french_overseas")),
    _Rule("FR", "977", _outside("french_overseas")),
    _Rule("FR", "978", _outside("french_overseas")),
    _Rule("FR", "984", _outside("french_overseas")),
    _Rule("FR", "986", _outside("french_overseas")),
    _Rule("FR", "987", _outside("french_overseas")),
    _Rule("FR", "988", _outside("french_overseas")),
)

_BY_COUNTRY: Final[dict[str, tuple[_Rule, ...]]] = {
    country: tuple(rule for rule in _RULES if rule.country == country)
    for country in {rule.country for rule in _RULES}
}

TERRITORIES: Final = frozenset(rule.area.territory for rule in _RULES)


def tax_area(country: str, postal_code: str) -> TaxArea:
    """Return where an address is for VAT on services.

    Args:
        country: ISO 3166-1 code.
        postal_code: as typed; spaces, dashes and a country's prefix (``D-27498``) don't matter.

    Returns:
        The country itself for most. Monaco counts as France, the Isle of Man and Northern Ireland
        as the United Kingdom. A territory outside the EU's VAT area has an area of its own, which
        is in no country and not in the EU.

    Source: docs/billing-rules.md, R32; Art. 5 to 8 of Directive 2006/112/EC.
    """
    rules = _BY_COUNTRY.get(country)
    if not rules:
        return TaxArea(country)
    code = re.sub(r"[\W_]", "", postal_code).upper()
    # A continental code is of digits; letters before it name the country once more.
    digits = code if country == "GB" else code.lstrip("ABCDEFGHIJKLMNOPQRSTUVWXYZ")
    for rule in rules:
        if digits.startswith(rule.postal_code) and _is_whole(country, digits, rule.postal_code):
            return rule.area
    return TaxArea(country)


def _is_whole(country: str, code: str, first: str) -> bool:
    """Return whether what was found is the area of a code and not the beginning of another one."""
    return country != "GB" or code[len(first) : len(first) + 1].isdigit()


def vat_id_country(country: str, postal_code: str) -> str:
    """Return the country whose form a VAT id has there: an id from Monaco is a French one."""
    area = tax_area(country, postal_code)
    return country if area.code.startswith("outside:") else area.code
