"""Money, numbers, dates and periods in the reader's language: the one place that writes them.

Babel knows the conventions; the number of decimals comes from ISO 4217 as the rules have it, so
that a page never disagrees with the amount that was computed. Minus is U+2212, and the no-break
spaces between number and currency stay.
"""

from collections.abc import Mapping
from copy import copy
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import cache
from typing import Final

from babel import Locale
from babel.dates import format_interval, format_time
from babel.numbers import NumberPattern, format_decimal
from django import template
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import get_language, pgettext

from billing_rules.money import exponent, to_major
from tenancy.dates import date_text

register = template.Library()

SYSTEM: Final = "system"
_MINUS: Final = "\N{MINUS SIGN}"
_LOCALES: Final[Mapping[str, str]] = {"en": "en_GB", "de": "de_DE"}
_PRICE_DECIMALS: Final = 8
_RATE_DECIMALS: Final = 3


def locale() -> Locale:
    """Return the conventions of the active language: English is written the British way."""
    language = (get_language() or "en").replace("-", "_")
    return _locale(_LOCALES.get(language, language))


@cache
def _locale(name: str) -> Locale:
    return Locale.parse(name)


@cache
def _currency_pattern(conventions: Locale, least: int, most: int) -> NumberPattern:
    pattern: NumberPattern = copy(conventions.currency_formats["standard"])
    pattern.frac_prec = (least, most)
    return pattern


@cache
def _percent_pattern(conventions: Locale) -> NumberPattern:
    pattern: NumberPattern = copy(conventions.percent_formats[None])
    pattern.frac_prec = (0, _RATE_DECIMALS)
    return pattern


def _in_currency(amount: Decimal, currency: str, most_decimals: int) -> str:
    pattern = _currency_pattern(locale(), exponent(currency), most_decimals)
    text = pattern.apply(amount, locale(), currency=currency, currency_digits=False)
    return str(text).replace("-", _MINUS)


@register.filter
def money(amount_minor: int, currency: str) -> str:
    """Write minor units as money: 1190, EUR is "€11.90" or "11,90 €"."""
    return _in_currency(to_major(amount_minor, currency), currency, exponent(currency))


@register.filter
def unit_price(amount: Decimal | None, currency: str) -> str:
    """Write a price in major units with every decimal it has, at least the currency's own."""
    if amount is None:
        return ""
    return _in_currency(amount, currency, max(_PRICE_DECIMALS, exponent(currency)))


@register.filter
def quantity(number: Decimal | int) -> str:
    """Write a quantity without needless zeros: 2.500000 is "2.5" or "2,5"."""
    return str(format_decimal(number, "#,##0.######", locale=locale())).replace("-", _MINUS)


@register.filter
def percent(rate: Decimal) -> str:
    """Write a rate given in percent: 19.000 is "19%" or "19 %"."""
    text = _percent_pattern(locale()).apply(Decimal(rate) / 100, locale())
    return str(text).replace("-", _MINUS)


@register.filter
def day(value: date | None) -> SafeString | str:
    """Write a date for people and for machines: a ``<time>`` element, nothing for None."""
    if value is None:
        return ""
    return format_html('<time datetime="{}">{}</time>', value.isoformat(), date_text(value))


@register.filter
def instant(moment: datetime) -> SafeString:
    """Write an instant in the active time zone: "15 Nov 2026, 06:12"."""
    local = timezone.localtime(moment)
    text = f"{date_text(local.date())}, {format_time(local, 'HH:mm', locale=locale())}"
    return format_html('<time datetime="{}">{}</time>', local.isoformat("T", "minutes"), text)


def period_text(start: date, end: date) -> str:
    """Write the days from ``start`` up to, not including, ``end``: "1–30 Nov 2026"."""
    last = end - timedelta(days=1)
    if last <= start:
        return date_text(start)
    return str(format_interval(start, last, "yMMMd", locale=locale()))


@register.filter
def period(start: date, end: date) -> str:
    """Write a half-open period for templates: ``{{ start|period:end }}``."""
    return period_text(start, end)


@register.filter
def unbroken(text: str) -> str:
    """Keep the words of each day of a period together: a line ends behind its dash."""
    return str(text).replace(" ", "\u00a0")


@register.filter
def breakable(value: object) -> object:
    """Let an e-mail address wrap behind its at sign rather than anywhere."""
    if not isinstance(value, str) or isinstance(value, SafeString) or value.count("@") != 1:
        return value
    return format_html("{}@<wbr>{}", *value.split("@"))


@register.filter
def starter(label: str) -> str:
    """Return who started something; what no person has started has a word of its own."""
    return pgettext("who started it", "Timetable") if label == SYSTEM else label
