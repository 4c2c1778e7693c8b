"""Importing prices, subscriptions and usage: what is there already stays as it is."""

from django.utils.translation import gettext_lazy as _

from accounts.access import Action
from subscriptions.operations.importing.columns import (
    PRICE_COLUMNS,
    SUBSCRIPTION_COLUMNS,
    USAGE_COLUMNS,
)
from subscriptions.operations.importing.prices import import_prices
from subscriptions.operations.importing.subscriptions import import_subscriptions
from subscriptions.operations.importing.usage import import_usage
from tenancy.files.kinds import ImportKind, register_import_kind

__all__ = [
    "PRICE_COLUMNS",
    "SUBSCRIPTION_COLUMNS",
    "USAGE_COLUMNS",
    "import_prices",
    "import_subscriptions",
    "import_usage",
]

register_import_kind(
    ImportKind(
        label=_("Prices"),
        action=Action.EDIT_CATALOGUE,
        columns=PRICE_COLUMNS,
        place=20,
        run=import_prices,
    )
)
register_import_kind(
    ImportKind(
        label=_("Subscriptions"),
        action=Action.EDIT_SUBSCRIPTION,
        columns=SUBSCRIPTION_COLUMNS,
        place=60,
        run=import_subscriptions,
        run_below=import_subscriptions,
    )
)
register_import_kind(
    ImportKind(
        label=_("Usage"),
        action=Action.REPORT_USAGE,
        columns=USAGE_COLUMNS,
        place=80,
        run=import_usage,
    )
)
