"""The columns of files of what is charged once: the one place that says what they are."""

from typing import Final

from django.utils.translation import gettext_lazy as _

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
