"""Importing prices and subscriptions: what is there already stays as it is."""

from subscriptions.operations.importing.prices import PRICE_COLUMNS, import_prices
from subscriptions.operations.importing.subscriptions import (
    SUBSCRIPTION_COLUMNS,
    import_subscriptions,
)

__all__ = ["PRICE_COLUMNS", "SUBSCRIPTION_COLUMNS", "import_prices", "import_subscriptions"]
