"""Importing prices and subscriptions: what is there already stays as it is."""

from subscriptions.operations.importing.columns import PRICE_COLUMNS, SUBSCRIPTION_COLUMNS
from subscriptions.operations.importing.prices import import_prices
from subscriptions.operations.importing.subscriptions import import_subscriptions

__all__ = ["PRICE_COLUMNS", "SUBSCRIPTION_COLUMNS", "import_prices", "import_subscriptions"]
