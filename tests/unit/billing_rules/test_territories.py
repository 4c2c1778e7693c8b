"""Where a party is for VAT: by country and postal code."""

import pytest

from billing_rules.tax import Category, decide
from billing_rules.territories import TERRITORIES, tax_area, vat_id_country


@pytest.mark.parametrize(
    ("country", "postal_code", "code", "territory"),
    [
        ("DE", "01067", "DE", ""),
        ("CH", "8000", "CH", ""),
        ("MC", "98000", "FR", "monaco"),
        ("MC", "", "FR", "monaco"),
        ("FR", "98000", "FR", "monaco"),
        ("FR", "75001", "FR", ""),
        ("FR", "", "FR", ""),
        ("IM", "IM1 1AA", "GB", "isle_of_man"),
        ("GB", "IM99 1PS", "GB", "isle_of_man"),
        ("GB", "BT1 5GS", "GB", "northern_ireland"),
        ("GB", "bt15gs", "GB", "northern_ireland"),
        ("GB", "B1 1TT", "GB", ""),
        ("ES", "35001", "outside:canary_islands", "canary_islands"),
        ("ES", "E-38001", "outside:canary_islands", "canary_islands"),
        ("ES", "28035", "ES", ""),
        ("ES", "51001", "outside:ceuta", "ceuta"),
        ("ES", "52001", "outside:melilla", "melilla"),
        ("DE", "78266", "outside:busingen", "busingen"),
        ("DE", "D-27498", "outside:heligoland", "heligoland"),
        ("DE", "27499", "DE", ""),
        ("IT", "23041", "outside:livigno", "livigno"),
        ("IT", "23030", "IT", ""),
        ("IT", "22061", "outside:campione_d_italia", "campione_d_italia"),
        ("FI", "22100", "outside:aland", "aland"),
        ("FI", "00100", "FI", ""),
        ("AX", "22100", "outside:aland", "aland"),
        ("GR", "630 86", "outside:mount_athos", "mount_athos"),
        ("GR", "63087", "outside:mount_athos", "mount_athos"),
        ("FR", "97110", "outside:french_overseas", "french_overseas"),
        ("FR", "97600", "outside:french_overseas", "french_overseas"),
        ("FR", "98800", "outside:french_overseas", "french_overseas"),
    ],
)
def test_postal_codes_tell_territories_from_their_countries(country, postal_code, code, territory):
    area = tax_area(country, postal_code)

    assert (area.code, area.territory) == (code, territory)


@pytest.mark.parametrize("country", ["GP", "MQ", "GF", "RE", "YT", "MF", "AX", "GI", "XK"])
def test_codes_of_their_own_lie_outside_too(country):
    assert decide("DE", tax_area(country, "").code, True).category is Category.O


def test_who_sells_in_its_own_territory_sells_at_home():
    home = tax_area("ES", "35001").code

    assert decide(home, home, False).reason == "domestic"
    assert decide(home, "ES", True).category is Category.O
    assert decide("ES", home, True).category is Category.O
    assert decide("FR", tax_area("MC", "98000").code, False).reason == "domestic"


def test_ids_have_the_form_of_the_country_whose_vat_applies():
    assert vat_id_country("MC", "98000") == "FR"
    assert vat_id_country("IM", "") == "GB"
    assert vat_id_country("DE", "27498") == "DE"
    assert vat_id_country("AT", "1010") == "AT"


def test_names_every_territory_for_the_reader():
    from web.invoices.explaining import _TERRITORIES

    assert {*_TERRITORIES} == TERRITORIES
