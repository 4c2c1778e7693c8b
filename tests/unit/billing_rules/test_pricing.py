"""Prices of quantities, and terms that can't be priced."""

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from billing_rules.pricing import (
    InvalidQuantity,
    InvalidTerms,
    Model,
    PriceTerms,
    Tier,
    price_of,
)

quick = settings(max_examples=50, deadline=None, database=None)


def tiers(text):
    return tuple(
        Tier(None if up_to == "inf" else Decimal(up_to), Decimal(unit), Decimal(flat))
        for up_to, unit, flat in (tier.split(":") for tier in text.split("|"))
    )


FLAT = PriceTerms(Model.FLAT, Decimal("19.90"))
PER_UNIT = PriceTerms(Model.PER_UNIT, Decimal("2.255"))
PACKAGE = PriceTerms(Model.PACKAGE, Decimal(12), package_size=Decimal(1000))
GRADUATED = PriceTerms(Model.GRADUATED, None, tiers("10:45:0|50:40:0|inf:35:0"))
GRADUATED_FLAT = PriceTerms(Model.GRADUATED, None, tiers("10:45:5|50:40:7|inf:35:9"))
PERCENTAGE = PriceTerms(Model.PERCENTAGE, Decimal("2.9"))
VOLUME = PriceTerms(Model.VOLUME, None, tiers("100:15:3|200:14:0|inf:12.5:25"))


@pytest.mark.parametrize(
    ("terms", "quantity", "amount"),
    [
        (FLAT, "0", "19.90"),
        (FLAT, "7", "19.90"),
        (PER_UNIT, "0", "0"),
        (PER_UNIT, "3", "6.765"),
        (PER_UNIT, "0.000001", "0.000002255"),
        (PACKAGE, "0", "0"),
        (PACKAGE, "0.5", "12"),
        (PACKAGE, "900", "12"),
        (PACKAGE, "1000", "12"),
        (PACKAGE, "1000.000001", "24"),
        (PACKAGE, "2500", "36"),
        (PERCENTAGE, "0", "0"),
        (PERCENTAGE, "1000.00", "29"),
        (PERCENTAGE, "0.000001", "0.000000029"),
        (PERCENTAGE, "999999999999.999999", "28999999999.999999971"),
        (PriceTerms(Model.PERCENTAGE, Decimal("0.000001")), "1", "0.00000001"),
        (PriceTerms(Model.PERCENTAGE, Decimal(100)), "12.34", "12.34"),
        (PriceTerms(Model.PERCENTAGE, Decimal(0)), "1000", "0"),
        (GRADUATED, "0", "0"),
        (GRADUATED, "5", "225"),
        (GRADUATED, "10", "450"),
        (GRADUATED, "10.5", "470"),
        (GRADUATED, "11", "490"),
        (GRADUATED, "51", "2085"),
        (GRADUATED, "120", "4500"),
        (GRADUATED_FLAT, "0", "0"),
        (GRADUATED_FLAT, "10", "455"),
        (GRADUATED_FLAT, "11", "502"),
        (GRADUATED_FLAT, "120", "4521"),
        (VOLUME, "0", "3"),
        (VOLUME, "100", "1503"),
        (VOLUME, "100.5", "1407"),
        (VOLUME, "101", "1414"),
        (VOLUME, "200", "2800"),
        (VOLUME, "240", "3025"),
    ],
)
def test_prices_a_quantity(terms, quantity, amount):
    assert price_of(terms, Decimal(quantity)).amount == Fraction(amount)


@pytest.mark.parametrize(
    ("quantity", "amount", "before"),
    [("0", "9.02", "0"), ("3", "9.02", "6.765"), ("4", "9.02", None), ("5", "11.275", None)],
)
def test_what_comes_to_less_than_the_minimum_costs_the_minimum(quantity, amount, before):
    terms = PriceTerms(Model.PER_UNIT, Decimal("2.255"), minimum=Decimal("9.02"))
    priced = price_of(terms, Decimal(quantity))

    assert priced.amount == Fraction(amount)
    assert priced.before == (None if before is None else Fraction(before))
    assert sum(step.amount for step in priced.steps) == Fraction(before or amount)


def test_explains_every_tier_that_was_reached():
    steps = price_of(GRADUATED_FLAT, Decimal(12)).steps

    assert [(step.tier, step.quantity, step.amount) for step in steps] == [
        (GRADUATED_FLAT.tiers[0], 10, 455),
        (GRADUATED_FLAT.tiers[1], 2, 87),
    ]


def test_explains_packages_by_their_number():
    (step,) = price_of(PACKAGE, Decimal(1001)).steps

    assert (step.tier, step.quantity, step.unit_amount) == (None, 2, 12)


def test_explains_a_percentage_by_the_amount_and_its_share():
    (step,) = price_of(PERCENTAGE, Decimal("1000.00")).steps

    assert (step.tier, step.quantity, step.unit_amount, step.amount) == (
        None, 1000, Decimal("0.029"), 29,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("percent", "code"),
    [
        ("100.000001", "percentage_too_large"),
        ("2.1234567", "percentage_too_precise"),
        ("-1", "amount_negative"),
        ("NaN", "amount_not_finite"),
        ("1e400", "amount_out_of_range"),
    ],
)
def test_refuses_a_percentage_that_cannot_be(percent, code):
    with pytest.raises(InvalidTerms) as refused:
        PriceTerms(Model.PERCENTAGE, Decimal(percent))

    assert refused.value.code == code


