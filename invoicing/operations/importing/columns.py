"""The columns of files of charges, discounts and versions of prices: nothing else says them."""

from typing import Final

from django.utils.translation import gettext_lazy as _

from billing_rules.pricing import Model
from billing_rules.tax_rates import TaxClass
from invoicing.operations.charges.wanting import (
    LONGEST_DESCRIPTION,
    LONGEST_PO_NUMBER,
    LONGEST_UNIT,
)
from subscriptions.models.limits import (
    PRICE_DECIMALS,
    PRICE_DIGITS,
    QUANTITY_DECIMALS,
    QUANTITY_DIGITS,
)
from subscriptions.operations.discounts.checking import LONGEST_REASON, PERCENT_DECIMALS
from tenancy.files.columns import (
    A_CURRENCY,
    A_DAY,
    DAY,
    KEY_OF_YOURS,
    NUMBER,
    Column,
    Columns,
    decimal,
    one_of,
    up_to,
)

AS_BEFORE: Final = _("As before: as for everybody, or as of the version before.")

CHARGE_COLUMNS: Final = Columns(
    "charges",
    (
        Column("external_id", KEY_OF_YOURS),
        Column("account_external_id", _("The external_id of an account: who is charged.")),
        Column("first_day", A_DAY, shape=DAY),
        Column(
            "price_external_id",
            _("The external_id of a price, flat or per unit: it says amount, currency and tax."),
            _("None: description, unit_amount and currency say it all."),
        ),
        Column(
            "description", up_to(LONGEST_DESCRIPTION), _("The name of the price; else an error.")
        ),
        Column("quantity", decimal(QUANTITY_DIGITS, QUANTITY_DECIMALS), _("1."), NUMBER),
        Column("unit", up_to(LONGEST_UNIT), _("That of the price, or piece.")),
        Column(
            "unit_amount",
            decimal(PRICE_DIGITS, PRICE_DECIMALS),
            _("That of the price; else an error."),
            NUMBER,
        ),
        Column("currency", A_CURRENCY, _("That of the price; else an error.")),
        Column(
            "tax_class", one_of(list(TaxClass)), _("That of the price; else the standard rate.")
        ),
        Column(
            "last_day",
            _("A date: the last of the days that it is for; they change no amount."),
            _("It is for its first day alone."),
            DAY,
        ),
        Column(
            "subscription_external_id",
            _("The external_id of a subscription of the account: it is invoiced as that is."),
            _("It belongs to no subscription."),
        ),
        Column(
            "po_number",
            up_to(LONGEST_PO_NUMBER),
            _("That of the subscription, or of the account."),
        ),
        Column(
            "bill_now",
            _("true: by the next run, without waiting for the billing day; or false."),
            _("It waits for the billing day of whoever is invoiced."),
        ),
    ),
    (
        {
            "external_id": "2026-11-training-bremen",
            "account_external_id": "muster-bremen",
            "first_day": "2026-11-20",
            "price_external_id": "desk",
            "description": "Desk – two agents for the fair",
            "quantity": "2",
        },
        {
            "external_id": "2026-11-onboarding",
            "account_external_id": "muster",
            "first_day": "2026-11-16",
            "last_day": "2026-11-18",
            "description": "Onboarding, on site",
            "quantity": "2.5",
            "unit": "day",
            "unit_amount": "1200.00",
            "currency": "EUR",
            "tax_class": "standard",
            "subscription_external_id": "muster-storage",
            "po_number": "PO-2026-204",
            "bill_now": "true",
        },
    ),
)


_VERSION_TERMS: Final = (
    Column("name", _("As it stands on the invoice, up to 200 characters."), AS_BEFORE),
    Column("model", one_of([model.value for model in Model]), AS_BEFORE),
    Column("unit", up_to(LONGEST_UNIT), AS_BEFORE),
    Column(
        "unit_amount",
        decimal(PRICE_DIGITS, PRICE_DECIMALS),
        _("As before; none for the models graduated and volume."),
        NUMBER,
    ),
    Column(
        "tiers",
        _("up_to:unit_amount:flat_amount, joined by |; inf for the last."),
        _("As before; none for models other than graduated and volume."),
        NUMBER,
    ),
    Column(
        "package_size",
        decimal(QUANTITY_DIGITS, QUANTITY_DECIMALS),
        _("As before; none for models other than package."),
        NUMBER,
    ),
    Column("setup_fee", decimal(PRICE_DIGITS, PRICE_DECIMALS), _("As before; 0 for none."), NUMBER),
    Column(
        "minimum_amount",
        decimal(PRICE_DIGITS, PRICE_DECIMALS),
        _("As before; 0 for none. Only with a meter."),
        NUMBER,
    ),
    Column("tax_class", one_of(list(TaxClass)), AS_BEFORE),
)
_ITS_KEY: Final = Column(
    "external_id", _("Your own key of the version, up to 200 characters."), _("It has none.")
)
_OF_PRICE: Final = Column(
    "price_external_id", _("The external_id of a price; any version of it stands for it.")
)
_FROM: Final = Column("valid_from", A_DAY, shape=DAY)

