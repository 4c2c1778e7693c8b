"""How large numbers may be, in files, on pages and over the API alike."""

from decimal import Decimal
from typing import Final

QUANTITY_DIGITS: Final = 12
QUANTITY_DECIMALS: Final = 6
PRICE_DIGITS: Final = 12
PRICE_DECIMALS: Final = 8
MAX_TIERS: Final = 100
MAX_ITEMS: Final = 100
MAX_TRIAL_DAYS: Final = 3_650
MAX_TERM_MONTHS: Final = 240
MAX_NOTICE_MONTHS: Final = 36
MAX_NOTICE_DAYS: Final = 1_000


def fits(number: Decimal, digits: int, decimals: int) -> bool:
    """Return whether a number is finite and has no more digits than its column."""
    if not number.is_finite():
        return False
    _sign, figures, exponent = number.normalize().as_tuple()
    if not isinstance(exponent, int):  # pragma: no cover - finite numbers have one
        return False
    return -exponent <= decimals and len(figures) + exponent <= digits
