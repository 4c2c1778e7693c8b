"""The columns of files of accounts and of contacts: the one place that says what they are."""

from typing import Final

from django.utils.translation import gettext_lazy as _

from accounts.models import Account
from accounts.models.people import CustomerRole
from tenancy.files.columns import (
    A_CURRENCY,
    A_LANGUAGE,
    KEY_OF_YOURS,
    STAYS_EMPTY,
    Column,
    Columns,
    one_of,
    up_to,
    whole,
)

_INHERITED: Final = _("Inherited from the account above, else from the settings of the company.")
_INHERITED_OR_NONE: Final = _("Inherited from the account above; at the top of a tree none.")
_OWN_AT_TOP: Final = _("Inherited from the account above; at the top of a tree the account itself.")
_OF_BILL_TO: Final = _("Stays empty; an account that gets invoices needs it.")

ACCOUNT_COLUMNS: Final = Columns(
    "accounts",
    (
        Column("external_id", KEY_OF_YOURS),
        Column("name", _("As people read it, up to 200 characters.")),
        Column("kind", one_of(Account.Kind.values)),
        Column(
            "parent_external_id",
            _("The external_id of the account above, of this file or imported before."),
            _("The account is the top of a tree."),
        ),
        Column("legal_name", _("As registered, up to 200 characters."), _OF_BILL_TO),
        Column("email", _("An e-mail address."), STAYS_EMPTY),
        Column("line1", _("Street and number, up to 200 characters."), _OF_BILL_TO),
        Column("line2", up_to(200), STAYS_EMPTY),
        Column(
            "postal_code",
            _("Up to 20 characters. Format the column as text in Excel, else zeros get lost."),
            STAYS_EMPTY,
        ),
        Column("city", up_to(100), _OF_BILL_TO),
        Column("region", up_to(100), STAYS_EMPTY),
        Column("country", _("Two capitals of ISO 3166-1, such as DE."), _OF_BILL_TO),
        Column("vat_id", _("Up to 20 characters, such as DE123456789."), STAYS_EMPTY),
        Column("currency", A_CURRENCY, _INHERITED),
        Column("language", A_LANGUAGE, _INHERITED),
        Column("time_zone", _("A name such as Europe/Berlin."), _INHERITED),
        Column("cost_centre", up_to(100), _INHERITED_OR_NONE),
        Column("po_number", up_to(100), _INHERITED_OR_NONE),
        Column(
            "split_by_po",
            _("true or false; also yes, no, 1, 0. True: one document for each PO number."),
            _INHERITED,
        ),
        Column(
            "bill_to",
            _("The external_id of the account itself or of one above it: who gets the invoice."),
            _OWN_AT_TOP,
        ),
        Column(
            "payer",
            _("The external_id of the account itself or of one above it: who pays."),
            _OWN_AT_TOP,
        ),
        Column("consolidation", one_of(("one_invoice", "per_account")), _INHERITED),
        Column("billing_day", whole(1, 31), _INHERITED),
        Column("billing_month", whole(1, 12), _INHERITED),
        Column("payment_terms_days", whole(0, 365), _INHERITED),
    ),
    (
        {
            "external_id": "muster",
            "name": "Muster Gruppe",
            "kind": "group",
            "legal_name": "Muster Holding GmbH",
            "email": "rechnung@muster.example",
            "line1": "Hafenstraße 12",
            "line2": "Haus B",
            "postal_code": "01067",
            "city": "Dresden",
            "region": "Sachsen",
            "country": "DE",
            "vat_id": "DE123456789",
            "currency": "EUR",
            "language": "de",
            "time_zone": "Europe/Berlin",
            "consolidation": "one_invoice",
            "billing_day": "1",
            "billing_month": "1",
            "payment_terms_days": "14",
        },
        {
            "external_id": "muster-bremen",
            "parent_external_id": "muster",
            "name": "Muster Bremen",
            "kind": "branch",
            "cost_centre": "4711",
            "po_number": "PO-2027-001",
            "split_by_po": "true",
            "bill_to": "muster",
            "payer": "muster",
        },
    ),
)

CONTACT_COLUMNS: Final = Columns(
    "contacts",
    (
        Column("external_id", KEY_OF_YOURS),
        Column(
            "account_external_id",
            _("The external_id of an account: where the person belongs and the role holds."),
        ),
        Column("name", _("As people read it, up to 200 characters.")),
        Column("email", _("An e-mail address.")),
        Column("language", A_LANGUAGE, STAYS_EMPTY),
        Column("role", one_of(CustomerRole.values), _("No role; one granted before stays.")),
    ),
    (
        {
            "external_id": "hansen",
            "account_external_id": "muster",
            "name": "Ingrid Hansen",
            "email": "ingrid.hansen@muster.example",
            "language": "de",
            "role": "finance",
        },
        {
            "external_id": "martin",
            "account_external_id": "muster-bremen",
            "name": "Paul Martin",
            "email": "paul.martin@muster.example",
        },
    ),
)