VERSION_COLUMNS: Final = Columns(
    "price_versions",
    (_ITS_KEY, _OF_PRICE, _FROM, *_VERSION_TERMS),
    (
        {
            "price_external_id": "desk",
            "valid_from": "2027-01-01",
            "external_id": "desk-2027",
            "name": "Desk – Agent, 2027",
            "unit": "Agent",
            "unit_amount": "9.90",
            "setup_fee": "0",
            "tax_class": "standard",
        },
        {
            "price_external_id": "storage",
            "valid_from": "2027-01-01",
            "model": "volume",
            "tiers": "500:0.24:0|inf:0.18:0",
        },
        {
            "price_external_id": "calls",
            "valid_from": "2027-04-01",
            "unit_amount": "14.00",
            "package_size": "1000",
            "minimum_amount": "28.00",
        },
    ),
)

NEGOTIATED_COLUMNS: Final = Columns(
    "negotiated_prices",
    (
        _ITS_KEY,
        Column(
            "account_external_id",
            _("The external_id of an account: it and all below it have the price."),
        ),
        _OF_PRICE,
        _FROM,
        Column(
            "valid_until",
            _("A date: the first day on which it holds no longer."),
            _("It holds until another one follows. One that has an end keeps it."),
            DAY,
        ),
        *_VERSION_TERMS,
    ),
    (
        {
            "account_external_id": "muster",
            "price_external_id": "desk",
            "valid_from": "2026-12-01",
            "valid_until": "2028-01-01",
            "external_id": "muster-desk",
            "name": "Desk – Agent, frame contract",
            "unit": "Agent",
            "unit_amount": "8.00",
            "setup_fee": "0",
            "tax_class": "standard",
        },
        {
            "account_external_id": "muster-bremen",
            "price_external_id": "storage",
            "valid_from": "2026-12-01",
            "model": "graduated",
            "tiers": "100:0.20:0|inf:0.12:0",
        },
        {
            "account_external_id": "muster",
            "price_external_id": "calls",
            "valid_from": "2026-12-01",
            "unit_amount": "10.00",
            "package_size": "1000",
            "minimum_amount": "20.00",
        },
    ),
)

DISCOUNT_COLUMNS: Final = Columns(
    "discounts",
    (
        Column(
            "account_external_id",
            _("The external_id of an account: it gives the discount to all below it."),
        ),
        Column("valid_from", A_DAY, shape=DAY),
        Column(
            "coupon",
            _("The code of a coupon: it says what is taken off, and how long."),
            _("None: name, percent or amount, and reason say it all."),
        ),
        Column("name", up_to(200), _("That of the coupon; else an error.")),
        Column(
            "percent",
            decimal(3, PERCENT_DECIMALS),
            _("None: a coupon or an amount says it."),
            NUMBER,
        ),
        Column(
            "amount",
            decimal(PRICE_DIGITS, PRICE_DECIMALS),
            _("None: a coupon or a percentage says it."),
            NUMBER,
        ),
        Column("currency", A_CURRENCY, _("None: only an amount has one.")),
        Column(
            "valid_until",
            _("A date: the first day without it. Not with a coupon that is new."),
            _("It holds until somebody ends it. One that has an end keeps it."),
            DAY,
        ),
        Column(
            "reason",
            up_to(LONGEST_REASON),
            _("None with a coupon; else an error. It stands on no document."),
        ),
    ),
    (
        {
            "account_external_id": "muster",
            "valid_from": "2026-12-01",
            "coupon": "SPRING",
        },
        {
            "account_external_id": "muster-bremen",
            "valid_from": "2026-12-01",
            "name": "Frame contract",
            "percent": "7.5",
            "valid_until": "2028-01-01",
            "reason": "Agreed on 5 November",
        },
        {
            "account_external_id": "muster",
            "valid_from": "2026-06-01",
            "valid_until": "2026-12-01",
            "name": "Thank you",
            "amount": "2.50",
            "currency": "EUR",
            "reason": "Ten years",
        },
    ),
)
