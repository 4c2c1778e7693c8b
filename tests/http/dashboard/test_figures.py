"""Money, dates and numbers as people of a language write them."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from django.utils import timezone
from django.utils.translation import override

from web.templatetags import figures


@pytest.mark.parametrize(
    ("minor", "currency", "english", "german"),
    [
        (-123456750, "EUR", "−€1,234,567.50", "−1.234.567,50\xa0€"),
        (123450, "CHF", "CHF1,234.50", "1.234,50\xa0CHF"),
        (1234, "JPY", "JP¥1,234", "1.234\xa0¥"),
        (1234567, "KWD", "KWD1,234.567", "1.234,567\xa0KWD"),
        (0, "EUR", "€0.00", "0,00\xa0€"),
    ],
)
def test_writes_money(minor, currency, english, german):
    with override("en"):
        assert figures.money(minor, currency).replace("\xa0", "") == english
    with override("de"):
        assert figures.money(minor, currency) == german


def test_writes_prices_with_all_their_decimals():
    with override("de"):
        assert figures.unit_price(Decimal("2.25500000"), "EUR") == "2,255\xa0€"
        assert figures.unit_price(Decimal("9"), "EUR") == "9,00\xa0€"
        assert figures.unit_price(None, "EUR") == ""


@pytest.mark.parametrize(
    ("start", "end", "english", "german"),
    [
        ("2026-11-01", "2026-12-01", "1–30 Nov 2026", "1.–30. Nov. 2026"),
        ("2026-11-15", "2026-12-15", "15 Nov – 14 Dec 2026", "15. Nov. – 14. Dez. 2026"),
        ("2026-11-03", "2026-11-04", "3 Nov 2026", "03.11.2026"),
    ],
)
def test_writes_the_last_day_of_a_period(start, end, english, german):
    days = date.fromisoformat(start), date.fromisoformat(end)
    with override("en"):
        assert figures.period(*days).replace("\u2009", " ") == english
    with override("de"):
        assert figures.period(*days).replace("\u2009", " ") == german


def test_writes_numbers_and_rates():
    with override("de"):
        assert figures.quantity(Decimal("1204.500000")) == "1.204,5"
        assert figures.percent(Decimal("7.700")) == "7,7\xa0%"
    with override("en"):
        assert figures.quantity(3) == "3"
        assert figures.percent(Decimal("19.000")) == "19%"


def test_writes_times_in_the_active_zone():
    with override("de"), timezone.override("Europe/Berlin"):
        text = figures.instant(datetime(2026, 11, 15, 5, 12, tzinfo=UTC))

    assert text == '<time datetime="2026-11-15T06:12+01:00">15.11.2026, 06:12</time>'


def test_writes_dates_for_machines_as_well():
    with override("en"):
        assert figures.day(date(2026, 11, 3)) == '<time datetime="2026-11-03">3 Nov 2026</time>'
        assert figures.day(None) == ""


def test_parts_addresses_and_periods_only_where_they_may_be():
    assert figures.breakable("a<b@firm.example") == "a&lt;b@<wbr>firm.example"
    assert figures.breakable("a@b@c") == "a@b@c"
    assert figures.unbroken("15 Nov\u2009–\u200914 Dec") == "15\xa0Nov\u2009–\u200914\xa0Dec"
