"""Money, numbers, dates and periods as text: the one place that knows how a language writes them.

Pages, documents, messages and files ask it, so that they cannot disagree. Babel knows the
conventions of a language; how many digits an amount has is ISO 4217's to say, as the rules have
it. Minus is U+2212, as wide as a plus, and no line breaks behind it.
"""

from copy import copy
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import cache
from typing import Final

from babel import Locale, UnknownLocaleError
from babel.dates import (
    format_date,
    format_interval,
    format_skeleton,
    format_time,
    get_day_names,
    get_month_names,
)
from babel.numbers import NumberPattern, parse_pattern
from django.utils.translation import get_language

from billing_rules.money import exponent, to_major

LANGUAGES: Final = ("en", "de")
"""The languages that have words."""

_TERRITORIES: Final = {"de": "DE", "en": "GB"}
_MINUS: Final = "\N{MINUS SIGN}"
_PRICE_DECIMALS: Final = 8
_QUANTITY_DECIMALS: Final = 6
_RATE_DECIMALS: Final = 3
_PLAIN, _CURRENCY, _PERCENT = "plain", "currency", "percent"


def language_of(code: str) -> str:
    """Return the language in which ``code`` is written: one that has words, else English."""
    language = code.replace("_", "-").split("-")[0].lower()
    return language if language in LANGUAGES else LANGUAGES[0]


@cache
def locale_of(code: str) -> Locale:
    """Return the conventions for ``code``; a bare language means its European form."""
    language, territory = language_of(code), code.replace("_", "-").partition("-")[2]
    try:
        return Locale(language, territory.upper() or _TERRITORIES[language])
    except UnknownLocaleError:
        return Locale(language, _TERRITORIES[language])


@dataclass(frozen=True, slots=True)
class Formats:
    """Writes values by the conventions of one language."""

    locale: Locale

    def money(self, amount_minor: int, currency: str) -> str:
        """Write minor units with their currency: ``1.234,50 €``."""
        digits = exponent(currency)
        return self._money(to_major(amount_minor, currency), currency, digits)

    def amount(self, amount_minor: int, currency: str) -> str:
        """Write minor units without their currency, for columns whose head names it."""
        digits = exponent(currency)
        return self._number(_PLAIN, to_major(amount_minor, currency), digits, digits)

    def price(self, amount: Decimal, currency: str) -> str:
        """Write major units with every decimal they have: prices go below the smallest coin."""
        return self._money(amount, currency, max(_PRICE_DECIMALS, exponent(currency)))

    def price_amount(self, amount: Decimal, currency: str) -> str:
        """Write a price without its currency: ``2,255``."""
        least = exponent(currency)
        return self._number(_PLAIN, amount, least, max(_PRICE_DECIMALS, least))

    def quantity(self, number: Decimal | int) -> str:
        """Write a number without needless zeros: 2.500000 is ``2,5``."""
        return self._number(_PLAIN, Decimal(number), 0, _QUANTITY_DECIMALS)

    def percent(self, rate: Decimal | int) -> str:
        """Write a rate given in percent: 19.000 is ``19 %``."""
        return self._number(_PERCENT, Decimal(rate) / 100, 0, _RATE_DECIMALS)

    def day(self, day: date) -> str:
        """Write a date that cannot be misread: ``03.11.2026``, ``3 Nov 2026``."""
        return str(format_date(day, "medium", locale=self.locale))

    def long_day(self, day: date) -> str:
        """Write a date with its weekday: ``Tuesday, 1 December 2026``."""
        return str(format_date(day, "full", locale=self.locale))

    def month(self, day: date) -> str:
        """Write the month of a date with its year: ``December 2026``."""
        return str(format_skeleton("yMMMM", day, locale=self.locale))

    def weekdays(self) -> list[tuple[str, str]]:
        """Return the days of the week from Monday on, each short and whole."""
        short = get_day_names("abbreviated", locale=self.locale)
        whole = get_day_names("wide", locale=self.locale)
        return [(str(short[number]), str(whole[number])) for number in range(7)]

    def months(self) -> list[str]:
        """Return the months from January on, short."""
        names = get_month_names("abbreviated", locale=self.locale)
        return [str(names[number]) for number in range(1, 13)]

    def instant(self, local: datetime) -> str:
        """Write a moment that is told in the reader's time zone already."""
        return f"{self.day(local.date())}, {self.time(local)}"

    def time(self, local: datetime) -> str:
        """Write the time of day of a moment that is told in the reader's time zone already."""
        return str(format_time(local, "HH:mm", locale=self.locale))

    def period(self, start: date, end: date, *, in_digits: bool = False) -> str:
        """Write the days from ``start`` up to, not including, ``end``: ``1–30 Nov 2026``.

        Args:
            start: the first day.
            end: the day behind the last.
            in_digits: whether a language that has the choice writes months as numbers.
        """
        last = end - timedelta(days=1)
        if last <= start:
            return self.day(start)
        skeleton = "yMd" if in_digits and self.locale.language == "de" else "yMMMd"
        return str(format_interval(start, last, skeleton, locale=self.locale))

    def country(self, code: str) -> str:
        """Write the name of a country; what is no code of one stays as it is."""
        return str(self.locale.territories.get(code, code))

    def _money(self, amount: Decimal, currency: str, most_decimals: int) -> str:
        return self._number(_CURRENCY, amount, exponent(currency), most_decimals, currency)

    def _number(
        self, kind: str, value: Decimal, least: int, most: int, currency: str | None = None
    ) -> str:
        pattern = _pattern(self.locale, kind, least, most)
        text = pattern.apply(value, self.locale, currency=currency, currency_digits=False)
        return str(text).replace("-", _MINUS)


