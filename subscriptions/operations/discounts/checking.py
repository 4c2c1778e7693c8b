"""What a coupon or a discount may say, and what is wrong with it."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Final
from uuid import UUID

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from billing_rules.discounts import Duration
from billing_rules.money import is_currency, withdrawal
from subscriptions.models.limits import PRICE_DECIMALS, PRICE_DIGITS, fits
from tenancy.errors import FieldError, Invalid
from tenancy.files.cells import EARLIEST, LATEST

PERCENT_DECIMALS: Final = 4
MAX_PERIODS: Final = 120
MAX_COUNT: Final = 2_000_000_000
_LONGEST_NAME: Final = 200
LONGEST_CODE: Final = 50
LONGEST_REASON: Final = 500


class InvalidCoupon(Invalid):
    """A coupon that cannot be redeemed as it is wanted; ``errors`` names each member."""

    code = "invalid_coupon"
    message = gettext_lazy("This coupon is not valid.")


class InvalidDiscount(Invalid):
    """A discount that cannot be given as it is wanted; ``errors`` names each member."""

    code = "invalid_discount"
    message = gettext_lazy("This discount is not valid.")


@dataclass(frozen=True, slots=True)
class NewCoupon:
    """A coupon as somebody wants it; members as of ``subscriptions.models.Coupon``."""

    code: str
    name: str
    percent: Decimal | None = None
    amount: Decimal | None = None
    currency: str = ""
    duration: str = Duration.FOREVER.value
    periods: int | None = None
    products: Sequence[UUID] = ()
    redeem_from: date | None = None
    redeem_until: date | None = None
    max_redemptions: int | None = None
    max_per_root: int | None = None


@dataclass(frozen=True, slots=True)
class WantedDiscount:
    """A discount as somebody wants it: a coupon by its code, or what is taken off.

    ``until`` is the first day without it, None while nobody has said so; a coupon says itself how
    long it holds.
    """

    coupon: str = ""
    name: str = ""
    percent: Decimal | None = None
    amount: Decimal | None = None
    currency: str = ""
    until: date | None = None
    reason: str = ""
    key: UUID | None = field(default=None)


def require_coupon(wanted: NewCoupon, *, today: date | None) -> None:
    """Refuse a coupon that cannot be.

    Args:
        wanted: the coupon.
        today: a currency that was withdrawn by then is refused; None asks for none.

    Raises:
        InvalidCoupon: all that is wrong is named.
    """
    errors = [*_code_faults(wanted.code), *_name_faults(wanted.name, is_required=True)]
    errors += off_faults(wanted.percent, wanted.amount, wanted.currency, today=today)
    errors += _duration_faults(wanted)
    for member in ("redeem_from", "redeem_until"):
        day = getattr(wanted, member)
        if day is not None and not EARLIEST <= day <= LATEST:
            detail = _("A date between 1970 and 2200 is expected.")
            errors.append(FieldError("out_of_range", detail, f"/{member}"))
    if wanted.redeem_from and wanted.redeem_until and wanted.redeem_until < wanted.redeem_from:
        detail = _("It would end before it begins.")
        errors.append(FieldError("end_before_start", detail, "/redeem_until"))
    for member in ("max_redemptions", "max_per_root"):
        count = getattr(wanted, member)
        if count is not None and not 1 <= count <= MAX_COUNT:
            detail = _("1 or more is expected.")
            errors.append(FieldError("out_of_range", detail, f"/{member}"))
    if errors:
        raise InvalidCoupon(errors=errors)


def require_discount(wanted: WantedDiscount, day: date, *, today: date) -> None:
    """Refuse a discount without a coupon that cannot be.

    Raises:
        InvalidDiscount: all that is wrong is named.
    """
    errors = _name_faults(wanted.name, is_required=True)
    errors += off_faults(wanted.percent, wanted.amount, wanted.currency, today=today)
    if wanted.until is not None and wanted.until <= day:
        detail = _("It would end before it begins.")
        errors.append(FieldError("end_before_start", detail, "/until"))
    elif wanted.until is not None and wanted.until > LATEST:
        detail = _("A date before 2200 is expected.")
        errors.append(FieldError("out_of_range", detail, "/until"))
    if len(wanted.reason.strip()) > LONGEST_REASON:
        detail = _("At most 500 characters are possible.")
        errors.append(FieldError("too_long", detail, "/reason"))
    if not wanted.reason.strip():
        detail = _("Say why it is given.")
        errors.append(FieldError("required", detail, "/reason"))
    if errors:
        raise InvalidDiscount(errors=errors)


def off_faults(
    percent: Decimal | None, amount: Decimal | None, currency: str, *, today: date | None
) -> list[FieldError]:
    """Return what is wrong with what is taken off: a share, or an amount of one currency."""
    if (percent is None) == (amount is None):
        detail = _("Either a percentage or an amount is expected.")
        return [FieldError("percent_or_amount", detail, "/percent")]
    errors = []
    if percent is not None:
        if not percent.is_finite() or not 0 < percent <= 100:
            detail = _("More than 0 and at most 100 percent are expected.")
            errors.append(FieldError("out_of_range", detail, "/percent"))
        elif not fits(percent, 3, PERCENT_DECIMALS):
            detail = _("A percentage has at most 4 decimals.")
            errors.append(FieldError("too_precise", detail, "/percent"))
        if currency:
            detail = _("A percentage has no currency.")
            errors.append(FieldError("not_allowed", detail, "/currency"))
        return errors
    if amount is not None and (not fits(amount, PRICE_DIGITS, PRICE_DECIMALS) or amount <= 0):
        detail = _(
            "An amount above 0 is expected, with at most 12 digits before and 8 after the point."
        )
        errors.append(FieldError("out_of_range", detail, "/amount"))
    if not is_currency(currency):
        detail = _("A currency such as EUR is expected.")
        errors.append(FieldError("unknown_currency", detail, "/currency"))
    elif today is not None and withdrawal(currency, today) is not None:
        detail = _("This currency was withdrawn.")
        errors.append(FieldError("withdrawn_currency", detail, "/currency"))
    return errors


def code_key(code: str) -> str:
    """Return a code as it is compared: whoever types it need not mind capitals."""
    return code.strip().casefold()


def _code_faults(code: str) -> list[FieldError]:
    text = code.strip()
    if not text:
        return [FieldError("required", _("A code is expected."), "/code")]
    # Some letters are two once capitals do not matter: the straße is the strasse.
    if len(text) > LONGEST_CODE or len(code_key(text)) > LONGEST_CODE:
        return [FieldError("too_long", _("At most 50 characters are possible."), "/code")]
    if any(sign.isspace() or not sign.isprintable() for sign in text):
        detail = _("A code has no spaces and no signs that cannot be seen.")
        return [FieldError("invalid", detail, "/code")]
    return []


def _name_faults(name: str, *, is_required: bool) -> list[FieldError]:
    if is_required and not name.strip():
        return [FieldError("required", _("A name is expected; documents say it."), "/name")]
    if len(name.strip()) > _LONGEST_NAME:
        return [FieldError("too_long", _("At most 200 characters are possible."), "/name")]
    if not all(sign.isprintable() for sign in name.strip()):
        detail = _("A name has no signs that cannot be seen.")
        return [FieldError("invalid", detail, "/name")]
    return []


def _duration_faults(wanted: NewCoupon) -> list[FieldError]:
    if wanted.duration not in {one.value for one in Duration}:
        detail = _("“once”, “periods” or “forever” is expected.")
        return [FieldError("invalid_choice", detail, "/duration")]
    if wanted.duration == Duration.PERIODS:
        if wanted.periods is None or not 1 <= wanted.periods <= MAX_PERIODS:
            detail = _("1 to 120 periods are expected.")
            return [FieldError("out_of_range", detail, "/periods")]
    elif wanted.periods is not None:
        detail = _("A number of periods goes with the duration “periods” alone.")
        return [FieldError("not_allowed", detail, "/periods")]
    return []
