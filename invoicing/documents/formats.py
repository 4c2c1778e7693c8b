"""Numbers, money and dates on one document: in its language and currency, each on one line."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from tenancy import formats

_NO_BREAK = str.maketrans({" ": "\u00a0", "\u2009": "\u202f"})


@dataclass(frozen=True, slots=True)
class Formats:
    """Writes the values of one document."""

    written: formats.Formats
    currency: str

    @classmethod
    def of(cls, language: str, currency: str) -> "Formats":
        """Return the formats of a document in ``language`` and ``currency``."""
        return cls(formats.Formats(formats.locale_of(language)), currency)

    def money(self, amount_minor: int) -> str:
        """Return minor units with the currency: ``1.234,50 €``."""
        return self.written.money(amount_minor, self.currency)

    def amount(self, amount_minor: int) -> str:
        """Return minor units without the currency, for columns that name it in their head."""
        return self.written.amount(amount_minor, self.currency)

    def price(self, unit_amount: Decimal) -> str:
        """Return major units without the currency; prices may go below the smallest coin."""
        return self.written.price_amount(unit_amount, self.currency)

    def price_with_currency(self, unit_amount: Decimal) -> str:
        """Return major units with the currency: ``2,255 €``."""
        return self.written.price(unit_amount, self.currency)

    def quantity(self, quantity: Decimal) -> str:
        """Return a quantity without needless decimals."""
        return self.written.quantity(quantity)

    def percent(self, rate: Decimal) -> str:
        """Return a rate that is stored in percent: ``19 %``."""
        return self.written.percent(rate)

    def day(self, day: date) -> str:
        """Return a date that cannot be misread: ``01.12.2026``, ``1 Dec 2026``."""
        return _unbroken(self.written.day(day))

    def period(self, start: date, end: date) -> str:
        """Return the first and the last day of a period whose ``end`` is not part of it."""
        return _unbroken(self.written.period(start, end, in_digits=True))

    def country(self, code: str) -> str:
        """Return a country's name as the last line of an address: in capitals."""
        return self.written.country(code).upper()


def _unbroken(text: str) -> str:
    """Return a date or a period that stays on one line."""
    return text.translate(_NO_BREAK)
