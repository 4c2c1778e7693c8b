"""Importing charges, discounts, and prices from a day on."""

from django.utils.translation import gettext_lazy as _

from accounts.access import Action
from invoicing.operations.importing.charges import import_charges
from invoicing.operations.importing.columns import (
    CHARGE_COLUMNS,
    DISCOUNT_COLUMNS,
    NEGOTIATED_COLUMNS,
    VERSION_COLUMNS,
)
from invoicing.operations.importing.discounts import import_discounts
from invoicing.operations.importing.versions import (
    import_negotiated_prices,
    import_price_versions,
)
from invoicing.queries.file_rows import (
    charge_file_rows,
    discount_file_rows,
    negotiated_file_rows,
    version_file_rows,
)
from tenancy.files.kinds import ImportKind, register_import_kind

register_import_kind(
    ImportKind(
        label=_("Price versions"),
        action=Action.EDIT_CATALOGUE,
        columns=VERSION_COLUMNS,
        place=30,
        run=import_price_versions,
        rows=version_file_rows,
    )
)
register_import_kind(
    ImportKind(
        label=_("Negotiated prices"),
        action=Action.EDIT_CATALOGUE,
        columns=NEGOTIATED_COLUMNS,
        place=40,
        run=import_negotiated_prices,
        run_below=import_negotiated_prices,
        rows=negotiated_file_rows,
    )
)
register_import_kind(
    ImportKind(
        label=_("Discounts"),
        action=Action.EDIT_SUBSCRIPTION,
        columns=DISCOUNT_COLUMNS,
        place=50,
        run=import_discounts,
        run_below=import_discounts,
        rows=discount_file_rows,
    )
)
register_import_kind(
    ImportKind(
        label=_("Charges"),
        action=Action.EDIT_CHARGE,
        columns=CHARGE_COLUMNS,
        place=90,
        run=import_charges,
        run_below=import_charges,
        rows=charge_file_rows,
    )
)
