"""The codes of countries."""

import pytest

from billing_rules.countries import COUNTRIES, is_country
from billing_rules.tax import decide


def test_knows_the_249_of_iso_3166_and_kosovo():
    assert len(COUNTRIES) == 250


@pytest.mark.parametrize("code", ["DE", "AX", "XK", "ZW"])
def test_takes_the_code_of_a_country(code):
    assert is_country(code)


@pytest.mark.parametrize("code", ["", "de", "XX", "1A", "UK", "EL", "XI", "EU"])
def test_refuses_what_is_no_country(code):
    assert not is_country(code)


def test_kosovo_lies_outside_the_tax_area_of_the_eu():
    decision = decide("DE", "XK", False)

    assert (decision.reason, decision.warning) == (decide("DE", "CH", False).reason, None)
