"""VAT rates and the dates they are valid."""

from datetime import date
from decimal import Decimal
from itertools import pairwise

import pytest

from billing_rules.tax import EU_COUNTRIES, Category
from billing_rules.tax_rates import TaxClass, class_of_percent, rate_on, rates_of

COUNTRIES = sorted(EU_COUNTRIES | {"CH", "GB", "IS", "LI", "NO"})


def percent_on(country, tax_class, day):
    rate = rate_on(rates_of(country), tax_class, date.fromisoformat(day))
    return None if rate is None else str(rate.percent)


@pytest.mark.parametrize(
    ("country", "tax_class", "day", "percent"),
    [
        ("DE", "standard", "2006-12-31", None),
        ("DE", "standard", "2007-01-01", "19"),
        ("DE", "standard", "2020-06-30", "19"),
        ("DE", "standard", "2020-07-01", "16"),
        ("DE", "standard", "2020-12-31", "16"),
        ("DE", "standard", "2021-01-01", "19"),
        ("DE", "reduced", "2020-07-01", "5"),
        ("DE", "reduced", "2026-01-01", "7"),
        ("AT", "standard", "2026-01-01", "20"),
        ("CH", "standard", "2023-12-31", "7.7"),
        ("CH", "standard", "2024-01-01", "8.1"),
        ("CH", "reduced", "2024-01-01", "2.6"),
        ("CH", "reduced_2", "2024-01-01", "3.8"),
        ("EE", "standard", "2025-06-30", "22"),
        ("EE", "standard", "2025-07-01", "24"),
        ("FI", "standard", "2024-08-31", "24"),
        ("FI", "standard", "2024-09-01", "25.5"),
        ("RO", "standard", "2025-07-31", "19"),
        ("RO", "standard", "2025-08-01", "21"),
        ("SK", "standard", "2024-12-31", "20"),
        ("SK", "standard", "2025-01-01", "23"),
        ("CZ", "reduced_2", "2023-12-31", "15"),
        ("CZ", "reduced_2", "2024-01-01", None),
        ("DE", "super_reduced", "2026-01-01", None),
        ("DE", "zero", "2026-01-01", "0"),
        ("US", "zero", "2026-01-01", "0"),
        ("US", "standard", "2026-01-01", None),
    ],
)
def test_the_rate_of_a_class_depends_on_the_day(country, tax_class, day, percent):
    assert percent_on(country, tax_class, day) == percent


@pytest.mark.parametrize("country", COUNTRIES)
def test_a_country_has_one_open_standard_rate_and_zero(country):
    rates = rates_of(country)

    open_rates = [rate.tax_class for rate in rates if rate.valid_to is None]
    assert open_rates[0] == TaxClass.STANDARD
    assert open_rates[-1] == TaxClass.ZERO
    assert len(open_rates) == len(set(open_rates))


@pytest.mark.parametrize("country", COUNTRIES)
def test_the_rates_of_a_class_follow_each_other(country):
    for one, other in pairwise(rates_of(country)):
        assert one.country == country
        if one.tax_class == other.tax_class:
            assert one.valid_from < one.valid_to == other.valid_from
            assert one.percent != other.percent


@pytest.mark.parametrize("country", COUNTRIES)
def test_only_the_zero_class_has_another_category(country):
    for rate in rates_of(country):
        is_zero = rate.tax_class == TaxClass.ZERO
        assert rate.category == (Category.Z if is_zero else Category.S)
        assert (rate.percent == 0) == is_zero


@pytest.mark.parametrize(
    ("country", "percent", "day", "tax_class"),
    [
        ("DE", "19", "2026-01-01", "standard"),
        ("DE", "19.00", "2026-01-01", "standard"),
        ("DE", "19", "2020-08-01", None),
        ("DE", "16", "2020-08-01", "standard"),
        ("DE", "16", "2026-01-01", None),
        ("DE", "7", "2026-01-01", "reduced"),
        ("DE", "0", "2026-01-01", "zero"),
        ("LT", "12", "2026-01-01", "reduced_2"),
    ],
)
def test_a_percentage_names_a_class_on_that_day_only(country, percent, day, tax_class):
    found = class_of_percent(rates_of(country), Decimal(percent), date.fromisoformat(day))

    assert found == tax_class
