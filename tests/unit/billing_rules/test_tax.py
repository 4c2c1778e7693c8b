"""Tax regimes, VAT ids, and tax shared out to sections."""

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from billing_rules.money import half_up
from billing_rules.tax import (
    EU_COUNTRIES,
    Category,
    Regime,
    TaxDecision,
    TaxGroupKey,
    decide,
    group_key,
    tax_document,
    vat_id_state,
    vat_id_valid,
)

quick = settings(max_examples=50, deadline=None, database=None)

S19 = TaxGroupKey(Category.S, Decimal(19))
S7 = TaxGroupKey(Category.S, Decimal(7))
Z = TaxGroupKey(Category.Z, Decimal(0))
AE = TaxGroupKey(Category.AE, Decimal(0))


@pytest.mark.parametrize(
    ("seller", "buyer", "valid", "small", "decision"),
    [
        ("DE", "DE", False, False, (Regime.DOMESTIC, None, "domestic", None)),
        ("DE", "DE", True, False, (Regime.DOMESTIC, None, "domestic", None)),
        ("CH", "CH", False, False, (Regime.DOMESTIC, None, "domestic", None)),
        ("DE", "AT", True, False, (Regime.REVERSE_CHARGE, Category.AE, "reverse_charge", None)),
        (
            "DE",
            "AT",
            False,
            False,
            (Regime.DOMESTIC, None, "eu_without_vat_id", "vat_id_missing_or_invalid"),
        ),
        ("DE", "CH", True, False, (Regime.EXPORT, Category.O, "outside_scope", None)),
        ("DE", "GB", False, False, (Regime.EXPORT, Category.O, "outside_scope", None)),
        ("CH", "DE", True, False, (Regime.EXPORT, Category.O, "outside_scope", None)),
        ("DE", "DE", True, True, (Regime.DOMESTIC, Category.E, "small_business", None)),
        ("DE", "AT", True, True, (Regime.REVERSE_CHARGE, Category.AE, "reverse_charge", None)),
        (
            "DE",
            "AT",
            False,
            True,
            (Regime.DOMESTIC, Category.E, "eu_without_vat_id", "vat_id_missing_or_invalid"),
        ),
    ],
)
def test_the_countries_decide_the_regime(seller, buyer, valid, small, decision):
    assert decide(seller, buyer, valid, small_business=small) == TaxDecision(*decision)


def test_the_eu_has_27_countries():
    assert len(EU_COUNTRIES) == 27
    assert not EU_COUNTRIES & {"GB", "CH", "NO", "EL", "XI"}


def test_a_line_keeps_its_own_category_unless_the_regime_has_one():
    assert group_key(decide("DE", "DE", False), Category.S, Decimal(19)) == S19
    assert group_key(decide("DE", "DE", False), Category.Z, Decimal(0)) == Z
    assert group_key(decide("DE", "FR", True), Category.S, Decimal(19)) == AE


def test_groups_are_equal_by_value():
    assert TaxGroupKey(Category.S, Decimal("19.00")) == S19
    assert len({TaxGroupKey(Category.S, Decimal("19.0")), S19}) == 1


@pytest.mark.parametrize(
    ("category", "rate"), [("S", "-1"), ("S", "NaN"), ("S", "Infinity"), ("AE", "19"), ("E", "7")]
)
def test_refuses_a_rate_that_the_category_can_not_have(category, rate):
    with pytest.raises(ValueError, match="rate"):
        TaxGroupKey(Category(category), Decimal(rate))


def test_tax_is_computed_on_the_sum_and_shared_out_by_largest_remainder():
    # Alone, each third would carry 6.33; 19 % of 100.00 are 19.00.
    taxed = tax_document([{S19: 3334}, {S19: 3333}, {S19: 3333}])

    assert taxed.groups == ((S19, 10000, 1900),)
    assert taxed.section_tax_minor == (634, 633, 633)
    assert taxed.tax_minor == 1900


def test_left_over_cents_go_to_the_largest_fraction_first():
    # 0.19, 0.38 and 0.57 of a cent: 1.14 together.
    assert tax_document([{S19: 1}, {S19: 2}, {S19: 3}]).section_tax_minor == (0, 0, 1)


def test_equal_fractions_are_served_in_tree_order():
    assert tax_document([{S19: 2}] * 4).section_tax_minor == (1, 1, 0, 0)


