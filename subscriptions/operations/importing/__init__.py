"""Importing prices and subscriptions: what is there already stays as it is."""

from django.utils.translation import gettext_lazy as _

from accounts.access import Action
from subscriptions.operations.importing.columns import PRICE_COLUMNS, SUBSCRIPTION_COLUMNS
from subscriptions.operations.importing.prices import import_prices
from subscriptions.operations.importing.subscriptions import import_subscriptions
from tenancy.files.kinds import ImportKind, register_import_kind

__all__ = ["PRICE_COLUMNS", "SUBSCRIPTION_COLUMNS", "import_prices", "import_subscriptions"]

register_import_kind(
    ImportKind(
        label=_("Prices"),
        action=Action.EDIT_CATALOGUE,
        columns=PRICE_COLUMNS,
        place=2,
        run=import_prices,
    )
)
register_import_kind(
    ImportKind(
        label=_("Subscriptions"),
        action=Action.EDIT_SUBSCRIPTION,
        columns=SUBSCRIPTION_COLUMNS,
        place=3,
        run=import_subscriptions,
        run_below=import_subscriptions,
    )
)