@dataclass(frozen=True, slots=True)
class SheetFormats:
    """Writes values so that the spreadsheets of a language take them for what they are (R30)."""

    has_decimal_comma: bool

    @property
    def separator(self) -> str:
        """What parts the cells of a line."""
        return ";" if self.has_decimal_comma else ","

    @property
    def day_pattern(self) -> str:
        """How a spreadsheet is told to show a day."""
        return "dd.mm.yyyy" if self.has_decimal_comma else "yyyy-mm-dd"

    @staticmethod
    def amount_pattern(currency: str) -> str:
        """Return how a spreadsheet is told to show amounts; its own language puts the marks."""
        digits = exponent(currency)
        return "#,##0." + "0" * digits if digits else "#,##0"

    def digits(self, plain: str) -> str:
        """Write a number that is plain digits with a point."""
        return plain.replace(".", ",") if self.has_decimal_comma else plain

    def cell(self, value: Decimal | date) -> str:
        """Write a number, a day, or a moment of no time zone."""
        if isinstance(value, Decimal):
            return self.digits(f"{value:f}")
        if isinstance(value, datetime):
            return f"{self.cell(value.date())} {value:%H:%M}"
        return f"{value:%d.%m.%Y}" if self.has_decimal_comma else value.isoformat()


@cache
def _pattern(locale: Locale, kind: str, least: int, most: int) -> NumberPattern:
    """Return the language's own pattern with as many decimals as are wanted."""
    pattern: NumberPattern
    if kind == _CURRENCY:
        pattern = copy(locale.currency_formats["standard"])
    elif kind == _PERCENT:
        pattern = copy(locale.percent_formats[None])
    else:
        pattern = parse_pattern("#,##0.0")
    pattern.frac_prec = (least, most)
    return pattern


def reader() -> Formats:
    """Return the conventions of whoever reads this: those of the active language."""
    return Formats(locale_of(get_language() or ""))


def sheets_of(language: str) -> SheetFormats:
    """Return how the spreadsheets of a language want values."""
    symbols = locale_of(language_of(language)).number_symbols["latn"]
    return SheetFormats(has_decimal_comma=symbols["decimal"] == ",")


def reader_sheets() -> SheetFormats:
    """Return how the spreadsheets of whoever reads this want values."""
    return sheets_of(get_language() or "")


def date_text(day: date) -> str:
    """Write a day inside a sentence of the active language: "3 Nov 2026" or "03.11.2026"."""
    return reader().day(day)


def period_text(start: date, end: date) -> str:
    """Write the days from ``start`` up to, not including, ``end``: "1–30 Nov 2026"."""
    return reader().period(start, end)
