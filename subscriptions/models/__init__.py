"""Tables of the app, by what they describe."""

from subscriptions.models.catalogue import Meter, Price, Product
from subscriptions.models.discounts import Coupon, Discount, DiscountedItem
from subscriptions.models.plans import Plan, PlanItem
from subscriptions.models.pools import EarlierPoolPrice, PoolShare, UsagePool
from subscriptions.models.subscriptions import (
    ContractSource,
    EarlierOwner,
    EarlierRecipient,
    EarlierTerms,
    Item,
    Period,
    Subscription,
    Uncharged,
)
from subscriptions.models.usage import LateUsage, UsageDay, UsageEvent, UsageKey

__all__ = [
    "ContractSource",
    "Coupon",
    "Discount",
    "DiscountedItem",
    "EarlierOwner",
    "EarlierPoolPrice",
    "EarlierRecipient",
    "EarlierTerms",
    "Item",
    "LateUsage",
    "Meter",
    "Period",
    "Plan",
    "PlanItem",
    "PoolShare",
    "Price",
    "Product",
    "Subscription",
    "Uncharged",
    "UsageDay",
    "UsageEvent",
    "UsageKey",
    "UsagePool",
]
