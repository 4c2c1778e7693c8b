"""The columns of files of accounts and of contacts: the one place that says what they are."""

from typing import Final

from django.utils.translation import gettext_lazy as _

from accounts.declarations import PARTICULARS, SETTINGS
from accounts.models.people import CustomerRole
from tenancy.files.columns import (
    A_LANGUAGE,
    KEY_OF_YOURS,
    STAYS_EMPTY,
    Column,
    Columns,
    one_of,
)

_KEYS: Final = (
    Column("external_id", KEY_OF_YOURS),
    Column(
        "parent_external_id",
        _("The external_id of the account above, of this file or imported before."),
        _("The account is the top of a tree."),
    ),
)
FILE_SETTINGS: Final = tuple(setting for setting in SETTINGS.values() if setting.is_in_files)
"""The settings that a file of accounts has columns for."""


def _examples() -> tuple[dict[str, str], dict[str, str]]:
    """Return an account at the top, and one below it with what belongs there."""
    said = {one.name: one.example for one in PARTICULARS.values()}
    top = {"external_id": "muster", **said}
    below = {
        "external_id": "muster-bremen",
        "parent_external_id": "muster",
        "name": "Muster Bremen",
        "kind": "branch",
    }
    for setting in FILE_SETTINGS:
        (below if setting.is_example_below else top)[setting.name.value] = setting.example
    return top, below


ACCOUNT_COLUMNS: Final = Columns(
    "accounts",
    (
        *_KEYS,
        *(Column(one.name, one.kind.forms, one.empty) for one in PARTICULARS.values()),
        *(Column(one.name.value, one.kind.forms, one.empty) for one in FILE_SETTINGS),
    ),
    _examples(),
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
