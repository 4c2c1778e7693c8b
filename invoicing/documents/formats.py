"""Numbers, money and dates as text, in the language of one document."""

from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from babel import Locale, UnknownLocaleError
from babel.dates import format_date, format_interval
from babel.numbers import format_currency, format_decimal, format_percent

from billing_rules.money import exponent, to_major

LANGUAGES = ("en", "de")
_TERRITORIES = {"de": "DE", "en": "GB"}
_MINUS = "\u2212"
_NO_BREAK = str.maketrans({" ": "\u00a0", "\u2009": "\u202f"})


def language_of(code: str) -> str:
    """Return the language a document is written in: one that has words, else English."""
    language = code.replace("_", "-").split("-")[0].lower()
    return language if language in LANGUAGES else LANGUAGES[0]


def locale_of(code: str) -> Locale:
    """Return the locale that formats a document; a bare language means its European form."""
    language, territory = language_of(code), code.replace("_", "-").partition("-")[2]
    try:
        return Locale(language, territory.upper() or _TERRITORIES[language])
    except UnknownLocaleError:
        return Locale(language, _TERRITORIES[language])


@dataclass(frozen=True, slots=True)
class Formats:
    """Formats values for one document: its locale and its currency."""

    locale: Locale
    currency: str

    @classmethod
    def of(cls, language: str, currency: str) -> "Formats":
        """Return the formats of a document in ``language`` and ``currency``."""
        return cls(locale_of(language), currency)

    def money(self, amount_minor: int) -> str:
        """Return minor units with the currency: ``1.234,50 €``."""
        major = to_major(amount_minor, self.currency)
        return _signed(format_currency(major, self.currency, locale=self.locale))

    def amount(self, amount_minor: int) -> str:
        """Return minor units without the currency, for columns that name it in their head."""
        major = to_major(amount_minor, self.currency)
        return _signed(self._decimal(major, exponent(self.currency), 0))

    def price(self, unit_amount: Decimal) -> str:
        """Return major units without the currency; prices may go below the smallest coin."""
        return _signed(self._decimal(unit_amount, exponent(self.currency), 8))

    def price_with_currency(self, unit_amount: Decimal) -> str:
        """Return major units with the currency: ``2,255 €``."""
        pattern = self.locale.currency_formats["standard"].pattern
        digits = f"0.{self._fraction(exponent(self.currency), 8)}".removesuffix(".")
        return _signed(
            format_currency(
                unit_amount,
                self.currency,
                format=pattern.replace("0.00", digits),
                locale=self.locale,
                currency_digits=False,
                decimal_quantization=False,
            )
        )

    def quantity(self, quantity: Decimal) -> str:
        """Return a quantity without needless decimals."""
        return _signed(self._decimal(quantity, 0, 6))

    def percent(self, rate: Decimal) -> str:
        """Return a rate that is stored in percent: ``19 %``."""
        share = (rate / 100).normalize()
        return format_percent(share, locale=self.locale, decimal_quantization=False)

    def day(self, day: date) -> str:
        """Return a date that cannot be misread: ``01.12.2026``, ``1 Dec 2026``."""
        return _unbroken(format_date(day, "medium", locale=self.locale))

    def period(self, start: date, end: date) -> str:
        """Return the first and the last day of a period whose ``end`` is not part of it."""
        last: date = end - timedelta(days=1)
        if last <= start:
            return self.day(start)
        skeleton = "yMd" if self.locale.language == "de" else "yMMMd"
        return _unbroken(str(format_interval(start, last, skeleton, locale=self.locale)))

    def country(self, code: str) -> str:
        """Return a country's name as the last line of an address: in capitals."""
        return str(self.locale.territories.get(code, code)).upper()

    def _decimal(self, value: Decimal, least: int, most: int) -> str:
        fraction = self._fraction(least, most)
        pattern = f"#,##0.{fraction}" if fraction else "#,##0"
        return format_decimal(value, pattern, locale=self.locale)

    @staticmethod
    def _fraction(least: int, most: int) -> str:
        return "0" * least + "#" * max(most - least, 0)


def _signed(text: str) -> str:
    """Return ``text`` with a minus as wide as a plus, which no line break follows."""
    return text.replace("-", _MINUS)


def _unbroken(text: str) -> str:
    """Return a date or a period that stays on one line."""
    return text.translate(_NO_BREAK)
