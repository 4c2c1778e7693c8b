"""The picture of a price: where its lines break, and the table beside it."""

import re
from decimal import Decimal as D

import pytest

from billing_rules.pricing import Model, PriceTerms, Tier
from web.charts.price_steps import examples_of, price_steps

GRADUATED = PriceTerms(
    Model.GRADUATED, None, (Tier(D(10), D("9.5"), D(0)), Tier(None, D(7), D(20)))
)
PERCENTAGE = PriceTerms(Model.PERCENTAGE, D("2.9"))


def lines(terms: PriceTerms, currency: str = "EUR") -> list[list[tuple[float, float]]]:
    """Return the corners of each line drawn."""
    drawn = str(price_steps(terms, currency, "Seats"))
    paths = re.findall(r'class="line \w+" d="M([^"]+)"', drawn)
    return [[tuple(map(float, corner.split())) for corner in path.split("L")] for path in paths]


def test_the_price_of_a_unit_falls_where_a_tier_begins():
    unit, _total = lines(GRADUATED)

    (x0, high), (x1, still_high), (x2, low), (_x3, still_low) = unit
    assert (x0, high, x1) == (96.0, 36.0, x2)
    assert (high, low) == (still_high, still_low)
    assert low - high == pytest.approx(132 * (1 - 7 / 9.5), abs=0.1)


def test_the_total_jumps_by_what_the_tier_itself_costs():
    _unit, total = lines(GRADUATED)

    # 95.00 for ten, and 20.00 more as soon as the second tier is reached; 185.00 for twenty.
    before, after, last = total[1], total[2], total[3]
    assert before[0] == after[0]
    assert before[1] - after[1] == pytest.approx(132 * 20 / 185, abs=0.1)
    assert last == (404.0, total[0][1] - 132)


def test_a_minimum_is_flat_up_to_where_the_quantity_costs_more():
    (_unit, total) = lines(PriceTerms(Model.PER_UNIT, D(10), minimum=D(40)))
    least, turn, after, last = total

    assert least[1] == turn[1] == after[1]
    assert turn[0] == after[0]
    # Four of what is drawn: what is left of the picture is proportional to the units.
    assert (turn[0] - least[0]) / (last[0] - least[0]) == pytest.approx(
        (132 - (turn[1] - last[1])) / 132, abs=0.01
    )


@pytest.mark.parametrize(
    ("terms", "count"),
    [
        (PriceTerms(Model.FLAT, D(10)), 1),
        (PriceTerms(Model.PER_UNIT, D(10)), 2),
        (PriceTerms(Model.PACKAGE, D(10), package_size=D("2.5")), 1),
        (PriceTerms(Model.VOLUME, None, (Tier(None, D(1), D(0)),)), 2),
        (PriceTerms(Model.FLAT, D(0)), 1),
        (PriceTerms(Model.PERCENTAGE, D("2.9")), 1),
        (PriceTerms(Model.PER_UNIT, D("999999999999.99999999")), 2),
    ],
)
def test_draws_a_line_of_what_is_priced_by_unit_and_one_of_the_total(terms, count):
    assert len(lines(terms)) == count


def test_a_hundred_tiers_of_all_sizes_have_room():
    tiers = [Tier(D(2) ** place, D(100 - place), D(0)) for place in range(39)]
    terms = PriceTerms(Model.GRADUATED, None, (*tiers, Tier(None, D(1), D(0))))

    unit, total = lines(terms)

    assert len(unit) == len(total) == 80
    widths = [unit[place + 1][0] - unit[place][0] for place in range(0, 80, 2)]
    assert min(widths) == pytest.approx(max(widths), abs=0.2)
    assert len(examples_of(terms, "EUR")) <= 8


def test_the_table_says_what_changes_at_a_limit():
    rows = [(one.quantity, one.total, one.average) for one in examples_of(GRADUATED, "EUR")]

    assert rows == [
        ("1", "€9.50", "€9.50"),
        ("10", "€95.00", "€9.50"),
        ("11", "€122.00", "€11.0909"),
        ("20", "€185.00", "€9.25"),
    ]


def test_a_package_begun_costs_as_much_as_a_full_one():
    terms = PriceTerms(Model.PACKAGE, D(500), package_size=D(100))

    rows = [(one.quantity, one.total) for one in examples_of(terms, "JPY")]

    assert [quantity for quantity, _total in rows] == ["50", "100", "101", "200", "300"]
    assert [total.lstrip("JP") for _quantity, total in rows] == [
        "¥500", "¥500", "¥1,000", "¥1,000", "¥1,500",
    ]  # fmt: skip


def test_a_percentage_is_told_by_amounts():
    rows = [(one.quantity, one.total) for one in examples_of(PERCENTAGE, "EUR")]

    assert rows == [("1", "€0.03"), ("100", "€2.90"), ("1,000", "€29.00"), ("10,000", "€290.00")]


def test_a_name_cannot_write_into_the_picture():
    drawn = str(price_steps(GRADUATED, "EUR", '"><script>'))

    assert "<script>" not in drawn