def test_negative_sections_are_floored_too():
    # 0.57 and -0.38 of a cent are 0.19: floors 0 and -1, the cent goes to the fraction .62.
    assert tax_document([{S19: 3}, {S19: -2}]).section_tax_minor == (0, 0)
    # -0.19 four times is -0.76: floors of -1, three cents come back.
    assert tax_document([{S19: -1}] * 4).section_tax_minor == (0, 0, 0, -1)


def test_groups_are_ordered_by_category_then_by_falling_rate():
    taxed = tax_document([{AE: 1, Z: 50, S7: 100}, {}, {S19: 100, S7: 100}])

    assert taxed.groups == ((S19, 100, 19), (S7, 200, 14), (Z, 50, 0), (AE, 1, 0))
    assert taxed.section_groups == (
        ((S7, 100, 7), (Z, 50, 0), (AE, 1, 0)),
        (),
        ((S19, 100, 19), (S7, 100, 7)),
    )


def test_a_document_without_sections_has_no_tax():
    taxed = tax_document([])

    assert (taxed.groups, taxed.section_groups, taxed.tax_minor) == ((), (), 0)


keys = st.sampled_from([S19, S7, Z, TaxGroupKey(Category.S, Decimal("25.5"))])
sections = st.lists(
    st.dictionaries(keys, st.integers(-(10**9), 10**9), max_size=4), min_size=1, max_size=8
)


@quick
@given(sections)
def test_sections_add_up_to_every_group_and_are_less_than_a_cent_off(given_sections):
    taxed = tax_document(given_sections)

    assert {group.key for group in taxed.groups} == {k for s in given_sections for k in s}
    for group in taxed.groups:
        shares = [share for shares in taxed.section_groups for share in shares]
        shares = [share for share in shares if share.key == group.key]
        assert sum(share.base_minor for share in shares) == group.base_minor
        assert sum(share.tax_minor for share in shares) == group.tax_minor
        assert group.tax_minor == half_up(group.base_minor * Fraction(group.key.rate) / 100)
        for share in shares:
            exact = share.base_minor * Fraction(group.key.rate) / 100
            assert abs(share.tax_minor - exact) < 1
    assert sum(taxed.section_tax_minor) == taxed.tax_minor
    for bases, shares in zip(given_sections, taxed.section_groups, strict=True):
        assert {share.key: share.base_minor for share in shares} == bases


@pytest.mark.parametrize(
    ("country", "vat_id"),
    [
        ("DE", "DE136695976"),
        ("DE", "de 136.695-976"),
        ("AT", "ATU13585627"),
        ("FR", "FR40303265045"),
        ("NL", "NL004495445B01"),
        ("GR", "EL094259216"),
        ("GR", "GR094259216"),
        ("BE", "BE0697449992"),
        ("IT", "IT00743110157"),
        ("CH", "CHE-107.787.577 MWST"),
        ("GB", "GB980780684"),
        ("NO", "NO 995 525 828 MVA"),
        ("IS", "IS00621"),
    ],
)
def test_accepts_ids_with_right_check_digits(country, vat_id):
    assert vat_id_valid(country, vat_id)


@pytest.mark.parametrize(
    ("country", "vat_id"),
    [
        ("DE", ""),
        ("DE", "DE136695977"),
        ("DE", "136695976"),
        ("DE", "DE13669597²"),
        ("AT", "DE136695976"),
        ("DE", "EL094259216"),
        ("CH", "CHE-107.787.578 MWST"),
        ("US", "DE136695976"),
        ("EL", "EL094259216"),
        ("GB", "XI980780684X"),
    ],
)
def test_refuses_ids_of_other_countries_and_wrong_check_digits(country, vat_id):
    assert not vat_id_valid(country, vat_id)


@quick
@given(
    st.sampled_from([*sorted(EU_COUNTRIES), "CH", "GB", "IS", "NO", "US"]),
    st.text("0123456789AEUZ+*. -²ß\x00", max_size=15),
)
def test_answers_for_any_text(country, text):
    assert vat_id_valid(country, country + text) in {True, False}


@pytest.mark.parametrize(
    ("country", "postal_code", "vat_id", "state"),
    [
        ("DE", "", "DE136695976", "valid"),
        ("DE", "", "DE136695975", "invalid"),
        ("DE", "", "FR40303265045", "invalid"),
        ("MC", "98000", "FR40303265045", "valid"),
        ("US", "", "12-3456789", "unknown"),
        ("", "", "DE136695976", "unknown"),
    ],
)
def test_a_vat_id_is_valid_or_invalid_or_unknown(country, postal_code, vat_id, state):
    assert vat_id_state(country, postal_code, vat_id) == state
