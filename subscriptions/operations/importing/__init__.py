"""Importing prices and subscriptions: what is there already stays as it is."""

from subscriptions.operations.importing.prices import import_prices
from subscriptions.operations.importing.subscriptions import import_subscriptions

__all__ = ["import_prices", "import_subscriptions"]