quantities = st.decimals(0, 10**9, places=6, allow_nan=False, allow_infinity=False)
all_terms = st.sampled_from(
    [FLAT, PER_UNIT, PACKAGE, PERCENTAGE, GRADUATED, GRADUATED_FLAT, VOLUME]
)


@quick
@given(all_terms, quantities)
def test_the_amount_is_the_sum_of_its_steps(terms, quantity):
    priced = price_of(terms, quantity)

    assert priced.amount == sum(step.amount for step in priced.steps)
    for step in priced.steps:
        units = Fraction(step.quantity) * Fraction(step.unit_amount)
        assert step.amount == units + Fraction(step.flat_amount)


@quick
@given(st.sampled_from([PER_UNIT, PACKAGE, GRADUATED, GRADUATED_FLAT]), quantities, quantities)
def test_more_never_costs_less_unless_by_volume(terms, one, other):
    less, more = sorted([one, other])

    assert price_of(terms, less).amount <= price_of(terms, more).amount


@quick
@given(quantities)
def test_graduated_prices_every_unit_once(quantity):
    assert sum(step.quantity for step in price_of(GRADUATED, quantity).steps) == quantity


@pytest.mark.parametrize(
    ("code", "terms"),
    [
        ("unit_amount_required", (Model.FLAT, None)),
        ("unit_amount_required", (Model.PACKAGE, None, (), Decimal(1))),
        ("unit_amount_not_allowed", (Model.VOLUME, Decimal(1), tiers("inf:1:0"))),
        ("tiers_required", (Model.GRADUATED, None)),
        ("tiers_not_allowed", (Model.PER_UNIT, Decimal(1), tiers("inf:1:0"))),
        ("package_size_required", (Model.PACKAGE, Decimal(1))),
        ("package_size_not_allowed", (Model.FLAT, Decimal(1), (), Decimal(1))),
        ("package_size_not_positive", (Model.PACKAGE, Decimal(1), (), Decimal(0))),
        ("tiers_not_ascending", (Model.VOLUME, None, tiers("10:1:0|10:1:0|inf:1:0"))),
        ("tiers_not_ascending", (Model.VOLUME, None, tiers("10:1:0|9:1:0|inf:1:0"))),
        ("tiers_not_ascending", (Model.VOLUME, None, tiers("0:1:0|inf:1:0"))),
        ("tiers_not_ascending", (Model.VOLUME, None, tiers("inf:1:0|inf:1:0"))),
        ("tiers_not_ascending", (Model.VOLUME, None, tiers("5:1:0|inf:1:0|9:1:0|inf:1:0"))),
        ("last_tier_not_infinite", (Model.VOLUME, None, tiers("10:1:0"))),
        ("amount_negative", (Model.FLAT, Decimal("-0.01"))),
        ("amount_negative", (Model.VOLUME, None, tiers("inf:1:-1"))),
        ("amount_negative", (Model.PACKAGE, Decimal(1), (), Decimal(-1))),
        ("amount_not_finite", (Model.FLAT, Decimal("NaN"))),
        ("amount_not_finite", (Model.VOLUME, None, tiers("Infinity:1:0|inf:1:0"))),
        ("amount_out_of_range", (Model.FLAT, Decimal("1e15"))),
        ("amount_out_of_range", (Model.FLAT, Decimal("1e400000000"))),
        ("amount_out_of_range", (Model.FLAT, Decimal("0.0000000000001"))),
        ("amount_out_of_range", (Model.FLAT, Decimal("1e-400000000"))),
    ],
)
def test_refuses_terms_that_contradict_themselves(code, terms):
    with pytest.raises(InvalidTerms) as refusal:
        PriceTerms(*terms)
    assert refusal.value.code == code
    assert str(refusal.value) == code.replace("_", " ")


@pytest.mark.parametrize("amount", ["0e-400000000", "999999999999999.999999999999", "1.50e3"])
def test_accepts_every_number_that_fits(amount):
    assert PriceTerms(Model.FLAT, Decimal(amount)).unit_amount == Decimal(amount)


@pytest.mark.parametrize(
    ("code", "quantity"),
    [
        ("quantity_negative", "-1"),
        ("quantity_not_finite", "NaN"),
        ("quantity_not_finite", "sNaN"),
        ("quantity_not_finite", "Infinity"),
        ("quantity_out_of_range", "0.0000001"),
        ("quantity_out_of_range", "1e15"),
        ("quantity_out_of_range", "1e400000000"),
    ],
)
def test_refuses_quantities_that_can_not_be_priced(code, quantity):
    with pytest.raises(InvalidQuantity) as refusal:
        price_of(FLAT, Decimal(quantity))
    assert refusal.value.code == code


def test_reads_the_value_of_a_quantity_not_its_trailing_zeros():
    assert price_of(PER_UNIT, Decimal("2.00000000")).amount == Fraction("4.51")
