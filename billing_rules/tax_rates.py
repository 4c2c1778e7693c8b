"""VAT rates with the dates they are valid from: the EU, CH, GB, IS, LI and NO.

A starting point for a seller's own rules, not tax advice. A class is a place in a country's list
of rates, so that a change of law changes the percentage and not the class of a price. Where a
country has two reduced rates, ``reduced`` is the lower one.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Final

from billing_rules.tax import Category


class TaxClass(StrEnum):
    """The class of rate a price belongs to."""

    STANDARD = "standard"
    REDUCED = "reduced"
    REDUCED_2 = "reduced_2"
    SUPER_REDUCED = "super_reduced"
    ZERO = "zero"


@dataclass(frozen=True, slots=True)
class Rate:
    """One rate of a country from ``valid_from`` until the day before ``valid_to`` (None: open)."""

    country: str
    tax_class: TaxClass
    category: Category
    percent: Decimal
    valid_from: date
    valid_to: date | None

    def is_valid_on(self, day: date) -> bool:
        """Return whether the rate applies to service whose last day is ``day``."""
        return self.valid_from <= day and (self.valid_to is None or day < self.valid_to)


_ZERO_HISTORY: Final = "1968-01-01 0"

# Per class: a date and the percentage valid from it, or "-" where the class ends.
_HISTORIES: Final[Mapping[str, Mapping[TaxClass, str]]] = {
    "AT": {
        TaxClass.STANDARD: "1984-01-01 20",
        TaxClass.REDUCED: "1984-01-01 10",
        TaxClass.REDUCED_2: "2016-01-01 13",
    },
    "BE": {
        TaxClass.STANDARD: "1996-01-01 21",
        TaxClass.REDUCED: "1996-01-01 6",
        TaxClass.REDUCED_2: "1996-01-01 12",
    },
    "BG": {TaxClass.STANDARD: "1999-01-01 20", TaxClass.REDUCED: "2011-04-01 9"},
    "CH": {
        TaxClass.STANDARD: "2011-01-01 8 2018-01-01 7.7 2024-01-01 8.1",
        TaxClass.REDUCED: "2011-01-01 2.5 2024-01-01 2.6",
        TaxClass.REDUCED_2: "2011-01-01 3.8 2018-01-01 3.7 2024-01-01 3.8",
    },
    "CY": {
        TaxClass.STANDARD: "2014-01-13 19",
        TaxClass.REDUCED: "2004-05-01 5",
        TaxClass.REDUCED_2: "2014-01-13 9",
        TaxClass.SUPER_REDUCED: "2023-07-21 3",
    },
    "CZ": {
        TaxClass.STANDARD: "2013-01-01 21",
        TaxClass.REDUCED: "2015-01-01 10 2024-01-01 12",
        TaxClass.REDUCED_2: "2013-01-01 15 2024-01-01 -",
    },
    "DE": {
        TaxClass.STANDARD: "2007-01-01 19 2020-07-01 16 2021-01-01 19",
        TaxClass.REDUCED: "1983-07-01 7 2020-07-01 5 2021-01-01 7",
    },
    "DK": {TaxClass.STANDARD: "1992-01-01 25"},
    "EE": {
        TaxClass.STANDARD: "2009-07-01 20 2024-01-01 22 2025-07-01 24",
        TaxClass.REDUCED: "2009-01-01 9",
        TaxClass.REDUCED_2: "2025-01-01 13",
    },
    "ES": {
        TaxClass.STANDARD: "2012-09-01 21",
        TaxClass.REDUCED: "2012-09-01 10",
        TaxClass.SUPER_REDUCED: "1995-01-01 4",
    },
    "FI": {
        TaxClass.STANDARD: "2013-01-01 24 2024-09-01 25.5",
        TaxClass.REDUCED: "2013-01-01 10",
        TaxClass.REDUCED_2: "2013-01-01 14 2026-01-01 13.5",
    },
    "FR": {
        TaxClass.STANDARD: "2014-01-01 20",
        TaxClass.REDUCED: "2014-01-01 5.5",
        TaxClass.REDUCED_2: "2014-01-01 10",
        TaxClass.SUPER_REDUCED: "1986-07-01 2.1",
    },
    "GB": {TaxClass.STANDARD: "2011-01-04 20", TaxClass.REDUCED: "1997-09-01 5"},
    "GR": {
        TaxClass.STANDARD: "2016-06-01 24",
        TaxClass.REDUCED: "2015-07-20 6",
        TaxClass.REDUCED_2: "2015-07-20 13",
    },
    "HR": {
        TaxClass.STANDARD: "2012-03-01 25",
        TaxClass.REDUCED: "2013-01-01 5",
        TaxClass.REDUCED_2: "2014-01-01 13",
    },
    "HU": {
        TaxClass.STANDARD: "2012-01-01 27",
        TaxClass.REDUCED: "2009-07-01 5",
        TaxClass.REDUCED_2: "2009-07-01 18",
    },
    "IE": {
        TaxClass.STANDARD: "2012-01-01 23 2020-09-01 21 2021-03-01 23",
        TaxClass.REDUCED: "2011-07-01 9",
        TaxClass.REDUCED_2: "2003-01-01 13.5",
        TaxClass.SUPER_REDUCED: "2005-01-01 4.8",
    },
    "IS": {TaxClass.STANDARD: "2015-01-01 24", TaxClass.REDUCED: "2015-01-01 11"},
    "IT": {
        TaxClass.STANDARD: "2013-10-01 22",
        TaxClass.REDUCED: "2016-01-01 5",
        TaxClass.REDUCED_2: "1995-02-24 10",
        TaxClass.SUPER_REDUCED: "1989-01-01 4",
    },
    "LI": {
        TaxClass.STANDARD: "2011-01-01 8 2018-01-01 7.7 2024-01-01 8.1",
        TaxClass.REDUCED: "2011-01-01 2.5 2024-01-01 2.6",
        TaxClass.REDUCED_2: "2011-01-01 3.8 2018-01-01 3.7 2024-01-01 3.8",
    },
    "LT": {
        TaxClass.STANDARD: "2009-09-01 21",
        TaxClass.REDUCED: "2009-01-01 5",
        TaxClass.REDUCED_2: "2009-01-01 9 2026-01-01 12",
    },
    "LU": {
        TaxClass.STANDARD: "2015-01-01 17 2023-01-01 16 2024-01-01 17",
        TaxClass.REDUCED: "2015-01-01 8 2023-01-01 7 2024-01-01 8",
        TaxClass.REDUCED_2: "2015-01-01 14 2023-01-01 13 2024-01-01 14",
        TaxClass.SUPER_REDUCED: "1992-01-01 3",
    },
    "LV": {
        TaxClass.STANDARD: "2012-07-01 21",
        TaxClass.REDUCED: "2018-01-01 5",
        TaxClass.REDUCED_2: "2011-01-01 12",
    },
    "MT": {
        TaxClass.STANDARD: "2004-01-01 18",
        TaxClass.REDUCED: "2004-01-01 5",
        TaxClass.REDUCED_2: "2011-01-01 7",
    },
    "NL": {
        TaxClass.STANDARD: "2012-10-01 21",
        TaxClass.REDUCED: "1986-10-01 6 2019-01-01 9",
    },
    "NO": {
        TaxClass.STANDARD: "2005-01-01 25",
        TaxClass.REDUCED: "2018-01-01 12",
        TaxClass.REDUCED_2: "2012-01-01 15",
    },
    "PL": {
        TaxClass.STANDARD: "2011-01-01 23",
        TaxClass.REDUCED: "2011-01-01 5",
        TaxClass.REDUCED_2: "2011-01-01 8",
    },
    "PT": {
        TaxClass.STANDARD: "2011-01-01 23",
        TaxClass.REDUCED: "2010-07-01 6",
        TaxClass.REDUCED_2: "2010-07-01 13",
    },
    "RO": {
        TaxClass.STANDARD: "2017-01-01 19 2025-08-01 21",
        TaxClass.REDUCED: "2017-01-01 5 2025-08-01 11",
        TaxClass.REDUCED_2: "2017-01-01 9 2025-08-01 -",
    },
    "SE": {
        TaxClass.STANDARD: "1990-07-01 25",
        TaxClass.REDUCED: "1996-01-01 6",
        TaxClass.REDUCED_2: "1996-01-01 12",
    },
    "SI": {
        TaxClass.STANDARD: "2013-07-01 22",
        TaxClass.REDUCED: "2020-01-01 5",
        TaxClass.REDUCED_2: "2013-07-01 9.5",
    },
    "SK": {
        TaxClass.STANDARD: "2011-01-01 20 2025-01-01 23",
        TaxClass.REDUCED: "2011-01-01 10 2025-01-01 5",
        TaxClass.REDUCED_2: "2025-01-01 19",
    },
}


def rates_of(country: str) -> tuple[Rate, ...]:
    """Return the known rates of a country, by class and date; of an unknown one, only zero.

    Args:
        country: ISO 3166-1 code of the seller.

    Source: the laws of the countries, as published by the European Commission.
    """
    histories = {**_HISTORIES.get(country, {}), TaxClass.ZERO: _ZERO_HISTORY}
    return tuple(
        rate
        for tax_class, history in histories.items()
        for rate in _rates_of_class(country, tax_class, history)
    )


def rate_on(rates: Sequence[Rate], tax_class: str, day: date) -> Rate | None:
    """Return the rate of a class that is valid on ``day``, the last day of service; else None.

    Source: docs/billing-rules.md, R14.
    """
    return next(
        (rate for rate in rates if rate.tax_class == tax_class and rate.is_valid_on(day)), None
    )


def class_of_percent(rates: Sequence[Rate], percent: Decimal, day: date) -> TaxClass | None:
    """Return the class that has ``percent`` on ``day``; the first one given, None if none has.

    For imports that name a percentage: what is stored is the class, so that the rate can follow
    the law.

    Source: docs/data-formats.md, prices.csv, tax_rate.
    """
    return next(
        (rate.tax_class for rate in rates if rate.percent == percent and rate.is_valid_on(day)),
        None,
    )


def _rates_of_class(country: str, tax_class: TaxClass, history: str) -> Iterator[Rate]:
    category = Category.Z if tax_class is TaxClass.ZERO else Category.S
    words = history.split()
    days = [date.fromisoformat(word) for word in words[::2]]
    for percent, valid_from, valid_to in zip(words[1::2], days, [*days[1:], None], strict=True):
        if percent != "-":
            yield Rate(country, tax_class, category, Decimal(percent), valid_from, valid_to)
