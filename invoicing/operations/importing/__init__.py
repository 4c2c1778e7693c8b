"""Importing what accounts are charged once."""

from django.utils.translation import gettext_lazy as _

from accounts.access import Action
from invoicing.operations.importing.charges import import_charges
from invoicing.operations.importing.columns import CHARGE_COLUMNS
from invoicing.queries.file_rows import charge_file_rows
from tenancy.files.kinds import ImportKind, register_import_kind

register_import_kind(
    ImportKind(
        label=_("Charges"),
        action=Action.EDIT_CHARGE,
        columns=CHARGE_COLUMNS,
        place=9,
        run=import_charges,
        run_below=import_charges,
        rows=charge_file_rows,
    )
)
