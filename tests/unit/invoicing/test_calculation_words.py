"""The proration and the tiers, in words under a line."""

import pytest
from django.utils import translation

from invoicing.documents.calculation import calculation_text
from invoicing.documents.formats import Formats

UNITS = {"quantity": "8", "unit_amount": "9.00", "flat_amount": "0"}
TIER = {"quantity": "10", "unit_amount": "45", "flat_amount": "0"}
NEXT = {"quantity": "41", "unit_amount": "40", "flat_amount": "0"}
VOLUME = {"quantity": "240", "unit_amount": "12.5", "flat_amount": "25"}


def words(language, steps, days=30, full_days=30):
    calculation = {"steps": steps, "days": days, "full_days": full_days}
    with translation.override(language):
        text = calculation_text(calculation, Formats.of(language, "EUR"))
    return text.replace("\xa0", " ")


@pytest.mark.parametrize(
    ("steps", "days", "german", "english"),
    [
        ([UNITS], 30, "", ""),
        ([UNITS], 16, "anteilig: 8 × 9,00 € × 16/30 Tage", "prorated: 8 × €9.00 × 16/30 days"),
        ([TIER, NEXT], 30, "10 × 45,00 € + 41 × 40,00 €", "10 × €45.00 + 41 × €40.00"),
        (
            [TIER, NEXT],
            1,
            "anteilig: (10 × 45,00 € + 41 × 40,00 €) × 1/30 Tage",
            "prorated: (10 × €45.00 + 41 × €40.00) × 1/30 days",
        ),
        ([VOLUME], 30, "240 × 12,50 € + 25,00 €", "240 × €12.50 + €25.00"),
        ([], 16, "", ""),
    ],
)
def test_says_how_the_amount_came_about(steps, days, german, english):
    assert words("de", steps, days) == german
    assert words("en", steps, days) == english


@pytest.mark.parametrize(
    ("days", "german", "english"),
    [
        (30, "2,9 % von 1.000,00 €", "2.9% of €1,000.00"),
        (
            10,
            "anteilig: 2,9 % von 1.000,00 € × 10/30 Tage",
            "prorated: 2.9% of €1,000.00 × 10/30 days",
        ),
    ],
)
def test_says_of_what_a_percentage_is_taken(days, german, english):
    steps = [{"quantity": "1000", "unit_amount": "0.029", "flat_amount": "0"}]
    calculation = {
        "price": {"model": "percentage"}, "steps": steps, "days": days, "full_days": 30,
    }  # fmt: skip
    for language, expected in (("de", german), ("en", english)):
        with translation.override(language):
            text = calculation_text(calculation, Formats.of(language, "EUR"))
        assert text.replace("\xa0", " ") == expected


def test_says_nothing_of_a_calculation_it_does_not_know():
    assert calculation_text({}, Formats.of("de", "EUR")) == ""


def test_says_what_is_taken_back_of_what():
    calculation = {
        "steps": [{"quantity": "1", "unit_amount": "249.95", "flat_amount": "0"}],
        "days": 27,
        "full_days": 31,
        "credited": {"period": {"start": "2026-05-01", "end": "2026-06-01"}, "net_minor": 24995},
    }

    with translation.override("de"):
        text = calculation_text(calculation, Formats.of("de", "EUR"))

    assert text == "nicht genutzte Zeit zurückgenommen: 27 von 31 Tagen"


@pytest.mark.parametrize(
    ("off", "days", "german", "english"),
    [
        (
            {"percent": "12.5", "amount": None},
            30,
            "8 × 9,00 € abzüglich 12,5 % (Frühling)",
            "8 × €9.00 less 12.5% (Frühling)",
        ),
        (
            {"percent": None, "amount": "5"},
            16,
            "anteilig: (8 × 9,00 € abzüglich 5,00 € (Frühling)) × 16/30 Tage",
            "prorated: (8 × €9.00 less €5.00 (Frühling)) × 16/30 days",
        ),
    ],
)
def test_says_what_a_discount_takes_off(off, days, german, english):
    discount = {**off, "name": "Frühling", "before": "72", "after": "63"}
    calculation = {"steps": [UNITS], "days": days, "full_days": 30, "discount": discount}

    for language, expected in (("de", german), ("en", english)):
        with translation.override(language):
            text = calculation_text(calculation, Formats.of(language, "EUR"))
        assert text.replace("\xa0", " ") == expected
