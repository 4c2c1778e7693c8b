"""What an account is to be charged once: what can't be so, and the charge that it comes to."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from billing_rules.money import is_currency
from billing_rules.pricing import Model
from billing_rules.tax_rates import TaxClass
from invoicing.engine.calculations import calculated_once
from invoicing.engine.rows import ChargeRow, SubscriptionRow
from invoicing.models import Charge
from subscriptions.models import Price
from subscriptions.models.limits import (
    PRICE_DECIMALS,
    PRICE_DIGITS,
    QUANTITY_DECIMALS,
    QUANTITY_DIGITS,
    fits,
)
from subscriptions.operations.catalogue import sale_fault
from tenancy.errors import FieldError, Invalid
from tenancy.files.cells import EARLIEST, LATEST
from tenancy.ids import uuid7

LONGEST_DESCRIPTION: Final = 200
LONGEST_UNIT: Final = 20
LONGEST_PO_NUMBER: Final = 100
LONGEST_EXTERNAL_ID: Final = 200
MOST_DAYS: Final = 3_660
ONCE: Final = (Model.FLAT, Model.PER_UNIT)
"""The models of the catalogue at which something is charged once."""


class InvalidCharge(Invalid):
    """A charge that can't be invoiced as it is wanted; ``errors`` names each member."""

    code = "invalid_charge"
    message = gettext_lazy("This charge is not valid.")


@dataclass(frozen=True, slots=True)
class NewCharge:
    """Something that an account is to be charged once, as somebody wants it.

    Either ``price_id`` names a price of the catalogue (flat or per unit), or ``description``,
    ``unit_amount`` (in major units), ``currency`` and ``tax_class`` say it all; beside a price the
    description alone may differ. It is for the days from ``first_day`` to ``last_day``, both
    included, and is charged whole. ``subscription_id`` lets it be invoiced as that subscription
    is. ``key`` is what the row is to be called, so that one form makes one.
    """

    first_day: date
    last_day: date | None = None
    quantity: Decimal = Decimal(1)
    price_id: UUID | None = None
    description: str = ""
    unit: str = ""
    unit_amount: Decimal | None = None
    currency: str = ""
    tax_class: str = TaxClass.STANDARD
    subscription_id: UUID | None = None
    po_number: str = ""
    external_id: str | None = None
    is_billed_now: bool = False
    key: UUID | None = None

    @property
    def ends(self) -> date:
        """The first day that it is not for any more."""
        return (self.last_day or self.first_day) + timedelta(days=1)


def charge_differences(charge: Charge, account_id: UUID, wanted: NewCharge) -> Iterator[str]:
    """Yield the members in which a charge is not as somebody wants one of an account.

    When it is invoiced does not count, nor what is said beside a price but its description.
    """
    said = charge.calculation["price"]
    named = None if wanted.price_id is None else Price(id=wanted.price_id).public_id
    facts: list[tuple[str, Any, Any]] = [
        ("account", charge.account_id, account_id),
        ("external_id", charge.kind, Charge.Kind.ONE_OFF),
        ("first_day", charge.period_start, wanted.first_day),
        ("last_day", charge.period_end, wanted.ends),
        ("quantity", Decimal(charge.calculation["quantity"]), wanted.quantity),
        ("subscription", charge.subscription_id, wanted.subscription_id),
        ("po_number", charge.po_number, wanted.po_number.strip()),
        ("price", said["id"], named),
    ]
    if named is None:
        facts += [
            ("unit_amount", Decimal(said["unit_amount"]), wanted.unit_amount),
            ("currency", charge.currency, wanted.currency),
            ("tax_class", said["tax_class"], wanted.tax_class),
            ("unit", said["unit"], wanted.unit.strip()),
        ]
    if named is None or wanted.description:
        facts.append(("description", said["name"], wanted.description.strip()))
    return (member for member, stored, one in facts if stored != one)


def charge_faults(
    wanted: NewCharge, price: Price | None, subscription: SubscriptionRow | None
) -> Iterator[FieldError]:
    """Yield what is wrong with a charge; ``price`` and ``subscription`` are what it names."""
    yield from _faults(wanted, price)
    yield from _missing(wanted, price, subscription)


def _missing(
    wanted: NewCharge, price: Price | None, subscription: SubscriptionRow | None
) -> Iterator[FieldError]:
    if wanted.price_id is not None and price is None:
        yield FieldError("unknown_price", _("There is no such price."), "/price")
    if wanted.subscription_id is not None and subscription is None:
        detail = _("This account has no such subscription.")
        yield FieldError("unknown_subscription", detail, "/subscription")


