"""Who an account is: the columns that describe it, which nobody below inherits (R2)."""

from dataclasses import dataclass
from typing import Final

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from accounts.declarations.values import COUNTRY, EMAIL, Choice, Text, ValueKind
from tenancy.files.columns import STAYS_EMPTY

_OF_BILL_TO: Final = _("Stays empty; an account that gets invoices needs it.")
_A_NAME: Final = _("As people read it, up to 200 characters.")


@dataclass(frozen=True, slots=True)
class Particular:
    """One column of an account.

    Attributes:
        name: of the column in the database, in files and in the API.
        label: what pages call it.
        kind: what it may be.
        empty: what an empty one means, for people; None where there must be one.
        is_address: the API has it within ``address``.
        is_searched: the search for accounts looks into it.
        needed_for_invoices: a bill-to without it gets no number (R2).
        example: a cell, to show what one looks like.
    """

    name: str
    label: Promise
    kind: ValueKind
    empty: Promise | None = STAYS_EMPTY
    is_address: bool = False
    is_searched: bool = False
    needed_for_invoices: bool = False
    example: str = ""


KINDS: Final = {
    "group": _("Customer group"),
    "company": _("Company"),
    "subsidiary": _("Subsidiary"),
    "branch": _("Branch"),
    "department": _("Department"),
    "person": _("Person"),
}

_DECLARED: Final = (
    Particular(
        "name", _("Name"), Text(says=_A_NAME), None, is_searched=True, example="Muster Gruppe"
    ),
    Particular("kind", _("Type"), Choice(KINDS), None, example="group"),
    Particular(
        "legal_name",
        _("Legal name"),
        Text(says=_("As registered, up to 200 characters.")),
        _OF_BILL_TO,
        is_searched=True,
        needed_for_invoices=True,
        example="Muster Holding GmbH",
    ),
    Particular("email", _("E-mail"), EMAIL, is_searched=True, example="rechnung@muster.example"),
    Particular(
        "line1",
        _("Street"),
        Text(says=_("Street and number, up to 200 characters.")),
        _OF_BILL_TO,
        is_address=True,
        needed_for_invoices=True,
        example="Hafenstraße 12",
    ),
    Particular("line2", _("Further line"), Text(), is_address=True, example="Haus B"),
    Particular(
        "postal_code",
        _("Postal code"),
        Text(
            20, _("Up to 20 characters. Format the column as text in Excel, else zeros get lost.")
        ),
        is_address=True,
        example="01067",
    ),
    Particular(
        "city",
        _("City"),
        Text(100),
        _OF_BILL_TO,
        is_address=True,
        needed_for_invoices=True,
        example="Dresden",
    ),
    Particular("region", _("Region"), Text(100), is_address=True, example="Sachsen"),
    Particular(
        "country",
        _("Country"),
        COUNTRY,
        _OF_BILL_TO,
        is_address=True,
        needed_for_invoices=True,
        example="DE",
    ),
    Particular(
        "vat_id",
        _("VAT ID"),
        Text(20, _("Up to 20 characters, such as DE136695976.")),
        is_searched=True,
        example="DE136695976",
    ),
)

PARTICULARS: Final[dict[str, Particular]] = {one.name: one for one in _DECLARED}
"""All particulars by name, in the order in which pages show them."""
