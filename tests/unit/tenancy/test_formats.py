"""Money, numbers, dates and periods in the conventions of a language."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from django.utils.translation import override
from hypothesis import given
from hypothesis import strategies as st

from billing_rules.money import CURRENCIES, exponent
from tenancy.formats import (
    Formats,
    SheetFormats,
    date_text,
    language_of,
    locale_of,
    period_text,
    reader,
    reader_sheets,
    sheets_of,
)

ENGLISH, GERMAN = Formats(locale_of("en")), Formats(locale_of("de"))
MOST = 9_223_372_036_854_775_807
"""The greatest amount that a column holds."""


@pytest.mark.parametrize(
    ("minor", "currency", "english", "german"),
    [
        (0, "EUR", "€0.00", "0,00\xa0€"),
        (-1, "EUR", "−€0.01", "−0,01\xa0€"),
        (-123456750, "EUR", "−€1,234,567.50", "−1.234.567,50\xa0€"),
        (MOST, "EUR", "€92,233,720,368,547,758.07", "92.233.720.368.547.758,07\xa0€"),
        (1234, "JPY", "JP¥1,234", "1.234\xa0¥"),
        (-MOST, "JPY", "−JP¥9,223,372,036,854,775,807", "−9.223.372.036.854.775.807\xa0¥"),
        (-1234567, "KWD", "−KWD1,234.567", "−1.234,567\xa0KWD"),
        (123450, "CHF", "CHF1,234.50", "1.234,50\xa0CHF"),
        (12345, "CLF", "CLF1.2345", "1,2345\xa0CLF"),
    ],
)
def test_writes_money(minor, currency, english, german):
    assert ENGLISH.money(minor, currency) == english
    assert GERMAN.money(minor, currency) == german


def test_has_the_digits_of_the_rules_whatever_babel_knows_of_a_currency():
    assert ENGLISH.money(500, "MGA") == "MGA5.00"  # Babel would write none
    for currency in CURRENCIES:
        assert len(ENGLISH.amount(0, currency).partition(".")[2]) == exponent(currency)


@given(st.integers(-MOST, MOST), st.sampled_from(["JPY", "EUR", "KWD"]))
def test_loses_no_digit_of_an_amount(minor, currency):
    for formats in (ENGLISH, GERMAN):
        written = formats.amount(minor, currency)
        digits = "".join(sign for sign in written if sign.isdigit())

        assert int(digits) == abs(minor)
        assert written.startswith("−") == (minor < 0)


def test_writes_amounts_without_their_currency():
    assert GERMAN.amount(-2193525, "EUR") == "−21.935,25"
    assert ENGLISH.amount(1234, "JPY") == "1,234"
    assert GERMAN.amount(1234567, "KWD") == "1.234,567"


def test_writes_prices_with_all_their_decimals():
    assert GERMAN.price(Decimal("2.25500000"), "EUR") == "2,255\xa0€"
    assert ENGLISH.price(Decimal("-1234.5"), "EUR") == "−€1,234.50"
    assert GERMAN.price(Decimal("0.00012000"), "EUR") == "0,00012\xa0€"
    assert ENGLISH.price(Decimal("0.5"), "JPY") == "JP¥0.5"
    assert GERMAN.price_amount(Decimal("9"), "KWD") == "9,000"
    assert GERMAN.price_amount(Decimal("500"), "JPY") == "500"


def test_writes_quantities_and_rates_without_needless_decimals():
    assert GERMAN.quantity(Decimal("1204.500000")) == "1.204,5"
    assert ENGLISH.quantity(-3) == "−3"
    assert GERMAN.quantity(10**15) == "1.000.000.000.000.000"
    assert (ENGLISH.percent(Decimal("19.000")), GERMAN.percent(19)) == ("19%", "19\xa0%")
    assert (ENGLISH.percent(Decimal("-7.725")), GERMAN.percent(0)) == ("−7.725%", "0\xa0%")


def test_writes_days_and_times_that_cannot_be_misread():
    moment = datetime(2026, 11, 3, 6, 5, tzinfo=UTC)

    assert (ENGLISH.day(moment.date()), GERMAN.day(moment.date())) == ("3 Nov 2026", "03.11.2026")
    assert (ENGLISH.instant(moment), GERMAN.time(moment)) == ("3 Nov 2026, 06:05", "06:05")


@pytest.mark.parametrize(
    ("start", "end", "english", "german", "in_digits"),
    [
        ("2026-11-01", "2026-12-01", "1–30 Nov 2026", "1.–30. Nov. 2026", "01.–30.11.2026"),
        ("2026-12-31", "2027-01-01", "31 Dec 2026", "31.12.2026", "31.12.2026"),
        (
            "2026-12-15",
            "2027-01-15",
            "15 Dec 2026\u2009–\u200914 Jan 2027",
            "15. Dez. 2026\u2009–\u200914. Jan. 2027",
            "15.12.2026\u2009–\u200914.01.2027",
        ),
    ],
)
def test_writes_a_period_up_to_its_last_day(start, end, english, german, in_digits):
    days = date.fromisoformat(start), date.fromisoformat(end)

    assert ENGLISH.period(*days) == ENGLISH.period(*days, in_digits=True) == english
    assert GERMAN.period(*days) == german
    assert GERMAN.period(*days, in_digits=True) == in_digits


@pytest.mark.parametrize(
    ("code", "language", "territory"),
    [
        ("de", "de", "DE"),
        ("de_CH", "de", "CH"),
        ("EN-gb", "en", "GB"),
        ("de-ZZ", "de", "DE"),
        ("fr", "en", "GB"),
        ("", "en", "GB"),
    ],
)
def test_falls_back_to_english_and_to_europe(code, language, territory):
    assert language_of(code) == language
    assert (locale_of(code).language, locale_of(code).territory) == (language, territory)


def test_writes_for_the_reader():
    day = date(2026, 11, 3)
    with override("de"):
        assert (reader(), reader_sheets()) == (GERMAN, SheetFormats(has_decimal_comma=True))
        assert date_text(day) == "03.11.2026"
    with override("en"):
        assert (reader(), reader_sheets()) == (ENGLISH, SheetFormats(has_decimal_comma=False))
        assert period_text(day, date(2026, 12, 3)) == "3 Nov\u2009–\u20092 Dec 2026"
    with override(None):
        assert reader() == ENGLISH


def test_writes_what_spreadsheets_take_for_numbers_and_days():
    german, english = sheets_of("de-CH"), sheets_of("en")
    moment = datetime(2026, 11, 3, 6, 5, tzinfo=UTC)

    assert (german.separator, english.separator) == (";", ",")
    assert (german.day_pattern, english.day_pattern) == ("dd.mm.yyyy", "yyyy-mm-dd")
    assert (german.cell(moment), english.cell(moment)) == ("03.11.2026 06:05", "2026-11-03 06:05")
    assert (german.cell(moment.date()), english.cell(moment.date())) == ("03.11.2026", "2026-11-03")
    assert (german.cell(Decimal("-1E+3")), english.cell(Decimal("0.50"))) == ("-1000", "0.50")
    assert (german.cell(Decimal("1234.50")), german.digits("")) == ("1234,50", "")
    assert [english.amount_pattern(code) for code in ("JPY", "EUR", "KWD")] == [
        "#,##0",
        "#,##0.00",
        "#,##0.000",
    ]