def _faults(wanted: NewCharge, price: Price | None) -> Iterator[FieldError]:
    """Yield what is wrong with a charge itself."""
    if not (fits(wanted.quantity, QUANTITY_DIGITS, QUANTITY_DECIMALS) and wanted.quantity > 0):
        detail = _(
            "A quantity above 0 is expected, with at most 12 digits before and 6 after the point."
        )
        yield FieldError("out_of_range", detail, "/quantity")
    texts = [
        ("description", wanted.description, LONGEST_DESCRIPTION),
        ("unit", wanted.unit, LONGEST_UNIT),
        ("po_number", wanted.po_number, LONGEST_PO_NUMBER),
        ("external_id", wanted.external_id or "", LONGEST_EXTERNAL_ID),
    ]
    for member, text, most in texts:
        if len(text.strip()) > most or not text.isprintable():
            detail = _("At most %(most)s printable characters are possible.") % {"most": most}
            yield FieldError("invalid", detail, f"/{member}")
    if wanted.external_id is not None and not wanted.external_id.strip():
        yield FieldError("invalid", _("It is empty."), "/external_id")
    yield from _day_faults(wanted)
    if wanted.price_id is None:
        yield from _own_faults(wanted)
    elif price is not None:
        yield from _price_faults(wanted, price)


def _day_faults(wanted: NewCharge) -> Iterator[FieldError]:
    last = wanted.last_day or wanted.first_day
    for member, day in (("first_day", wanted.first_day), ("last_day", last)):
        if not EARLIEST <= day < LATEST:
            detail = _("A date between 1970 and 2200 is expected.")
            yield FieldError("out_of_range", detail, f"/{member}")
    if last < wanted.first_day:
        yield FieldError("end_before_start", _("It ends before it begins."), "/last_day")
    elif (last - wanted.first_day).days >= MOST_DAYS:
        yield FieldError("out_of_range", _("Ten years at most are possible."), "/last_day")


def _own_faults(wanted: NewCharge) -> Iterator[FieldError]:
    """Yield what is wrong with a charge that names no price."""
    if not wanted.description.strip():
        yield FieldError("required", _("Please say what is charged."), "/description")
    amount = wanted.unit_amount
    if amount is None:
        detail = _("An amount is needed where no price is named.")
        yield FieldError("required", detail, "/unit_amount")
    elif not fits(amount, PRICE_DIGITS, PRICE_DECIMALS):
        detail = _("At most %(digits)d digits before and %(decimals)d after the point.") % {
            "digits": PRICE_DIGITS,
            "decimals": PRICE_DECIMALS,
        }
        yield FieldError("out_of_range", detail, "/unit_amount")
    elif amount < 0:
        detail = _("No amount may be below 0: discounts are granted otherwise.")
        yield FieldError("amount_negative", detail, "/unit_amount")
    if not is_currency(wanted.currency):
        detail = _("A currency code such as EUR is expected.")
        yield FieldError("invalid", detail, "/currency")
    if wanted.tax_class not in list(TaxClass):
        choices = ", ".join(TaxClass)
        detail = _("One of these is expected: %(choices)s.") % {"choices": choices}
        yield FieldError("invalid_choice", detail, "/tax_class")


def _price_faults(wanted: NewCharge, price: Price) -> Iterator[FieldError]:
    if fault := sale_fault(price, "/price"):
        yield fault
    if price.model not in ONCE:
        detail = _("Only a flat price or one per unit can be charged once.")
        yield FieldError("wrong_model", detail, "/price")
    if wanted.unit_amount is not None:
        detail = _("The amount is that of the price; leave it out.")
        yield FieldError("not_allowed", detail, "/unit_amount")
    if wanted.currency not in ("", price.currency):
        detail = _("The currency is that of the price: %(currency)s.")
        yield FieldError("mixed_currencies", detail % {"currency": price.currency}, "/currency")


def charge_row(
    account_id: UUID,
    wanted: NewCharge,
    price: Price | None,
    subscription: SubscriptionRow | None,
    today: date,
) -> ChargeRow:
    """Return the charge as billing takes it, due on its first day, ``today`` at the earliest."""
    currency = wanted.currency if price is None else price.currency
    calculation = calculated_once(
        price=_said(wanted, price),
        quantity=wanted.quantity,
        currency=currency,
        start=wanted.first_day,
        end=wanted.ends,
    )
    due_date = max(wanted.first_day, today)
    return ChargeRow(
        id=wanted.key or uuid7(),
        item_id=None,
        period_id=None,
        subscription=subscription,
        account_id=account_id,
        period_start=wanted.first_day,
        period_end=wanted.ends,
        due_date=due_date,
        invoice_on=due_date,
        currency=currency,
        net_minor=calculation["net_minor"],
        calculation=calculation,
        kind=Charge.Kind.ONE_OFF.value,
        tax_class=calculation["price"]["tax_class"],
        po_number=wanted.po_number.strip(),
        external_id=wanted.external_id,
    )


def _said(wanted: NewCharge, price: Price | None) -> dict[str, Any]:
    """Return the price as it is kept with the charge: of the catalogue, or of this charge alone."""
    if price is None:
        return {
            "id": None,
            "name": wanted.description.strip(),
            "model": Model.PER_UNIT.value,
            "unit": wanted.unit.strip(),
            "unit_amount": wanted.unit_amount,
            "tax_class": wanted.tax_class,
        }
    return {
        "id": price.public_id,
        "name": wanted.description.strip() or price.name,
        "model": price.model,
        "unit": wanted.unit.strip() or price.unit,
        "unit_amount": price.unit_amount,
        "tax_class": price.tax_class,
    }
