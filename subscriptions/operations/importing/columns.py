"""The columns of files of prices and of subscriptions: the one place that says what they are."""

from typing import Final

from django.utils.translation import gettext_lazy as _

from billing_rules.periods import Unit
from billing_rules.pricing import Model
from subscriptions.models import Price
from subscriptions.models.limits import (
    MAX_NOTICE_DAYS,
    MAX_NOTICE_MONTHS,
    MAX_TERM_MONTHS,
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
    whole,
)

PRICE_COLUMNS: Final = Columns(
    "prices",
    (
        Column("external_id", KEY_OF_YOURS),
        Column("product", _("The product's name; one that does not exist yet is made.")),
        Column("name", _("As it stands on the invoice, up to 200 characters.")),
        Column("model", one_of([model.value for model in Model])),
        Column("currency", A_CURRENCY),
        Column("interval", one_of([unit.value for unit in Unit])),
        Column("timing", one_of(Price.Timing.values)),
        Column(
            "unit",
            _("What a quantity counts, such as GB, up to 20 characters."),
            _("Piece, flat rate or package, by the model."),
        ),
        Column(
            "unit_amount",
            decimal(PRICE_DIGITS, PRICE_DECIMALS),
            _("None: only for the models graduated and volume."),
            NUMBER,
        ),
        Column(
            "tiers",
            _(
                "up_to:unit_amount:flat_amount, joined by |; inf for the last. Only for the models"
                " graduated and volume."
            ),
            _("None: only for the other models."),
            NUMBER,
        ),
        Column(
            "package_size",
            decimal(QUANTITY_DIGITS, QUANTITY_DECIMALS),
            _("None: only for models other than package."),
            NUMBER,
        ),
        Column(
            "setup_fee",
            decimal(PRICE_DIGITS, PRICE_DECIMALS),
            _("None: nothing is charged at the start."),
            NUMBER,
        ),
        Column(
            "minimum_amount",
            decimal(PRICE_DIGITS, PRICE_DECIMALS),
            _("None: nothing is charged where nothing is used. Only with a meter."),
            NUMBER,
        ),
        Column("interval_count", whole(1, 1_200), _("1: every interval.")),
        Column(
            "tax_rate",
            _("A percentage that the seller knows today, such as 19."),
            _("The standard rate."),
            NUMBER,
        ),
        Column(
            "meter",
            _("The external_id of a meter: what it measured is charged, at the period's end."),
            _("A quantity that is agreed."),
        ),
    ),
    (
        {
            "external_id": "desk",
            "product": "Desk",
            "name": "Desk – Agent",
            "model": "per_unit",
            "currency": "EUR",
            "interval": "month",
            "timing": "advance",
            "unit": "Agent",
            "unit_amount": "9.50",
            "setup_fee": "49.00",
            "tax_rate": "19",
        },
        {
            "external_id": "storage",
            "product": "Storage",
            "name": "Storage",
            "model": "graduated",
            "currency": "EUR",
            "interval": "month",
            "timing": "arrears",
            "unit": "GB",
            "tiers": "100:0.25:0|1000:0.20:0|inf:0.15:10",
        },
        {
            "external_id": "calls",
            "product": "API",
            "name": "API – 1000 calls",
            "model": "package",
            "currency": "EUR",
            "interval": "month",
            "timing": "arrears",
            "unit_amount": "12.00",
            "package_size": "1000",
            "minimum_amount": "25.00",
            "interval_count": "3",
            "meter": "api-calls",
        },
        {
            "external_id": "logins",
            "product": "Desk",
            "name": "Desk – Agent signed in",
            "model": "per_unit",
            "currency": "EUR",
            "interval": "month",
            "timing": "arrears",
            "unit": "Agent",
            "unit_amount": "3.00",
            "meter": "agents",
        },
    ),
)

SUBSCRIPTION_COLUMNS: Final = Columns(
    "subscriptions",
    (
        Column("external_id", KEY_OF_YOURS),
        Column(
            "account_external_id", _("The external_id of an account: who uses what is subscribed.")
        ),
        Column("price_external_id", _("The external_id of a price.")),
        Column("quantity", decimal(QUANTITY_DIGITS, QUANTITY_DECIMALS), shape=NUMBER),
        Column("start_date", A_DAY, shape=DAY),
        Column("end_date", A_DAY, _("Without an end. Else: the first day no longer served."), DAY),
        Column("po_number", up_to(100), _("That of the account.")),
        Column(
            "billed_until",
            A_DAY,
            _("Billed from its start. With a date, nothing before that day is charged."),
            DAY,
        ),
        Column(
            "minimum_term_months",
            whole(0, MAX_TERM_MONTHS),
            _(
                "No minimum term. If all five columns of contract terms are empty: the defaults of"
                " the account, unless there is an end date."
            ),
            NUMBER,
        ),
        Column(
            "renewal_months", whole(0, MAX_TERM_MONTHS), _("It ends with its minimum term."), NUMBER
        ),
        Column("notice_months", whole(0, MAX_NOTICE_MONTHS), _("None in months."), NUMBER),
        Column("notice_days", whole(0, MAX_NOTICE_DAYS), _("None in days."), NUMBER),
        Column("term_start", A_DAY, _("The term begins with the start date."), DAY),
    ),
    (
        {
            "external_id": "muster-bremen-desk",
            "account_external_id": "muster-bremen",
            "price_external_id": "desk",
            "quantity": "12",
            "start_date": "2026-12-01",
            "minimum_term_months": "12",
            "renewal_months": "12",
            "notice_months": "3",
            "notice_days": "0",
            "term_start": "2027-01-01",
        },
        {
            "external_id": "muster-storage",
            "account_external_id": "muster",
            "price_external_id": "storage",
            "quantity": "250.5",
            "start_date": "2026-01-01",
            "end_date": "2028-01-01",
            "po_number": "PO-2026-117",
            "billed_until": "2026-12-01",
        },
        {
            "external_id": "muster-calls",
            "account_external_id": "muster",
            "price_external_id": "calls",
            "quantity": "1",
            "start_date": "2026-11-01",
        },
        {
            "external_id": "muster-bremen-logins",
            "account_external_id": "muster-bremen",
            "price_external_id": "logins",
            "quantity": "1",
            "start_date": "2026-11-01",
        },
    ),
)

USAGE_COLUMNS: Final = Columns(
    "usage",
    (
        Column("event_id", _("Your own key, up to 200 characters. Sent again it counts once.")),
        Column("subscription_external_id", _("The external_id of a subscription.")),
        Column("meter", _("The external_id of a meter.")),
        Column("quantity", decimal(QUANTITY_DIGITS, QUANTITY_DECIMALS), shape=NUMBER),
        Column(
            "at",
            _(
                "An instant such as 2026-11-05T14:30:00Z, or a date: then that day where the"
                " account is."
            ),
        ),
        Column(
            "unique_key",
            _("Whom or what a meter counts that counts different ones, up to 200 characters."),
            _("None: for all other meters."),
        ),
    ),
    (
        {
            "event_id": "2026-11-05-000417",
            "subscription_external_id": "muster-calls",
            "meter": "api-calls",
            "quantity": "250",
            "at": "2026-11-05T14:30:00Z",
        },
        {
            "event_id": "2026-11-05-login-88",
            "subscription_external_id": "muster-bremen-logins",
            "meter": "agents",
            "quantity": "1",
            "at": "2026-11-05",
            "unique_key": "agent-88",
        },
    ),
)
