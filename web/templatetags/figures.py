"""Money, numbers, dates and periods in templates, as the reader's language writes them."""

from datetime import date, datetime
from decimal import Decimal
from typing import Final

from django import template
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import pgettext

from tenancy.formats import reader

register = template.Library()

SYSTEM: Final = "system"


@register.filter
def money(amount_minor: int, currency: str) -> str:
    """Write minor units as money: 1190, EUR is "€11.90" or "11,90 €"."""
    return reader().money(amount_minor, currency)


@register.filter
def unit_price(amount: Decimal | None, currency: str) -> str:
    """Write a price in major units with every decimal it has, at least the currency's own."""
    return "" if amount is None else reader().price(amount, currency)


@register.filter
def quantity(number: Decimal | int) -> str:
    """Write a quantity without needless zeros: 2.500000 is "2.5" or "2,5"."""
    return reader().quantity(number)


@register.filter
def percent(rate: Decimal | int) -> str:
    """Write a rate given in percent: 19.000 is "19%" or "19 %"."""
    return reader().percent(rate)


@register.filter
def day(value: date | None) -> SafeString | str:
    """Write a date for people and for machines: a ``<time>`` element, nothing for None."""
    if value is None:
        return ""
    return format_html('<time datetime="{}">{}</time>', value.isoformat(), reader().day(value))


@register.filter
def instant(moment: datetime) -> SafeString:
    """Write an instant in the active time zone: "15 Nov 2026, 06:12"."""
    local = timezone.localtime(moment)
    return format_html(
        '<time datetime="{}">{}</time>',
        local.isoformat("T", "minutes"),
        reader().instant(local),
    )


@register.filter
def period(start: date, end: date) -> str:
    """Write a half-open period for templates: ``{{ start|period:end }}``."""
    return reader().period(start, end)


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


@register.filter
def doer(label: str) -> str:
    """Return who did something; what no person did has a word of its own."""
    return pgettext("who did it", "The system") if label == SYSTEM else label
