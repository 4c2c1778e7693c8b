"""Numbers, money and dates in the language of a document."""

from datetime import date
from decimal import Decimal

import pytest

from invoicing.documents.formats import Formats


@pytest.mark.parametrize(
    ("language", "currency", "minor", "text"),
    [
        ("de", "EUR", -123456750, "−1.234.567,50\xa0€"),
        ("en", "EUR", -123456750, "−€1,234,567.50"),
        ("de", "CHF", 123450, "1.234,50\xa0CHF"),
        ("en", "USD", 123450, "US$1,234.50"),
        ("en-US", "USD", 123450, "$1,234.50"),
        ("de-AT", "EUR", 123450, "€\xa01.234,50"),
        ("de", "JPY", 1234, "1.234\xa0¥"),
        ("en", "KWD", 1234567, "KWD1,234.567"),
        ("fr", "EUR", 100, "€1.00"),
    ],
)
def test_writes_money(language, currency, minor, text):
    assert Formats.of(language, currency).money(minor) == text


def test_writes_amounts_prices_and_quantities_without_needless_decimals():
    german, english = Formats.of("de", "EUR"), Formats.of("en", "EUR")

    assert german.amount(-2193525) == "−21.935,25"
    assert german.price(Decimal("2.25500000")) == "2,255"
    assert german.price(Decimal("9.00000000")) == "9,00"
    assert german.price_with_currency(Decimal("0.00012000")) == "0,00012\xa0€"
    assert english.price_with_currency(Decimal("1234.50000000")) == "€1,234.50"
    assert german.quantity(Decimal("1234.500000")) == "1.234,5"
    assert german.quantity(Decimal("3.000000")) == "3"
    assert Formats.of("de", "JPY").price(Decimal("500.00000000")) == "500"


@pytest.mark.parametrize(
    ("rate", "german", "english"),
    [("19.000", "19\xa0%", "19%"), ("7.700", "7,7\xa0%", "7.7%"), ("0.000", "0\xa0%", "0%")],
)
def test_writes_rates(rate, german, english):
    assert Formats.of("de", "EUR").percent(Decimal(rate)) == german
    assert Formats.of("en", "EUR").percent(Decimal(rate)) == english


@pytest.mark.parametrize(
    ("start", "end", "german", "english"),
    [
        ("2026-11-01", "2026-12-01", "01.–30.11.2026", "1–30\xa0Nov\xa02026"),
        (
            "2026-11-15",
            "2026-12-15",
            "15.11.\u202f–\u202f14.12.2026",
            "15\xa0Nov\u202f–\u202f14\xa0Dec\xa02026",
        ),
        ("2026-12-31", "2027-01-01", "31.12.2026", "31\xa0Dec\xa02026"),
    ],
)
def test_writes_a_period_up_to_its_last_day(start, end, german, english):
    period = date.fromisoformat(start), date.fromisoformat(end)

    assert Formats.of("de", "EUR").period(*period) == german
    assert Formats.of("en", "EUR").period(*period) == english


def test_writes_dates_that_cannot_be_misread():
    day = date(2026, 11, 3)

    assert Formats.of("de", "EUR").day(day) == "03.11.2026"
    assert Formats.of("en", "EUR").day(day) == "3\xa0Nov\xa02026"
    assert Formats.of("en-US", "EUR").day(day) == "Nov\xa03,\xa02026"
