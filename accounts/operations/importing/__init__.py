"""Importing files: all or nothing, every error named, twice is once."""

from django.utils.translation import gettext_lazy as _

from accounts.access import Action
from accounts.operations.importing._bounds import Bound, bound_of, owners_of, refuse_outside
from accounts.operations.importing.accounts import import_accounts
from accounts.operations.importing.columns import ACCOUNT_COLUMNS, CONTACT_COLUMNS
from accounts.operations.importing.contacts import import_contacts
from accounts.operations.importing.preview import tree_outlook
from tenancy.files.kinds import ImportKind, register_import_kind, undated
from tenancy.files.reports import ImportReport, one_at_a_time

__all__ = [
    "Bound",
    "ImportReport",
    "bound_of",
    "import_accounts",
    "import_contacts",
    "one_at_a_time",
    "owners_of",
    "refuse_outside",
]

register_import_kind(
    ImportKind(
        label=_("Accounts"),
        action=Action.EDIT_ACCOUNT,
        columns=ACCOUNT_COLUMNS,
        place=10,
        run=import_accounts,
        run_below=import_accounts,
        outlook=tree_outlook,
    )
)
register_import_kind(
    ImportKind(
        label=_("Contacts"),
        action=Action.EDIT_PEOPLE,
        columns=CONTACT_COLUMNS,
        place=70,
        run=undated(import_contacts),
        run_below=undated(import_contacts),
    )
)
