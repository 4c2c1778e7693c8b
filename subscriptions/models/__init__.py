"""Tables of the app, by what they describe."""

from subscriptions.models.catalogue import Price, Product
from subscriptions.models.subscriptions import EarlierRecipient, Item, Period, Subscription

__all__ = ["EarlierRecipient", "Item", "Period", "Price", "Product", "Subscription"]
