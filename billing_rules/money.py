"""Currencies, their minor units, and the one rounding function of the product."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Final

# ISO 4217, active codes by number of minor digits. Left out: metals, test and unit-of-account
# codes, which have no minor unit. Withdrawn ones stay for documents issued before their day.
_CODES_BY_EXPONENT: Final = {
    0: """BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF""",
    2: """AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BGN BMD BND BOB BOV BRL BSD BTN BWP BYN
        BZD CAD CDF CHE CHF CHW CNY COP COU CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP
        GBP GEL GHS GIP GMD GTQ GYD HKD HNL HTG HUF IDR ILS INR IRR JMD KES KGS KHR KPW KYD KZT
        LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MXV MYR MZN NAD NGN
        NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE
        SOS SRD SSP STN SVC SYP SZL THB TJS TMT TOP TRY TTD TWD TZS UAH USD USN UYU UZS VED VES
        WST XAD XCD XCG YER ZAR ZMW ZWG""",
    3: """BHD IQD JOD KWD LYD OMR TND""",
    4: """CLF UYW""",
}
_EXPONENTS: Final = {
    code: digits for digits, codes in _CODES_BY_EXPONENT.items() for code in codes.split()
}

CURRENCIES: Final = frozenset(_EXPONENTS)


@dataclass(frozen=True, slots=True)
class Withdrawal:
    """The end of a currency: from ``day`` on its country pays in ``successor``.

    ``rate`` is how many units of the old one made one unit of the successor, for good.
    """

    day: date
    successor: str
    rate: Decimal


# The code lists of EN 16931 hold today's currencies without dates, so that an invoice or a
# credit note in a withdrawn one is no valid e-invoice: findings/withdrawn_currency_in_e_invoice.sh.
# Source: Council Regulation (EC) No 2866/98 as amended on 8 July 2025.
WITHDRAWALS: Final = {"BGN": Withdrawal(date(2026, 1, 1), "EUR", Decimal("1.95583"))}


def withdrawal(currency: str, day: date) -> Withdrawal | None:
    """Return how ``currency`` ended, if nobody can owe it any more on ``day``; else None."""
    ended = WITHDRAWALS.get(currency)
    return ended if ended is not None and ended.day <= day else None


def is_currency(code: str) -> bool:
    """Return whether ``code`` is an active ISO 4217 code, in capitals, with a minor unit."""
    return code in _EXPONENTS


def exponent(currency: str) -> int:
    """Return the number of minor digits of ``currency``: JPY 0, EUR 2, KWD 3.

    Raises:
        ValueError: the code is not an active one of ISO 4217.

    Source: ISO 4217, list one.
    """
    try:
        return _EXPONENTS[currency]
    except KeyError:
        raise ValueError(f"{currency!r} is not an ISO 4217 currency") from None


def half_up(value: Fraction) -> int:
    """Round ``value`` to the nearest integer, halves away from zero.

    With ``ratio_half_up`` the only rounding of the product. A credit is the mirror of its charge:
    ``half_up(-x) == -half_up(x)``.

    Source: docs/billing-rules.md, R3.
    """
    return ratio_half_up(value.numerator, value.denominator)


def ratio_half_up(numerator: int, denominator: int) -> int:
    """Round a quotient as ``half_up`` does; the denominator is greater than zero.

    Source: docs/billing-rules.md, R3.
    """
    size = (2 * abs(numerator) + denominator) // (2 * denominator)
    return -size if numerator < 0 else size


def to_minor(amount: Fraction | Decimal, currency: str) -> int:
    """Return ``amount``, in major units, as minor units of ``currency``, rounded by ``half_up``.

    Raises:
        ValueError: the currency is unknown, or the amount is not a number.
        OverflowError: the amount is infinite.

    Source: docs/billing-rules.md, R3.
    """
    return half_up(Fraction(amount) * 10 ** exponent(currency))


def to_major(amount_minor: int, currency: str) -> Decimal:
    """Return ``amount_minor`` in major units: exact, with the currency's number of decimals.

    Raises:
        ValueError: the currency is unknown.
    """
    sign, digits, _ = Decimal(amount_minor).as_tuple()
    return Decimal((sign, digits, -exponent(currency)))


def plain_digits(number: Decimal) -> str:
    """Return a decimal as short text without exponent: ``9.00000000`` as ``9``."""
    return f"{number.normalize():f}"
